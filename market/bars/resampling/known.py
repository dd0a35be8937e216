"""What is known of the sessions of symbols, by the calendars that are kept as rows."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache

from market.bars.resampling import hours
from market.bars.resampling.hours import UNKNOWN_HOURS, Hours
from market.bars.resampling.states import Known
from market.calendars import kept
from market.coverage.told import Held
from market.models import Symbol
from market.prices import Bar

_EPOCH = date(1970, 1, 1)


def known(held: Mapping[str, Held]) -> dict[str, Known]:
    """By ticker. held: what we hold of what its bars are made from."""
    found = Symbol.objects.filter(ticker__in=list(held)).order_by().values_list("ticker", "exchange")
    exchanges = dict(found)
    told = kept.told_at(set(exchanges.values()))
    return {ticker: _known(each, exchanges.get(ticker, ""), told) for ticker, each in held.items()}


def today(known_at: datetime | None, clock: Mapping[str, str], held: Held, live: Bar | None) -> int | None:
    """The session that was come to, in days since 1970: at a moment, or by what is held, by the bar that forms and by
    the market's clock as `clock.latest` tells it; None where nothing is held and nobody tells it.

    The bar that forms may be ahead of that clock, which is of one exchange.
    """
    if known_at is not None:
        return _days(known_at.date())
    told = [_days(date.fromisoformat(text[:10])) for text in (clock.get("session"), held.last) if text]
    return max([*told, _days(live.session_date)] if live else told, default=None)


def _known(held: Held, exchange: str, told: Mapping[str, str]) -> Known:
    ends = [None if text is None else _days(date.fromisoformat(text[:10])) for text in (held.wanted, held.first)]
    at = told.get(exchange)
    return Known("", *ends) if at is None else Known(f"{exchange} {at}", *ends, _hours(exchange, at))


def _days(day: date) -> int:
    """Since 1970."""
    return (day - _EPOCH).days


@lru_cache(maxsize=64)
def _hours(exchange: str, told_at: str) -> Hours:
    """Those that were told at a moment, or since."""
    table = kept.tables([exchange], date.min, date.max).get(exchange)
    return UNKNOWN_HOURS if table is None else hours.of(table)
