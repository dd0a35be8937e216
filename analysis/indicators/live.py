"""Indicators that move in O(1) with each bar. Pure; equal to the bit to `batch` over the same bars."""

import math
from collections.abc import Callable

import numpy as np

from analysis.indicators.talib import InsufficientHistory, stream

# A handle of TA-Lib: `value`, `update(*bar)`, `peek(*bar)`.
Opening = Callable[..., stream.Stream]


def sma(close: np.ndarray, period: int = 20) -> stream.Stream:
    return stream.SMA(close, period)


def rsi(close: np.ndarray, period: int = 14) -> stream.Stream:
    return stream.RSI(close, period)


class Live:
    """One indicator of one series, open on its history and carried forward bar by bar.

    opening: a function above; history: one float64 (n,) for each input, oldest first, finite; parameters as `opening`
    has them. A value is a tuple with one float for each output, or None while the history is too short.
    """

    def __init__(self, opening: Opening, *history: np.ndarray, **parameters: int) -> None:
        self._opening, self._parameters, self._inputs = opening, parameters, len(history)
        self._short: list[np.ndarray] = []
        self._too_short = -1  # the most bars of which it is known that they are too few
        self._handle = self._open([np.ascontiguousarray(column, dtype=np.float64) for column in history])

    @property
    def value(self) -> tuple[float, ...] | None:
        return None if self._handle is None else _values(self._handle.value)

    def update(self, *bar: float) -> tuple[float, ...] | None:
        """The value with a bar that has closed, which from now on is history. Raises ValueError if it is not finite."""
        _require_finite_bar(bar)
        if self._handle is not None:
            return _values(self._handle.update(*bar))
        self._handle = self._open(self._with(bar))
        return self.value

    def break_off(self) -> None:
        """Begin anew: of a bar that has closed something is not known, and nobody can compute across that."""
        self._handle, self._short = None, [np.empty(0)] * self._inputs

    def peek(self, *bar: float) -> tuple[float, ...] | None:
        """What `update` would return; changes nothing, so call it as often as the forming bar moves."""
        _require_finite_bar(bar)
        if self._handle is not None:
            return _values(self._handle.peek(*bar))
        if len(self._short[0]) < self._too_short:
            return None
        handle = self._opened(self._with(bar))
        return None if handle is None else _values(handle.value)

    def _open(self, history: list[np.ndarray]) -> stream.Stream | None:
        """Keep the history only for as long as it is too short."""
        handle = self._opened(history)
        self._short = history if handle is None else []
        return handle

    def _opened(self, history: list[np.ndarray]) -> stream.Stream | None:
        for column in history:
            _require_finite(column)
        try:
            return self._opening(*history, **self._parameters)
        except InsufficientHistory:
            self._too_short = max(self._too_short, len(history[0]))
            return None

    def _with(self, bar: tuple[float, ...]) -> list[np.ndarray]:
        return [np.append(column, value) for column, value in zip(self._short, bar, strict=True)]


def _values(value: float | tuple[float, ...]) -> tuple[float, ...]:
    return value if isinstance(value, tuple) else (value,)


def _require_finite(prices: np.ndarray) -> None:
    # TA-Lib does not define what it does with a hole in the middle, and batch and live then differ.
    if not np.isfinite(prices).all():
        raise ValueError("a price is not finite")


def _require_finite_bar(prices: tuple[float, ...]) -> None:
    if not all(map(math.isfinite, prices)):
        raise ValueError("a price is not finite")
