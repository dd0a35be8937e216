"""What we hold of a symbol, to judge an answer about it by."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, timedelta
from statistics import median

from market import actions
from market.actions import adjustments
from market.bars import stored
from market.models import CorporateAction, Symbol
from market.sources.yahoo.charts import NOTHING, Held

_YEARS = timedelta(days=3 * 366)  # so much of its dividends tells what is usual


def of(symbol: Symbol, since: date) -> Held:
    """What is held from a session on. Nothing of a symbol that is in no database."""
    if symbol.pk is None:
        return NOTHING
    acts = actions.standing(symbol)
    splits = [(each.ex_date, float(adjustments.ratio(each))) for each in acts if each.kind in adjustments.RESTATING]
    paid = [each for each in acts if each.kind in adjustments.CASH and each.is_counted]
    reach = min(since, paid[-1].ex_date - _YEARS) if paid else since
    closes = stored.closes_since(symbol.pk, reach)
    return Held({session: close for session, close in closes if session >= since}, splits, _usual(paid, closes))


def _usual(paid: Sequence[CorporateAction], closes: Sequence[tuple[date, float]]) -> float | None:
    parts = []
    for action in paid:
        index = bisect_left(closes, action.ex_date, key=lambda row: row[0])
        if index and closes[index - 1][1] > 0:
            parts.append(action.value / closes[index - 1][1])
    return median(parts) if len(parts) > 1 else None
