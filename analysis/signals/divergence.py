"""Where an oscillator and a price part: a lower low of the price at a higher low of the RSI, or the reverse. Pure."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from analysis.indicators.entry import Output, Range, made
from analysis.indicators.series import (
    CLOSE,
    HIGH,
    LOW,
    Ago,
    Bar,
    Columns,
    Handle,
    Node,
    Values,
    as_tuple,
    call,
    fed,
    together,
)
from analysis.indicators.talib import InsufficientHistory

Pivot = tuple[float, float, int]  # of the oscillator, of the price, and the bar that confirmed it


@dataclass(frozen=True)
class Divergence:
    """1 at the bar that confirms the second of two pivots which part, else 0; the output for lows, then for highs.

    A pivot is the lowest, or the highest, of some bars to its left and right, and known only when these have closed.
    nearest, furthest: bars between the two.
    """

    oscillator: Node
    left: int
    right: int
    nearest: int
    furthest: int

    @cached_property
    def _parts(self) -> tuple[Node, ...]:
        pivots = call("FRACTAL", self.oscillator, self.oscillator, leftbars=self.left, rightbars=self.right)
        return pivots, *(Ago(each, self.right) for each in (self.oscillator, LOW, HIGH))

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        return together(self._parts)

    @property
    def lookback(self) -> int:
        return max(each.lookback for each in self._parts)

    def over(self, columns: Columns) -> Values:
        told = tuple(np.where(np.arange(len(columns["low"])) < self.lookback, np.nan, 0.0) for _ in range(2))
        for values, pivots, sign in zip(told, self._pivots(columns), (1, -1), strict=True):
            for before, now in pairwise(pivots):
                values[now[2]] = self._parts_from(before, now, sign)
        return told

    def open(self, columns: Columns) -> Handle:
        if len(columns["low"]) <= self.lookback:
            raise InsufficientHistory(f"{self.lookback + 1} bars are needed")
        last = [pivots[-1] if pivots else None for pivots in self._pivots(columns)]
        value = tuple(each[-1].item() for each in self.over(columns))
        return _Divergence(self, [fed(each, self.inputs, columns) for each in self._parts], last, columns, value)

    def pivot(self, told: list[Bar], at: int) -> tuple[Pivot | None, Pivot | None]:
        """The low and the high that a bar confirms. told: the values of the parts."""
        (is_high, is_low), (oscillator,), (low,), (high,) = told
        return (oscillator, low, at) if is_low > 0 else None, (oscillator, high, at) if is_high > 0 else None

    def _pivots(self, columns: Columns) -> tuple[list[Pivot], list[Pivot]]:
        """All lows and highs that are confirmed."""
        (is_high, is_low), (oscillator,), (low,), (high,) = (each.over(columns) for each in self._parts)
        lows, highs = np.flatnonzero(is_low > 0), np.flatnonzero(is_high > 0)
        return (
            list(zip(oscillator[lows].tolist(), low[lows].tolist(), lows.tolist(), strict=True)),
            list(zip(oscillator[highs].tolist(), high[highs].tolist(), highs.tolist(), strict=True)),
        )

    def _parts_from(self, before: Pivot | None, now: Pivot | None, sign: int) -> float:
        if before is None or now is None or not self.nearest <= now[2] - before[2] <= self.furthest:
            return 0.0
        return float((now[0] - before[0]) * sign > 0 and (now[1] - before[1]) * sign < 0)


class _Divergence:
    """last: the newest low and high. at: the bar's number."""

    __slots__ = ("_at", "_last", "_node", "_sources", "value")

    def __init__(self, node: Divergence, sources: list, last: list[Pivot | None], columns: Columns, value: Bar) -> None:
        self._node, self._sources, self._last, self.value = node, sources, last, value
        self._at = len(columns["low"]) - 1

    def update(self, *bar: float) -> Bar:
        pivots = self._node.pivot([as_tuple(each.update(bar)) for each in self._sources], self._at + 1)
        self.value, self._at = self._told(pivots), self._at + 1
        self._last = [now or before for now, before in zip(pivots, self._last, strict=True)]
        return self.value

    def peek(self, *bar: float) -> Bar:
        return self._told(self._node.pivot([as_tuple(each.peek(bar)) for each in self._sources], self._at + 1))

    def _told(self, pivots: tuple[Pivot | None, Pivot | None]) -> Bar:
        return tuple(map(self._node._parts_from, self._last, pivots, (1, -1)))


DIVERGENCE = made(
    "rsidivergence",
    lambda of: Divergence(call("RSI", CLOSE, timeperiod=of["period"]), of["left"], of["right"], 5, 60),
    Output("bullish", "marker"),
    Output("bearish", "marker"),
    title="RSI Divergence",
    period=Range(14, 2, 1000),
    left=Range(5, 1, 50),
    right=Range(5, 1, 50),
    source="Cardwell, in Brown, Technical Analysis for the Trading Professional, 1999; pivots of the RSI, 5 to 60 bars",
    note="Known, and told, only at the bar that confirms the second pivot.",
)
