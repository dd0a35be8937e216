"""Whether an exchange trades, for jobs that belong to it: asked of its calendar, or of the recording that is played.

has_hours: whether the source of this database keeps to calendars; a recording's quotes tell by themselves.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from importlib import import_module

from market import quotes
from market.calendars import clock, facts, kept
from market.calendars.clock import Clock
from market.calendars.openings import Openings
from market.intervals import Calendar
from market.models import Symbol
from market.prices import OPEN


def is_open(exchange: str = "", *, has_hours: bool) -> bool:
    """Whether the exchange trades now; without a name, whether any does where a tracked symbol is at home."""
    now = datetime.now(UTC)
    states = (_at(each, now, has_hours=has_hours) for each in ([exchange] if exchange else exchanges()))
    return any(told is not None and told.state == OPEN for told in states)


def had_session(exchange: str, *, has_hours: bool) -> bool:
    """Whether today, by the exchange's own date, is one of its trading days. Every recorded day is one.

    Raises sessions.UnknownExchange.
    """
    now = datetime.now(UTC)
    return _sessions().has_session(exchange, now) if has_hours else _at(exchange, now, has_hours=False) is not None


def finished(exchange: str, *, has_hours: bool) -> date | None:
    """The last session that is over and settled: by the exchange's calendar, of a recording by what was played of it.

    None where neither says it.
    """
    sessions = _sessions()
    try:
        if has_hours:
            return sessions.finished(exchange, datetime.now(UTC))
        told = _at(exchange, datetime.now(UTC), has_hours=False)
        if told is None:
            return None
        return sessions.before(exchange, told.session_date) if told.state == OPEN else told.session_date
    except sessions.UnknownExchange:
        return None


def before(exchange: str, day: date) -> date | None:
    """The session before a day, by the exchange's calendar; None where it has none."""
    sessions = _sessions()
    try:
        return sessions.before(exchange, day)
    except sessions.UnknownExchange:
        return None


def ends_at(exchange: str, session: date) -> datetime | None:
    """When a session closes, by the exchange's calendar; None where it has none, or no such session."""
    sessions = _sessions()
    try:
        return sessions.hours(exchange, session)[1]
    except sessions.UnknownExchange:
        return None


def calendar(exchange: str) -> Calendar | None:
    """An exchange's own; None where it has none."""
    sessions = _sessions()
    return sessions.Calendar(exchange) if sessions.known(exchange) else None


def openings(exchange: str, now: datetime) -> Openings | None:
    """When the exchange opened last and opens next, by its calendar; None where it has none."""
    sessions = _sessions()
    try:
        return sessions.openings(exchange, now)
    except sessions.UnknownExchange:
        return None


def keep(exchange: str) -> int:
    """Write an exchange's sessions as rows; says how many. Raises sessions.UnknownExchange."""
    return kept.keep(exchange, _sessions().of(exchange, datetime.now(UTC).year))


def exchanges() -> list[str]:
    """Where tracked symbols are at home."""
    return list(Symbol.objects.tracked().order_by("exchange").values_list("exchange", flat=True).distinct())


def of(exchange: str, tickers: Sequence[str], now: datetime, *, has_hours: bool) -> Clock | None:
    """The exchange's clock; where it has no calendar, as these symbols' quotes tell it. None before it is known."""
    if has_hours:
        sessions = _sessions()
        try:
            return sessions.clock(exchange, now)
        except sessions.UnknownExchange:
            pass
    return clock.by_quotes(exchange, quotes.latest(tickers).values())


def _at(exchange: str, now: datetime, *, has_hours: bool) -> Clock | None:
    tickers = list(Symbol.objects.tracked().filter(exchange=exchange).values_list("ticker", flat=True))
    return of(exchange, tickers, now, has_hours=has_hours)


def _sessions():
    # By name: it brings pandas, which a recording does without.
    return import_module("market.calendars.sessions")


def keep_due(wanted: Sequence[str] | None = None) -> list[str]:
    """The exchanges whose sessions are to be written: those named, else those that are not kept, or not for a day."""
    if wanted is not None:
        return list(wanted)
    today = datetime.now(UTC) - timedelta(hours=20)
    fresh = kept.told_since(today)
    return sorted({*facts.EXCHANGES, *exchanges()} - fresh)
