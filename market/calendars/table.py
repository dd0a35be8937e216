"""The sessions of one exchange over some years, and what can be asked of them. Pure; instants are whole seconds."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

_EPOCH = date(1970, 1, 1).toordinal()
_LOOKED_AHEAD = 7  # sessions: what trades through so many knows no close


class Session(NamedTuple):
    """One session: its date at the exchange, when it opens and closes, and its lunch break where it has one."""

    date: date
    opens: int  # seconds since 1970
    closes: int
    rest: tuple[int, int] | None = None

    @property
    def spans(self) -> list[tuple[int, int]]:
        """From when to when it trades: once, or before its lunch break and after it."""
        if self.rest is None:
            return [(self.opens, self.closes)]
        return [(self.opens, self.rest[0]), (self.rest[1], self.closes)]


class Untold(LookupError):
    """A day of which the table tells nothing; the text says which days it tells of."""


@dataclass(frozen=True, slots=True)
class Table:
    """Sessions by date, of the days from `first` to `last`."""

    zone: ZoneInfo
    sessions: Sequence[Session]
    first: date
    last: date
    _dates: list[date] = field(init=False, repr=False)
    _opens: list[int] = field(init=False, repr=False)
    _columns: np.ndarray = field(init=False, repr=False, compare=False)  # dates, openings and closes: int64 (3, n)

    def __post_init__(self) -> None:
        columns = [(each.date.toordinal() - _EPOCH, each.opens, each.closes) for each in self.sessions]
        object.__setattr__(self, "_columns", np.array(columns, np.int64).reshape(-1, 3).T.copy())
        object.__setattr__(self, "_dates", [session.date for session in self.sessions])
        object.__setattr__(self, "_opens", [session.opens for session in self.sessions])

    def at(self, moment: datetime) -> Session:
        """The session that runs at a moment, or the last one that ran. Raises Untold."""
        self._require(moment.astimezone(self.zone).date())
        index = bisect_right(self._opens, moment.timestamp()) - 1
        if index < 0:
            raise Untold(f"no session before {moment:%Y-%m-%d} is known")
        return self.sessions[index]

    def trading(self, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The sessions that run at moments, lunch breaks counted, and whether one does: int64 and bool (n,).

        seconds: float64 (n,), since 1970. Sessions are days since 1970.
        """
        if not self.sessions:
            return np.zeros(len(seconds), np.int64), np.zeros(len(seconds), bool)
        days, opens, closes = self._columns
        place = np.searchsorted(opens, seconds, side="right") - 1
        return days[place], (place >= 0) & (seconds < closes[place])

    def of(self, day: date) -> Session | None:
        """The session of a date; None where the exchange has none on it. Raises Untold."""
        self._require(day)
        index = bisect_left(self._dates, day)
        return self.sessions[index] if self._dates[index : index + 1] == [day] else None

    def between(self, start: date, end: date) -> Sequence[Session]:
        """Those from `start` to `end`, both counted. Raises Untold."""
        return self.sessions[self._within(start, end)]

    def columns(self, start: date, end: date) -> np.ndarray:
        """The same as columns: int64 (3, n), days since 1970, openings and closes in seconds. Raises Untold."""
        return self._columns[:, self._within(start, end)]

    def before(self, day: date) -> Session | None:
        """The last session before a date. Raises Untold."""
        self._require(day)
        index = bisect_left(self._dates, day) - 1
        return self.sessions[index] if index >= 0 else None

    def after(self, day: date) -> Session | None:
        """The first session after a date; None beyond what is known. Raises Untold."""
        self._require(day)
        index = bisect_right(self._dates, day)
        return self.sessions[index] if index < len(self.sessions) else None

    def is_open(self, moment: datetime) -> bool:
        """Whether the exchange trades. A lunch break is closed. Raises Untold."""
        session, seconds = self.at(moment), moment.timestamp()
        if session.rest and session.rest[0] <= seconds < session.rest[1]:
            return False
        return seconds < session.closes

    def next_open(self, moment: datetime) -> datetime | None:
        """The first opening after a moment, also the one after a lunch break; None of what never closes."""
        session, seconds = self.at(moment), moment.timestamp()
        if session.rest and session.rest[0] <= seconds < session.rest[1]:
            return instant(session.rest[1])
        index = bisect_right(self._opens, seconds)
        for following in self.sessions[index : index + _LOOKED_AHEAD]:
            if following.opens > session.closes:
                return instant(following.opens)
            session = following
        return None

    def opened(self, moment: datetime) -> datetime | None:
        """The last opening up to a moment, also after a lunch break; None of what never closes. Raises Untold."""
        session = self.at(moment)
        if session.rest and session.rest[1] <= moment.timestamp():
            return instant(session.rest[1])
        place = bisect_right(self._opens, session.opens) - 1
        for index in range(place, max(place - _LOOKED_AHEAD, 0), -1):
            if self.sessions[index - 1].closes < self.sessions[index].opens:
                return instant(self.sessions[index].opens)
        return None

    def next_close(self, moment: datetime) -> datetime | None:
        """The first close after a moment: today's, while the exchange is open; None of what never closes."""
        self._require(moment.astimezone(self.zone).date())
        index, seconds = max(bisect_right(self._opens, moment.timestamp()) - 1, 0), moment.timestamp()
        for place in range(index, min(index + _LOOKED_AHEAD, len(self.sessions))):
            if self.sessions[place].closes > seconds and not self._trades_through(place):
                return instant(self.sessions[place].closes)
        return None

    def _trades_through(self, place: int) -> bool:
        """Whether it trades on into the next session; of the last that is known, as it did into that."""
        before, after = (place, place + 1) if place + 1 < len(self.sessions) else (place - 1, place)
        return self.sessions[before].closes >= self.sessions[after].opens if before >= 0 else False

    def _within(self, start: date, end: date) -> slice:
        self._require(start)
        self._require(end)
        return slice(bisect_left(self._dates, start), bisect_right(self._dates, end))

    def _require(self, day: date) -> None:
        if not self.first <= day <= self.last:
            raise Untold(f"of {day.year}: its days are known from {self.first} to {self.last}")


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def days(first: date, last: date) -> list[date]:
    """Every day from one to another, both counted."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
