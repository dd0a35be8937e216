"""When exchanges are open. Imports pandas, so only the feed and the workers may import it; pages read the `clock`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import TypeVar

import numpy as np

from market.calendars import facts, library
from market.calendars.clock import Clock
from market.calendars.openings import Opening, Openings
from market.calendars.table import Session, Table, Untold, instant
from market.prices import SETTLING

Told = TypeVar("Told")
# Of four years, so that each is leap once: a single one has a session more or less.
_YEARS = timedelta(days=4 * 365 + 1)


class UnknownExchange(ValueError):
    """An exchange without a calendar, or without one that reaches to the day that is asked about."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """An exchange's, as `intervals` asks it. Raises UnknownExchange."""

    mic: str

    def session(self, at: datetime) -> date:
        return session_date(self.mic, at)

    def between(self, start: date, end: date) -> list[date]:
        return between(self.mic, start, end)

    def spans(self, session: date) -> list[tuple[datetime, datetime]]:
        return spans(self.mic, session)


def state(mic: str, now: datetime) -> str:
    """open, closed, pre or post. A lunch break is closed. Raises UnknownExchange."""
    table = of(mic, now.year)
    try:
        return facts.state(mic, table, now)
    except Untold as why:
        raise _unknown(mic, why) from why


def clock(mic: str, now: datetime) -> Clock:
    """The state with the session, and when the exchange opens and closes next. Raises UnknownExchange."""
    return Clock(mic, state(mic, now), session_date(mic, now), next_open(mic, now), next_close(mic, now))


def next_open(mic: str, now: datetime) -> datetime | None:
    """The first opening after a moment, also the one after a lunch break; None of what never closes.

    Raises UnknownExchange.
    """
    try:
        return of(mic, now.year).next_open(now)
    except Untold as why:
        raise _unknown(mic, why) from why


def next_close(mic: str, now: datetime) -> datetime | None:
    """The first close after a moment: today's, while the exchange is open; None of what never closes.

    Raises UnknownExchange.
    """
    try:
        return of(mic, now.year).next_close(now)
    except Untold as why:
        raise _unknown(mic, why) from why


def openings(mic: str, now: datetime) -> Openings:
    """When the exchange opened last and opens next. Raises UnknownExchange."""
    table = of(mic, now.year)
    try:
        told = table.opened(now), table.next_open(now)
    except Untold as why:
        raise _unknown(mic, why) from why
    return Openings(*(at and Opening(session_date(mic, at), at) for at in told))


def session_date(mic: str, now: datetime) -> date:
    """The exchange's own date of the session that runs, or of the last one that ran. Raises UnknownExchange."""
    try:
        return of(mic, now.year).at(now).date
    except Untold as why:
        raise _unknown(mic, why) from why


def has_session(mic: str, now: datetime) -> bool:
    """Whether the exchange trades on the day that it is there now. Raises UnknownExchange."""
    table = of(mic, now.year)
    return _session(mic, table, now.astimezone(table.zone).date()) is not None


def between(mic: str, start: date, end: date) -> list[date]:
    """The sessions from `start` to `end`, both counted. Raises UnknownExchange."""
    return [each.date for each in listed(mic, start, end)]


def listed(mic: str, start: date, end: date) -> list[Session]:
    """The same with their hours. Raises UnknownExchange."""
    return [each for found in _told(mic, start, end, Table.between) for each in found]


def columns(mic: str, start: date, end: date) -> np.ndarray:
    """The same as columns: int64 (3, n), days since 1970, openings and closes in seconds. Raises UnknownExchange."""
    return np.concatenate([np.empty((3, 0), np.int64), *_told(mic, start, end, Table.columns)], axis=1)


def _told(mic: str, start: date, end: date, ask: Callable[[Table, date, date], Told]) -> Iterator[Told]:
    # Most years are of one table.
    for table, together in groupby(range(start.year, end.year + 1), key=partial(of, mic)):
        years = list(together)
        first, last = max(start, date(years[0], 1, 1)), min(end, date(years[-1], 12, 31))
        try:
            yield ask(table, first, last)
        except Untold as why:
            raise _unknown(mic, why) from why


def hours(mic: str, session: date) -> tuple[datetime, datetime]:
    """When a session opens and closes. Raises UnknownExchange, also of a day without one."""
    trading = spans(mic, session)
    return trading[0][0], trading[-1][1]


def spans(mic: str, session: date) -> list[tuple[datetime, datetime]]:
    """From when to when a session trades: once, or before its lunch break and after it. Raises the same."""
    found = _session(mic, of(mic, session.year), session)
    if found is None:
        raise UnknownExchange(f"the calendar of {mic!r} has no session on {session}")
    return [(instant(start), instant(end)) for start, end in found.spans]


def finished(mic: str, now: datetime) -> date:
    """The last session that is over, and its last prices corrected. Raises UnknownExchange."""
    session = session_date(mic, now - SETTLING)
    return session if hours(mic, session)[1] <= now - SETTLING else before(mic, session)


def before(mic: str, day: date) -> date:
    """The last session before a day, which need be none itself. Raises UnknownExchange."""
    try:
        found = of(mic, day.year).before(day)
    except Untold as why:
        raise _unknown(mic, why) from why
    if found is None:
        raise UnknownExchange(f"the calendar of {mic!r} knows no session before {day}")
    return found.date


def a_year(mic: str, until: date) -> int:
    """How many sessions the exchange has in a year, by those of the four up to a day. Raises UnknownExchange."""
    return round(len(between(mic, until - _YEARS + timedelta(days=1), until)) / 4)


def of(mic: str, year: int) -> Table:
    """The exchange's table of sessions, with this year in it. Raises UnknownExchange."""
    found = library.table(mic, year)
    if isinstance(found, str):
        raise UnknownExchange(found)
    return found


def known(mic: str) -> Table | None:
    """The exchange's table of the years up to the next; None where there is no calendar."""
    try:
        return of(mic, datetime.now(UTC).year)
    except UnknownExchange:
        return None


def _session(mic: str, table: Table, day: date) -> Session | None:
    try:
        return table.of(day)
    except Untold as why:
        raise _unknown(mic, why) from why


def _unknown(mic: str, why: Untold) -> UnknownExchange:
    return UnknownExchange(f"the calendar of {mic!r} does not say {why}")
