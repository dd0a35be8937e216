"""0/0 has no value: where a formula's denominator is nothing, in batch and live alike. Pure.

TA-Lib says 0 there, or 100, or what rounding left of a sum, which reads as an extreme.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from analysis.indicators.live import Live
from analysis.indicators.series import Bar, Call, Column, Columns, Fed, Handle, Node, Values, as_tuple, fed, together
from analysis.indicators.talib import InsufficientHistory

_VALUE = Column("value")
_BITS = 1000  # of the 1074 by which a double can become smaller
_LONGEST = 5000  # bars in a row of one price


@dataclass(frozen=True)
class Zero:
    """A denominator is 0 where a motion was exactly 0 for some bars in a row.

    motion: its first output. bars: how many, None for all since the first. lasting: for how many bars more an output
    reads that bar, by its place; NaN of the motion, before its first value, counts as none. fades: where all since the
    first count, how many bars without motion leave nothing of what moved before; None where no series is so long.
    """

    motion: Node
    bars: int | None
    lasting: Mapping[int, int] = field(default_factory=dict)
    fades: int | None = None

    @property
    def limit(self) -> float:
        """Bars in a row without motion that are 0/0; where it never moved they are without number."""
        return self.bars if self.bars is not None else (self.fades or math.inf)


def fading(*kept: float) -> int | None:
    """Bars after which nothing is left of what was smoothed, of which each bar keeps such a part: a double then holds
    no more of it than noise, and soon 0. None where no series stands still for so long.
    """
    bars = [1 if each <= 0 else math.ceil(_BITS / -math.log2(each)) for each in kept]
    return max(bars) if max(bars) <= _LONGEST else None


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
        if self._is_always_defined(columns):
            return values
        _, since = counted(self.zero, columns)
        return tuple(
            np.where(since <= self.zero.lasting.get(place, 0), np.nan, each) for place, each in enumerate(values)
        )

    def _is_always_defined(self, columns: Columns) -> bool:
        """At a look, as nearly every series is: too few bars stand still, and the first ones move."""
        has_moved = np.abs(self.zero.motion.over(columns)[0]) > 0
        if len(has_moved) - np.count_nonzero(has_moved) >= self.zero.limit:
            return False
        longest = max(self.zero.lasting.values(), default=0)
        return self.zero.bars is not None or bool(has_moved[: max(0, self.lookback - longest)].any())

    def open(self, columns: Columns) -> Handle:
        still, since = (each[-1].item() if len(each) else math.inf for each in counted(self.zero, columns))
        # What moved once, and does not fade, never is without motion again.
        has_moved = self.zero.limit == math.inf and still < math.inf
        if has_moved and since > max(self.zero.lasting.values(), default=0) and self.inputs == self.of.inputs:
            return self.of.open(columns)
        own = self.of.open(columns) if self.inputs == self.of.inputs else _Part(fed(self.of, self.inputs, columns))
        return _Guarded(self.zero, own, fed(self.zero.motion, self.inputs, columns), still, since)


class _Part:
    """A handle that takes a part of the bar."""

    __slots__ = ("_fed",)

    def __init__(self, of: Fed) -> None:
        self._fed = of

    @property
    def value(self) -> float | Bar:
        return self._fed.opened.value

    def update(self, *bar: float) -> float | Bar:
        return self._fed.update(bar)

    def peek(self, *bar: float) -> float | Bar:
        return self._fed.peek(bar)


class _Guarded:
    """still: bars in a row without motion. since: bars since the last 0/0."""

    __slots__ = ("_lasting", "_limit", "_longest", "_motion", "_own", "_since", "_still")

    def __init__(self, zero: Zero, own: Handle, motion: Fed, still: float, since: float) -> None:
        self._own, self._motion, self._still, self._since = own, motion, still, since
        self._limit, self._lasting, self._longest = zero.limit, zero.lasting, max(zero.lasting.values(), default=0)

    @property
    def value(self) -> float | Bar:
        return self._without(self._own.value, self._since)

    def update(self, *bar: float) -> float | Bar:
        value, motion = self._own.update(*bar), self._motion.update(bar)
        if type(motion) is tuple:
            motion = motion[0]
        self._still = still = 0.0 if motion else self._still + 1
        self._since = since = 0.0 if still >= self._limit else self._since + 1
        return value if since > self._longest else self._without(value, since)

    def peek(self, *bar: float) -> float | Bar:
        value, motion = self._own.peek(*bar), self._motion.peek(bar)
        if type(motion) is tuple:
            motion = motion[0]
        still = 0.0 if motion else self._still + 1
        since = 0.0 if still >= self._limit else self._since + 1
        return value if since > self._longest else self._without(value, since)

    def _without(self, value: float | Bar, since: float) -> Bar:
        return tuple(
            math.nan if since <= self._lasting.get(place, 0) else each for place, each in enumerate(as_tuple(value))
        )


@dataclass(frozen=True)
class Defined:
    """A function of TA-Lib over what a node has a value for, alone: where that has none, this has none and stands.

    Of its first output; one output.
    """

    of: Node
    function: str
    period: float

    @property
    def inputs(self) -> tuple[str, ...]:
        return self.of.inputs

    @cached_property
    def lookback(self) -> int:
        return self.of.lookback + self._own.lookback

    @cached_property
    def _own(self) -> Call:
        return Call(self.function, (_VALUE,), (("timeperiod", self.period),))

    def over(self, columns: Columns) -> Values:
        values = self.of.over(columns)[0]
        is_defined = np.isfinite(values)
        found = np.full(len(values), np.nan)
        found[is_defined] = self._own.over({_VALUE.name: values[is_defined]})[0]
        return (found,)

    def open(self, columns: Columns) -> Handle:
        values = self.of.over(columns)[0]
        if len(values) <= self.of.lookback:
            raise InsufficientHistory(f"{self.of.lookback + 1} bars are needed")
        live = Live(self._own, {_VALUE.name: values[np.isfinite(values)]})
        found = live.value if np.isfinite(values[-1]) else None
        return _Defined(fed(self.of, self.inputs, columns), live, math.nan if found is None else found[0])


class _Defined:
    __slots__ = ("_live", "_source", "value")

    def __init__(self, source: Fed, live: Live, value: float) -> None:
        self._source, self._live, self.value = source, live, value

    def update(self, *bar: float) -> float:
        self.value = self._of(self._live.update, as_tuple(self._source.update(bar))[0])
        return self.value

    def peek(self, *bar: float) -> float:
        return self._of(self._live.peek, as_tuple(self._source.peek(bar))[0])

    @staticmethod
    def _of(step: Callable[[float], Bar | None], value: float) -> float:
        found = step(value) if math.isfinite(value) else None
        return math.nan if found is None else found[0]


def counted(zero: Zero, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Bars in a row without motion, and bars since the last 0/0, at each bar: float64 (n,)."""
    motion = zero.motion.over(columns)[0]
    at = np.arange(len(motion))
    has_moved = ~(np.isnan(motion) | (motion == 0))
    still = (at - np.maximum.accumulate(np.where(has_moved, at, -1))).astype(float)
    if zero.bars is None:
        still = np.where(np.logical_or.accumulate(has_moved), still, np.inf)
    is_nothing = still >= zero.limit
    since = at - np.maximum.accumulate(np.where(is_nothing, at, -np.inf))
    return still, since
