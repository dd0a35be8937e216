"""Whether an exchange trades, for jobs that belong to it: asked of its calendar, or of the recording that is played."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module

from market import quotes
from market.calendars import clock
from market.calendars.clock import Clock
from market.models import DataSource, Symbol
from market.prices import OPEN

RECORDED = "replay"


def is_open(exchange: str = "") -> bool:
    """Whether the exchange trades now; without a name, whether any does where a tracked symbol is at home."""
    now = datetime.now(UTC)
    states = (at(each, now) for each in ([exchange] if exchange else exchanges()))
    return any(told is not None and told.state == OPEN for told in states)


def had_session(exchange: str) -> bool:
    """Whether today, by the exchange's own date, is one of its trading days. Every recorded day is one.

    Raises sessions.UnknownExchange.
    """
    if is_recorded():
        return at(exchange, datetime.now(UTC)) is not None
    return _sessions().has_session(exchange, datetime.now(UTC))


def exchanges() -> list[str]:
    """Where tracked symbols are at home."""
    return list(Symbol.objects.tracked().order_by("exchange").values_list("exchange", flat=True).distinct())


def at(exchange: str, now: datetime) -> Clock | None:
    """The exchange's clock, as the source of this database knows it; None before it is known."""
    tickers = list(Symbol.objects.tracked().filter(exchange=exchange).values_list("ticker", flat=True))
    if is_recorded():
        return clock.by_quotes(exchange, quotes.latest(tickers).values())
    return by_calendar(exchange, tickers, now)


def by_calendar(exchange: str, tickers: Sequence[str], now: datetime) -> Clock | None:
    """By the exchange's calendar and the wall's clock; where there is no calendar, as these symbols' quotes tell it."""
    sessions = _sessions()
    try:
        return sessions.clock(exchange, now)
    except sessions.UnknownExchange:
        return clock.by_quotes(exchange, quotes.latest(tickers).values())


def is_recorded() -> bool:
    """Whether the prices of this database are a recording's, which tells them by itself."""
    return DataSource.objects.filter(pk=1, name=RECORDED).exists()


def _sessions():
    # By name: it brings pandas, which a recording does without.
    return import_module("market.calendars.sessions")
