"""The state of some indicators across symbols: a row for each, an array for each number that is remembered. Pure.

Many symbols move by one operation for all; few by the same operations on numbers, one symbol after the other.
"""

from collections.abc import Mapping, Sequence
from math import nan

import numpy as np

from analysis.indicators.across import twins
from analysis.indicators.across.recursions import Seed
from analysis.indicators.across.slots import HIGHEST, LEAVING, Arrays, Floats, Slot
from analysis.indicators.entry import Indicator
from analysis.indicators.series import Columns

MANY = 12  # symbols from which on arrays are cheaper than numbers
_ROWS = 8  # at first
Bar = Mapping[str, float | None]
Values = list[list[float]]  # of each symbol every output


class Table:
    """indicators: those that have a twin, by their keys.

    A symbol takes a row and gives it back; in it stand the indicators that are opened there. What does not stand, or
    reads what a bar does not say, is NaN.
    """

    def __init__(self, indicators: Mapping[str, Indicator]) -> None:
        self._twins = {key: twins.of(each.node) for key, each in indicators.items()}
        self.inputs = tuple(dict.fromkeys(name for each in indicators.values() for name in each.inputs))
        self.places = _places({key: len(each.outputs) for key, each in indicators.items()})
        self._slots = _places({key: len(each.slots) for key, each in self._twins.items()})
        slots = [slot for twin in self._twins.values() for slot in twin.slots]
        self._windows = [_Window(at, slot, _ROWS) for at, slot in enumerate(slots) if slot.of]
        self._state = np.full((len(slots), _ROWS), nan)
        self._values = np.full((sum(len(each.outputs) for each in indicators.values()), _ROWS), nan)
        self._moved = np.zeros(_ROWS, np.int64)  # bars since the row was opened
        self._free = list(range(_ROWS))[::-1]

    def seed(self, key: str, columns: Columns) -> Seed:
        """What an indicator remembers behind all but the last of its bars: each is known, and they are more than its
        lookback by two.
        """
        return self._twins[key].seed({name: column[:-1] for name, column in columns.items()})

    def open(self, seeds: Mapping[str, Seed], last: Bar) -> int:
        """A row, in which these indicators stand. last: the bar behind which they do, of what they read."""
        if not self._free:
            self._grow()
        row, state = self._free.pop(), [nan] * len(self._state)
        for key, seed in seeds.items():
            state[self._slots[key]] = seed
        for window in self._windows:
            state[window.at] = window.open(row, state[window.at])
        self._state[:, row], self._moved[row] = state, 0
        self.update([row], [dict.fromkeys(self.inputs) | last])
        return row

    def give_back(self, row: int) -> None:
        self._free.append(row)

    def close(self, row: int, key: str) -> None:
        """It stands there no more."""
        self._state[self._slots[key], row] = self._values[self.places[key], row] = nan

    def last(self, row: int) -> list[float]:
        """After the bars that have closed."""
        return self._values[:, row].tolist()

    def peek(self, rows: Sequence[int], bars: Sequence[Bar]) -> Values:
        """What `update` would say; moves nothing, so call it as often as forming bars move."""
        if len(rows) < MANY:
            return [self._stepped(row, bar)[0] for row, bar in zip(rows, bars, strict=True)]
        with np.errstate(all="ignore"):
            return np.array(self._stepped_together(np.array(rows), bars)[0]).T.tolist()

    def update(self, rows: Sequence[int], bars: Sequence[Bar]) -> Values:
        """The values with a bar of each symbol that has closed, which from now on is history."""
        if len(rows) < MANY:
            stepped = [
                self._stepped(row, bar) for row, bar in zip(rows, bars, strict=True)
            ]  # one that breaks moves none
            return [self._updated(row, *each) for row, each in zip(rows, stepped, strict=True)]
        with np.errstate(all="ignore"):
            return self._updated_together(np.array(rows), bars).T.tolist()

    def _stepped(self, row: int, bar: Bar) -> tuple[list[float], list[float]]:
        """Values, and what is kept, of one."""
        known = {name: nan if value is None else value for name, value in bar.items()} if None in bar.values() else bar
        values: list[float] = []
        kept: list[float] = []
        take, keep = iter(self._state[:, row].tolist()).__next__, kept.append
        for twin in self._twins.values():
            values += twin.step(Floats, take, keep, known)
        return values, kept

    def _stepped_together(self, rows: np.ndarray, bars: Sequence[Bar]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        known = {name: np.array([bar[name] for bar in bars], np.float64) for name in self.inputs}
        values: list[np.ndarray] = []
        kept: list[np.ndarray] = []
        take, keep = iter(self._state[:, rows]).__next__, kept.append
        for twin in self._twins.values():
            values += twin.step(Arrays, take, keep, known)
        return values, kept

    def _updated(self, row: int, values: list[float], kept: list[float]) -> list[float]:
        moved = self._moved.item(row)
        for window in self._windows:
            kept[window.at] = window.entered(row, moved, kept[window.at])
        self._state[:, row], self._values[:, row], self._moved[row] = kept, values, moved + 1
        return values

    def _updated_together(self, rows: np.ndarray, bars: Sequence[Bar]) -> np.ndarray:
        values, kept = self._stepped_together(rows, bars)
        moved = self._moved[rows]
        for window in self._windows:
            kept[window.at] = window.entered_together(rows, moved, kept[window.at])
        self._state[:, rows] = np.reshape(kept, (len(self._state), len(rows)))  # nothing where nothing is remembered
        self._values[:, rows] = found = np.array(values)
        self._moved[rows] = moved + 1
        return found

    def _grow(self) -> None:
        rows = len(self._moved)
        self._free = list(range(rows, 2 * rows))[::-1]
        self._state, self._values = np.tile(self._state, 2), np.tile(self._values, 2)
        self._moved = np.tile(self._moved, 2)
        for window in self._windows:
            window.grow()


class _Window:
    """The bars before of one slot, which is at a place of the state: (rows, size), a ring in each row."""

    def __init__(self, at: int, slot: Slot, rows: int) -> None:
        self.at, self._of, self._size = at, slot.of, slot.size
        self._past = np.full((rows, slot.size), nan)

    def open(self, row: int, past: np.ndarray | float) -> float:
        """Oldest first; NaN of what does not stand. What the slot then holds."""
        self._past[row] = past
        return self._held(row, 0)

    def entered(self, row: int, moved: int, value: float) -> float:
        """What the slot holds once this bar is one of those before."""
        self._past[row, moved % self._size] = value
        return self._held(row, (moved + 1) % self._size)

    def _held(self, row: int, oldest: int) -> float:
        if self._of == LEAVING:
            return self._past.item(row, oldest)
        past = self._past[row]
        return (past.max() if self._of == HIGHEST else past.min()).item()

    def entered_together(self, rows: np.ndarray, moved: np.ndarray, values: np.ndarray) -> np.ndarray:
        self._past[rows, moved % self._size] = values
        if self._of == LEAVING:
            return self._past[rows, (moved + 1) % self._size]
        return self._past[rows].max(axis=1) if self._of == HIGHEST else self._past[rows].min(axis=1)

    def grow(self) -> None:
        self._past = np.concatenate([self._past, self._past])


def _places(lengths: Mapping[str, int]) -> dict[str, slice]:
    """By key where its part stands among all."""
    found: dict[str, slice] = {}
    first = 0
    for key, length in lengths.items():
        found[key] = slice(first, first + length)
        first += length
    return found
