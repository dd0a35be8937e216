"""When exchanges are open. Imports pandas, so only the feed and the workers may import it; pages read the `clock`."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache, wraps
from itertools import product
from typing import ParamSpec, TypeVar
from zoneinfo import ZoneInfo

import exchange_calendars
import pandas as pd
from exchange_calendars import ExchangeCalendar

from market.calendars.clock import Clock
from market.prices import CLOSED, OPEN, POST, PRE, SETTLING

logger = logging.getLogger(__name__)
Asked, Answer = ParamSpec("Asked"), TypeVar("Answer")

# Exchanges under the name that exchange_calendars has for them; Yahoo's own codes for what has no MIC.
_NAMES = {"CCC": "24/7", "CCY": "24/5"}
# Trading before and after the session, in the exchange's own time; where we know of none there is none.
_EXTENDED = {"XNYS": (time(4), time(20)), "XNAS": (time(4), time(20))}

_SESSIONS_LOOKED_AHEAD = 7
# Of four years, so that each is leap once: a single one has a session more or less.
_YEARS = timedelta(days=4 * 365 + 1)


class UnknownExchange(ValueError):
    """An exchange without a calendar, or without one that reaches to the day that is asked about."""


def _alone(ask: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
    """Whatever the library can't say of one exchange is an UnknownExchange, and no failure of those who ask of many."""

    @wraps(ask)
    def asked(mic: str, *arguments: Asked.args, **named: Asked.kwargs) -> Answer:
        try:
            return ask(mic, *arguments, **named)
        except UnknownExchange:
            raise
        except Exception as error:
            raise UnknownExchange(f"the calendar of {mic!r} does not say: {error}") from error

    return asked


@_alone
def state(mic: str, now: datetime) -> str:
    """open, closed, pre or post. A lunch break is closed."""
    calendar = _calendar(mic, now.year)
    if calendar.is_open_at_time(pd.Timestamp(now), side="left"):
        return OPEN
    if mic not in _EXTENDED:
        return CLOSED
    local = now.astimezone(ZoneInfo(str(calendar.tz)))
    session = pd.Timestamp(local.date())
    if not calendar.is_session(session):
        return CLOSED
    first, last = _EXTENDED[mic]
    if first <= local.time() and now < _instant(calendar.session_open(session)):
        return PRE
    if local.time() < last and now >= _instant(calendar.session_close(session)):
        return POST
    return CLOSED


@_alone
def clock(mic: str, now: datetime) -> Clock:
    """The state with the session, and when the exchange opens and closes next."""
    return Clock(mic, state(mic, now), session_date(mic, now), next_open(mic, now), next_close(mic, now))


@_alone
def next_open(mic: str, now: datetime) -> datetime | None:
    """The first opening after a moment, also the one after a lunch break; None of what never closes."""
    calendar, minute = _calendar(mic, now.year), pd.Timestamp(now).floor("min")
    if calendar.is_break_minute(minute):
        return _instant(calendar.session_break_end(calendar.minute_to_session(minute, direction="previous")))
    before = pd.Timedelta(minutes=1)
    return _first(calendar.next_open, now, lambda at: not _is_open(calendar, at - before))


@_alone
def next_close(mic: str, now: datetime) -> datetime | None:
    """The first close after a moment: today's, while the exchange is open; None of what never closes."""
    calendar = _calendar(mic, now.year)
    return _first(calendar.next_close, now, lambda at: not _is_open(calendar, at))


@_alone
def session_date(mic: str, now: datetime) -> date:
    """The exchange's own date of the session that runs, or of the last one that ran."""
    calendar = _calendar(mic, now.year)
    return calendar.minute_to_session(pd.Timestamp(now).floor("min"), direction="previous").date()


@_alone
def finished(mic: str, now: datetime) -> date:
    """The last session whose prices have settled."""
    session = session_date(mic, now - SETTLING)
    return session if hours(mic, session)[1] <= now - SETTLING else before(mic, session)


