"""What is held of a symbol, cut by the clock: of what came later a session knows nothing. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from math import prod

import numpy as np

from market import prices
from market.actions import adjustments
from market.actions.adjustments import Action, Columns
from market.calendars.table import Table
from market.player.finer import Day, Finer
from market.records import YEAR


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A symbol's sessions as traded, by their numbers, oldest first.

    columns: session_date, datetime64[D] (n,); open, high, low, close, volume, float64 (n,), a volume NaN where it is
    not known. actions: those that change what a share is, by ex date. decimals: with which its prices are kept.
    version: of its bars, as coverage tells it. finer: what is held of within sessions, the finest first; versions: of
    their bars, by interval, and hours: when its exchange is open, of which there is neither where nothing is held of
    within. missing: the sessions of its exchange, datetime64[D], that are not held. No calendar tells the last two of a
    recording.
    """

    ticker: str
    columns: Columns
    actions: Sequence[Action]
    decimals: int
    source: str
    version: str
    finer: Sequence[Finer] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    hours: Table | None = None
    missing: np.ndarray = field(default_factory=lambda: np.empty(0, "datetime64[D]"))

    def __len__(self) -> int:
        return len(self.columns["session_date"])

    @property
    def bytes(self) -> int:
        return sum(column.nbytes for column in self.columns.values()) + sum(each.bytes for each in self.finer)

    @property
    def has_within(self) -> bool:
        """Whether bars within sessions can be made of what is held."""
        return bool(self.finer) and self.hours is not None

    def number(self, session: date) -> int | None:
        """That of a session; None where it has none."""
        found = self.first(session)
        return found if found < len(self) and self.session(found) == session else None

    def first(self, since: date) -> int:
        """The number of the first session from a date on; how many there are where none is."""
        return int(np.searchsorted(self.columns["session_date"], np.datetime64(since)))

    def session(self, number: int) -> date:
        return self.columns["session_date"][number].item()

    def before(self, number: int) -> Columns:
        """The sessions before one, in its shares."""
        return self._restated(0, number)

    def whole(self) -> Columns:
        """All of them, in the shares of the last."""
        known = self._until(self.session(len(self) - 1))
        return adjustments.over(adjustments.factors(known, "split"), self.columns) if known else self.columns

    def sets_record(self, number: int) -> bool:
        """Whether a session is higher or lower than all of the 52 weeks before it, as far as they are held."""
        if not number:
            return False
        dates = self.columns["session_date"]
        first = int(np.searchsorted(dates, dates[number - 1] - YEAR, side="right"))
        high, low = (self._restated(first, number)[name] for name in ("high", "low"))
        return bool(self.columns["high"][number] > high.max() or self.columns["low"][number] < low.min())

    def begins_anew(self, number: int) -> bool:
        """Whether what came before a session is of other shares than its own."""
        return bool(self._between(number))

    def previous_close(self, number: int) -> float | None:
        """The close of the session before, in the shares of this one; None where that is not held."""
        if not number or self._follows_a_hole(number):
            return None
        close = self.columns["close"][number - 1].item()
        changed = self._between(number)
        if not changed:
            return close
        return prices.kept(close * float(1 / prod(map(adjustments.ratio, changed), start=Fraction(1))), self.decimals)

    def day(self, number: int) -> Day:
        """Open, high, low, close and volume of a session."""
        *told, volume = (self.columns[name][number].item() for name in ("open", "high", "low", "close", "volume"))
        return *told, None if math.isnan(volume) else round(volume)

    def _restated(self, first: int, number: int) -> Columns:
        """The sessions from one to before another, in the shares of that."""
        cut = {name: column[first:number] for name, column in self.columns.items()}
        known = self._until(self.session(number))
        return adjustments.over(adjustments.factors(known, "split"), cut) if known else cut

    def _follows_a_hole(self, number: int) -> bool:
        if not len(self.missing):
            return False
        first, last = np.searchsorted(self.missing, self.columns["session_date"][number - 1 : number + 1])
        return bool(first < last)

    def _until(self, session: date) -> list[Action]:
        return [action for action in self.actions if action.ex_date <= session]

    def _between(self, number: int) -> list[Action]:
        """Those that take effect with a session."""
        if not self.actions or not number:
            return []
        last, session = self.session(number - 1), self.session(number)
        return [action for action in self.actions if last < action.ex_date <= session]
