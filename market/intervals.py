"""What an interval is: one row each. Pure.

The opening of a bar of whole sessions is midnight UTC of a date that no calendar moves: the session's own, the Monday
of its week, the first of its month. Within a session bars are counted from its opening on, and anew after its lunch
break; one ends with what it began in, so that of a half day is shorter.

Bars of some intervals are stored, those of the others are made of stored ones whenever they are read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

import numpy as np

from market import prices


class Calendar(Protocol):
    """When one exchange is open."""

    def session(self, at: datetime) -> date:
        """The session that runs at a moment, or the last one that ran."""

    def between(self, start: date, end: date) -> list[date]:
        """The sessions from `start` to `end`, both counted."""

    def spans(self, session: date) -> list[tuple[datetime, datetime]]:
        """From when to when a session trades: once, or before its lunch break and after it."""


class UnknownInterval(ValueError):
    """An interval that there is not; the text says which there are."""


@dataclass(frozen=True, slots=True)
class Interval:
    """How long a bar is.

    seconds: at most; a close comes sooner. made_from: the interval whose bars make its own on reading; None where its
    own are stored. filled_from: of a stored one, the interval whose bars make what is older than its source reaches.
    dated: of whole sessions, the date that stands for the bar which a session belongs to. dates: the same of many, as
    int64 days since 1970.
    """

    name: str
    label: str
    seconds: int
    made_from: str | None = None
    filled_from: str | None = None
    dated: Callable[[date], date] | None = None
    dates: Callable[[np.ndarray], np.ndarray] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether its bars cover whole sessions, and so know no time of day."""
        return self.dated is not None

    @property
    def precision(self) -> str:
        """How exactly the times of its bars are known."""
        return prices.DAY if self.is_whole else prices.SECOND

    @property
    def stored_as(self) -> str:
        """The interval whose stored bars are read for it: its own, or that which it is made from."""
        return self.made_from or self.name

    @property
    def most_parts(self) -> int:
        """How many stored bars make one of it, at most."""
        return self.seconds // ALL[self.stored_as].seconds

    def opening(self, at: datetime, calendar: Calendar) -> datetime:
        """The opening of the bar that a price of some moment belongs to; after a close, or in a lunch break, that is
        the last one before it.
        """
        session = calendar.session(at)
        if self.dated:
            return prices.midnight(self.dated(session))
        opens_at, closes_at = _span_at(at, calendar.spans(session))
        inside = min(at, closes_at - timedelta.resolution)
        return opens_at + (inside - opens_at) // self._length * self._length

    def close(self, opened_at: datetime, calendar: Calendar | None) -> datetime:
        """When the bar of an opening moves no more; where its dates have no session, or its exchange no calendar that
        we know, when they are over in UTC.
        """
        if self.dated:
            return self._last_close(opened_at.date(), calendar)
        if calendar is None:
            return opened_at + self._length
        _, closes_at = _span_at(opened_at, calendar.spans(calendar.session(opened_at)))
        ends_at = opened_at + self._length
        return min(ends_at, closes_at) if opened_at < closes_at else ends_at

    def following(self, start: date) -> date:
        """Of whole sessions: the date of the bar after that of a date."""
        return self.dated(start + self._length)

    def _last_close(self, start: date, calendar: Calendar | None) -> datetime:
        following = self.following(start)
        sessions = calendar.between(start, following - timedelta(days=1)) if calendar is not None else []
        return calendar.spans(sessions[-1])[-1][1] if sessions else prices.midnight(following)

    @property
    def _length(self) -> timedelta:
        return timedelta(seconds=self.seconds)


def _span_at(at: datetime, spans: list[tuple[datetime, datetime]]) -> tuple[datetime, datetime]:
    """That in which a moment lies, else the last before it."""
    return [span for span in spans if span[0] <= at][-1]


def _itself(session: date) -> date:
    return session


def _monday(session: date) -> date:
    return session - timedelta(days=session.weekday())


def _first_of_month(session: date) -> date:
    return session.replace(day=1)


def _themselves(days: np.ndarray) -> np.ndarray:
    return days


def _mondays(days: np.ndarray) -> np.ndarray:
    return days - (days + 3) % 7  # 1970 began on a Thursday


def _firsts_of_months(days: np.ndarray) -> np.ndarray:
    return days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


_DAY_SECONDS = 86_400
MINUTE = Interval("1m", "Minute", 60)
FIVE_MINUTES = Interval("5m", "Five Minutes", 300, filled_from=MINUTE.name)
DAY = Interval("1d", "Day", _DAY_SECONDS, dated=_itself, dates=_themselves)
WEEK = Interval("1wk", "Week", 7 * _DAY_SECONDS, made_from=DAY.name, dated=_monday, dates=_mondays)
ALL = {
    interval.name: interval
    for interval in (
        MINUTE,
        FIVE_MINUTES,
        Interval("15m", "Quarter", 900, made_from=FIVE_MINUTES.name),
        Interval("30m", "Half Hour", 1800, made_from=FIVE_MINUTES.name),
        Interval("1h", "Hour", 3600, filled_from=MINUTE.name),
        DAY,
        WEEK,
        Interval("1mo", "Month", 31 * _DAY_SECONDS, made_from=DAY.name, dated=_first_of_month, dates=_firsts_of_months),
    )
}
STORED = tuple(interval for interval in ALL.values() if interval.made_from is None)
STORED_WITHIN = tuple(interval.name for interval in STORED if not interval.is_whole)  # a session
STORED_CHOICES = [(interval.name, interval.label) for interval in STORED]
CHOICES = [(interval.name, interval.label) for interval in ALL.values()]


def named(name: str) -> Interval:
    """Raises UnknownInterval."""
    if name not in ALL:
        raise UnknownInterval(f"no interval {name!r}; there are {', '.join(ALL)}")
    return ALL[name]