@_alone
def before(mic: str, day: date) -> date:
    """The last session before a day, which need be none itself."""
    stamp = pd.Timestamp(day - timedelta(days=1))
    return _calendar(mic, day.year).date_to_session(stamp, direction="previous").date()


@_alone
def a_year(mic: str, until: date) -> int:
    """How many sessions the exchange has in a year, by those of the four up to a day."""
    return round(len(between(mic, until - _YEARS + timedelta(days=1), until)) / 4)


@_alone
def has_session(mic: str, now: datetime) -> bool:
    """Whether the exchange trades on the day that it is there now."""
    calendar = _calendar(mic, now.year)
    return calendar.is_session(str(now.astimezone(ZoneInfo(str(calendar.tz))).date()))


@_alone
def between(mic: str, start: date, end: date) -> list[date]:
    """The sessions from `start` to `end`, both counted."""
    found: list[date] = []
    for year in range(start.year, end.year + 1):
        first, last = max(start, date(year, 1, 1)), min(end, date(year, 12, 31))
        found += [stamp.date() for stamp in _calendar(mic, year).sessions_in_range(str(first), str(last))]
    return found


@_alone
def hours(mic: str, session: date) -> tuple[datetime, datetime]:
    """When a session opens and closes."""
    calendar, stamp = _calendar(mic, session.year), pd.Timestamp(session)
    return _instant(calendar.session_open(stamp)), _instant(calendar.session_close(stamp))


@dataclass(frozen=True, slots=True)
class Calendar:
    """An exchange's, as `intervals` asks it."""

    mic: str

    def session(self, at: datetime) -> date:
        return session_date(self.mic, at)

    def between(self, start: date, end: date) -> list[date]:
        return between(self.mic, start, end)

    def hours(self, session: date) -> tuple[datetime, datetime]:
        return hours(self.mic, session)


def _calendar(mic: str, year: int) -> ExchangeCalendar:
    """An exchange's calendar around a year. Raises UnknownExchange."""
    built = _built(mic, year)
    if isinstance(built, str):
        raise UnknownExchange(built)
    return built


@lru_cache(maxsize=512)
def _built(mic: str, year: int) -> ExchangeCalendar | str:
    """The calendar, or why there is none, which is told once. A whole one takes seconds and megabytes to build.

    A month more on both sides is asked for where the library has it: some know holidays up to a year's end, and some
    can't be built over a day on which their week changed.
    """
    why: Exception | None = None
    starts, ends = (f"{year - 1}-12-01", f"{year}-01-01", f"{year}-02-01"), (f"{year + 1}-01-31", f"{year}-12-31")
    for start, end in product(starts, ends):
        try:
            return exchange_calendars.get_calendar(_NAMES.get(mic, mic), start=start, end=end)
        except exchange_calendars.errors.InvalidCalendarName:
            return f"there is no calendar of the exchange {mic!r}"
        except Exception as error:  # noqa: BLE001 - each calendar is code of its own, which fails in its own way
            why = why or error
    text = f"there is no calendar of the exchange {mic!r} for {year}: {str(why).partition('.')[0][:200]}"
    logger.warning("%s; its prices tell whether it is open", text)
    return text


def _first(
    step: Callable[[pd.Timestamp], pd.Timestamp], now: datetime, is_change: Callable[[pd.Timestamp], bool]
) -> datetime | None:
    """The first step that changes something: currencies and coins trade through the end of their sessions."""
    at = pd.Timestamp(now)
    for _ in range(_SESSIONS_LOOKED_AHEAD):
        try:
            at = step(at)
        except ValueError:  # beyond the last day that the library knows
            return None
        if is_change(at):
            return _instant(at)
    return None


def _is_open(calendar: ExchangeCalendar, at: pd.Timestamp) -> bool:
    """Beyond the last minute that the library knows, which may be a close, nothing is known to be open."""
    return at <= calendar.last_minute and calendar.is_open_at_time(at, side="left")


def _instant(stamp: pd.Timestamp) -> datetime:
    return stamp.to_pydatetime().astimezone(UTC)
