"""What an interval is: one row each. Pure.

The opening of a bar of whole sessions is midnight UTC of a date that no calendar moves: the session's own, the Monday
of its week, the first of its month. Within a session bars are counted from its opening on, through its breaks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from market import prices


class Calendar(Protocol):
    """When one exchange is open."""

    def session(self, at: datetime) -> date:
        """The session that runs at a moment, or the last one that ran."""

    def between(self, start: date, end: date) -> list[date]:
        """The sessions from `start` to `end`, both counted."""

    def hours(self, session: date) -> tuple[datetime, datetime]:
        """When a session opens and closes."""


class UnknownInterval(ValueError):
    """An interval that there is not; the text says which there are."""


@dataclass(frozen=True, slots=True)
class Interval:
    """How long a bar is.

    seconds: at most; a close comes sooner. made_from: the interval whose bars make it, None where sources give it.
    dated: of whole sessions, the date that stands for the bar which a session belongs to.
    """

    name: str
    label: str
    seconds: int
    made_from: str | None = None
    dated: Callable[[date], date] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether its bars cover whole sessions, and so know no time of day."""
        return self.dated is not None

    @property
    def precision(self) -> str:
        """How exactly the times of its bars are known."""
        return prices.DAY if self.is_whole else prices.SECOND

    def opening(self, at: datetime, calendar: Calendar) -> datetime:
        """The opening of the bar that a price of some moment belongs to; after a close that is the session's last."""
        session = calendar.session(at)
        if self.dated:
            return prices.midnight(self.dated(session))
        opens_at, closes_at = calendar.hours(session)
        inside = min(at, closes_at - timedelta.resolution)
        return opens_at + (inside - opens_at) // self._length * self._length

    def close(self, opened_at: datetime, calendar: Calendar) -> datetime:
        """When the bar of an opening moves no more; where its dates have no session, when they are over in UTC."""
        if self.dated:
            return self._last_close(opened_at.date(), calendar)
        _, closes_at = calendar.hours(calendar.session(opened_at))
        ends_at = opened_at + self._length
        return min(ends_at, closes_at) if opened_at < closes_at else ends_at

    def _last_close(self, start: date, calendar: Calendar) -> datetime:
        following = self.dated(start + self._length)
        sessions = calendar.between(start, following - timedelta(days=1))
        return calendar.hours(sessions[-1])[1] if sessions else prices.midnight(following)

    @property
    def _length(self) -> timedelta:
        return timedelta(seconds=self.seconds)


def _itself(session: date) -> date:
    return session


def _monday(session: date) -> date:
    return session - timedelta(days=session.weekday())


def _first_of_month(session: date) -> date:
    return session.replace(day=1)


_DAY_SECONDS = 86_400
MINUTE = Interval("1m", "Minute", 60)
DAY = Interval("1d", "Day", _DAY_SECONDS, dated=_itself)
WEEK = Interval("1wk", "Week", 7 * _DAY_SECONDS, made_from=DAY.name, dated=_monday)
ALL = {
    interval.name: interval
    for interval in (
        MINUTE,
        Interval("5m", "Five Minutes", 300, made_from=MINUTE.name),
        Interval("15m", "Quarter", 900, made_from=MINUTE.name),
        Interval("30m", "Half Hour", 1800, made_from=MINUTE.name),
        Interval("1h", "Hour", 3600, made_from=MINUTE.name),
        DAY,
        WEEK,
        Interval("1mo", "Month", 31 * _DAY_SECONDS, made_from=DAY.name, dated=_first_of_month),
    )
}
CHOICES = [(interval.name, interval.label) for interval in ALL.values()]


def named(name: str) -> Interval:
    """Raises UnknownInterval."""
    if name not in ALL:
        raise UnknownInterval(f"no interval {name!r}; there are {', '.join(ALL)}")
    return ALL[name]
