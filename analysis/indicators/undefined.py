"""0/0 has no value: where a formula's denominator is nothing, in batch and live alike. Pure.

TA-Lib says 0 there, or 100, or what rounding left of a sum, which reads as an extreme.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from analysis.indicators.series import Bar, Columns, Handle, Node, Values, fed, together


@dataclass(frozen=True)
class Zero:
    """A denominator is 0 where a motion was exactly 0 for some bars in a row.

    motion: its first output. bars: how many, None for all since the first. lasting: for how many bars more an output
    reads that bar, by its place; NaN of the motion, before its first value, counts as none.
    """

    motion: Node
    bars: int | None
    lasting: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Guarded:
    """A node without the values that are 0/0."""

    of: Node
    zero: Zero

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        return together((self.of, self.zero.motion))

    @property
    def lookback(self) -> int:
        return self.of.lookback

    def over(self, columns: Columns) -> Values:
        values = self.of.over(columns)
        _, since = _counted(self.zero, columns)
        return tuple(
            np.where(since <= self.zero.lasting.get(place, 0), np.nan, each) for place, each in enumerate(values)
        )

    def open(self, columns: Columns) -> Handle:
        still, since = (each[-1].item() if len(each) else 0.0 for each in _counted(self.zero, columns))
        # What moved since the first bar never is without motion again.
        if still == -math.inf and since > max(self.zero.lasting.values(), default=0) and self.inputs == self.of.inputs:
            return self.of.open(columns)
        own = fed(self.of, self.inputs, columns)
        return _Guarded(self.zero, own, fed(self.zero.motion, self.inputs, columns), still, since)


class _Guarded:
    """still: bars in a row without motion, -inf once there was one where all must be without. since: the last 0/0."""

    __slots__ = ("_motion", "_own", "_since", "_still", "_zero")

    def __init__(self, zero: Zero, own: Handle, motion: Handle, still: float, since: float) -> None:
        self._zero, self._own, self._motion, self._still, self._since = zero, own, motion, still, since

    @property
    def value(self) -> Bar:
        return self._without(self._own.value, self._since)

    def update(self, *bar: float) -> Bar:
        value = self._own.update(bar)
        self._still, self._since = self._moved(self._motion.update(bar)[0])
        return self._without(value, self._since)

    def peek(self, *bar: float) -> Bar:
        return self._without(self._own.peek(bar), self._moved(self._motion.peek(bar)[0])[1])

    def _moved(self, motion: float) -> tuple[float, float]:
        bars = self._zero.bars
        still = self._still + 1 if motion == 0 else (-math.inf if bars is None else 0.0)
        return still, 0.0 if still >= (bars or 0) else self._since + 1

    def _without(self, value: Bar, since: float) -> Bar:
        lasting = self._zero.lasting
        if since > 0 and not lasting:
            return value
        return tuple(math.nan if since <= lasting.get(place, 0) else each for place, each in enumerate(value))


def _counted(zero: Zero, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Bars in a row without motion, and bars since the last 0/0, at each bar: float64 (n,)."""
    motion = zero.motion.over(columns)[0]
    at = np.arange(len(motion))
    has_moved = ~(np.isnan(motion) | (motion == 0))
    if zero.bars is None:
        still = np.where(np.logical_or.accumulate(has_moved), -np.inf, at + 1.0)
    else:
        still = (at - np.maximum.accumulate(np.where(has_moved, at, -1))).astype(float)
    is_nothing = still >= (zero.bars or 0)
    since = at - np.maximum.accumulate(np.where(is_nothing, at, -np.inf))
    return still, since
