"""The sessions of an exchange as arrays, of which many are looked up at once. Pure."""

from dataclasses import dataclass

import numpy as np

from market.calendars.table import Table

_NEVER = np.iinfo(np.int64).max
_EPOCH_ORDINAL = np.datetime64("1970-01-01").item().toordinal()


@dataclass(frozen=True, slots=True)
class Hours:
    """Sessions by date, of the days from `first` to `last`, which are days since 1970, as `dates` are: int64 (n,).

    spans: int64 (n, 4), seconds since 1970: the opening, from when to when the lunch break is, and the close; without
    a break that begins at the close and never ends.
    """

    dates: np.ndarray
    spans: np.ndarray
    first: int
    last: int

    def of(self, days: np.ndarray, opened: np.ndarray) -> np.ndarray:
        """The spans of the sessions of some days; of one that there is not, such as begin when it `opened`."""
        if not len(self.dates):
            return _endless(opened)
        places = np.minimum(np.searchsorted(self.dates, days), len(self.dates) - 1)
        is_known = self.dates[places] == days
        return np.where(is_known[:, None], self.spans[places], _endless(opened))

    def knows(self, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Whether all days from one to another, both counted, are known."""
        return (first >= self.first) & (last <= self.last)

    def count(self, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """How many sessions there are from one day to another, both counted."""
        return np.searchsorted(self.dates, last, side="right") - np.searchsorted(self.dates, first)

    def has(self, days: np.ndarray) -> np.ndarray:
        """Whether there is a session on each of some days."""
        return self.count(days, days) > 0


UNKNOWN_HOURS = Hours(np.empty(0, np.int64), np.empty((0, 4), np.int64), 0, -1)


def of(table: Table) -> Hours:
    """Those of a table."""
    dates = np.array([session.date for session in table.sessions], "datetime64[D]").astype(np.int64)
    spans = [(session.opens, *(session.rest or (session.closes, _NEVER)), session.closes) for session in table.sessions]
    first, last = (day.toordinal() - _EPOCH_ORDINAL for day in (table.first, table.last))
    return Hours(dates, np.array(spans, np.int64).reshape(-1, 4), first, last)


def _endless(opened: np.ndarray) -> np.ndarray:
    never = np.full(len(opened), _NEVER)
    return np.stack([opened, never, never, never], axis=1)
