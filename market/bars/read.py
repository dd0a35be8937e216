"""Bars as values, as traded or restated, with the one that forms."""

from datetime import datetime

from market import actions, prices
from market.actions import adjustments
from market.bars import forming
from market.intervals import DAY
from market.models import Bar as BarRow
from market.prices import Bar

_VALUES = ("open", "high", "low", "close", "volume")
_COLUMNS = ("opened_at", *_VALUES, "is_final", "source", "received_at", "revision", "session_date", "state")
Row = tuple


class NoBars(ValueError):
    """What is asked for needs bars that are not there."""

    code = "no_bars"


def history(
    ticker: str,
    *,
    interval: str = DAY.name,
    start: datetime | None = None,
    end: datetime | None = None,
    adjusted: str = "split",
    limit: int | None = None,
) -> list[Bar]:
    """The bars from `start` to `end`, both counted, oldest first; with a limit the newest of them.

    The last one may be forming. Prices are restated as `actions.adjustments` says; raises UnknownAdjustment.
    """
    found = rows(ticker, interval=interval, start=start, end=end, adjusted=adjusted, limit=limit)
    return [Bar(*row) for row in found]


def rows(
    ticker: str,
    *,
    interval: str = DAY.name,
    start: datetime | None = None,
    end: datetime | None = None,
    adjusted: str = "split",
    limit: int | None = None,
) -> list[Row]:
    """`history` as tuples of Bar's fields, which cost less where many only pass through."""
    factors = actions.factors(ticker, adjusted)
    wanted = BarRow.objects.filter(symbol__ticker=ticker, interval=interval)
    if start is not None:
        wanted = wanted.filter(opened_at__gte=start)
    if end is not None:
        wanted = wanted.filter(opened_at__lte=end)
    # Before the rows: at a close the feed writes the row and then drops this one, so that one of them is always read.
    live = forming.latest([ticker], interval=interval)[ticker]
    found = list(wanted.order_by("-opened_at").values_list(*_COLUMNS)[:limit])[::-1]
    if live and (start is None or live.opened_at >= start) and (end is None or live.opened_at <= end):
        found = _with_forming(found, live)[-limit if limit else 0 :]
    return [
        (
            ticker,
            interval,
            at,
            *adjustments.restated(factors, session, *rest[:5]),
            *rest[5:],
            adjusted,
            session,
            prices.state_of(rest[5], state),
        )
        for at, *rest, session, state in found
    ]


def _with_forming(found: list[Row], live: Bar) -> list[Row]:
    """The stored rows and the forming bar's, which never stands for a final bar nor before one."""
    row = tuple(getattr(live, name) for name in _COLUMNS)
    if not found or found[-1][0] < live.opened_at:
        return [*found, row]
    *_, is_final, _, received_at, _, _, _ = found[-1]
    if found[-1][0] == live.opened_at and (live.is_final, live.received_at) > (is_final, received_at):
        return [*found[:-1], row]
    return found
