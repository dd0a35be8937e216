"""The highest high and the lowest low so far, of 52 weeks and of all that is held, at every bar and live. Pure.

Of 52 weeks there is one only once as many are held; market.records tells of what is held, and since when.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from analysis.indicators.series import Columns, Handle, Values

YEAR_DAYS = 7.0 * 52


@dataclass(frozen=True)
class Extreme:
    """A node as indicators have them: of the sessions within some days of a bar's, the bar counted; days 0: of all."""

    column: str
    sign: int  # 1: the highest, -1: the lowest
    days: float
    lookback = 0

    @property
    def inputs(self) -> tuple[str, ...]:
        return "session_date", self.column

    def over(self, columns: Columns) -> Values:
        values = columns[self.column] * self.sign
        if not self.days or not len(values):
            return (np.maximum.accumulate(values) * self.sign,)
        dates = columns["session_date"]
        starts = np.searchsorted(dates, dates - self.days, side="right")
        return (np.where(starts > 0, _greatest(values, starts) * self.sign, np.nan),)

    def open(self, columns: Columns) -> Handle:
        return _Extreme(self, columns)


class _Extreme:
    """kept: what may still become the greatest, which falls from the first to the last; with its session."""

    __slots__ = ("_first", "_kept", "_node", "value")

    def __init__(self, node: Extreme, columns: Columns) -> None:
        self._node, self._kept = node, deque()
        dates, values = columns["session_date"].tolist(), columns[node.column].tolist()
        self._first = dates[0]
        for date, value in zip(dates, values, strict=True):
            self.update(date, value)

    def update(self, date: float, value: float) -> float:
        self.value, signed = self.peek(date, value), value * self._node.sign
        while self._kept and self._kept[-1][1] <= signed:
            self._kept.pop()
        self._kept.append((date, signed))
        while self._node.days and self._kept[0][0] <= date - self._node.days:
            self._kept.popleft()
        return self.value

    def peek(self, date: float, value: float) -> float:
        days, signed = self._node.days, value * self._node.sign
        if days and self._first > date - days:
            return np.nan
        before = next((each for at, each in self._kept if not days or at > date - days), signed)
        return max(before, signed) * self._node.sign


def _greatest(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The greatest from each start to its own place: of two spans, each a power of two long, that cover it."""
    at = np.arange(len(values))
    powers = np.frexp((at - starts + 1).astype(np.float64))[1] - 1
    spans = [values]
    for power in range(powers.max(initial=0)):
        shorter, half = spans[-1], 1 << power
        spans.append(np.maximum(shorter, np.concatenate([shorter[half:], shorter[len(shorter) - half :]])))
    table = np.stack(spans)
    return np.maximum(table[powers, starts], table[powers, at - (1 << powers) + 1])
