"""Indicators over a whole series at once. Pure; the live twins are in `live`, and equal to the bit."""

import numpy as np

from analysis.indicators import talib
from analysis.indicators.talib import InsufficientHistory

__all__ = ["InsufficientHistory", "rsi", "sma"]


def sma(close: np.ndarray, period: int = 20) -> np.ndarray:
    """Simple moving average, in the price's own unit.

    close: float64 (n,), oldest first. Returns float64 (n,), NaN for the first `period - 1` bars.
    Convention: TA-Lib (a running total). Source: the plain arithmetic mean of the last `period` closes.
    Raises InsufficientHistory below `period` bars, ValueError where a price is not finite.
    """
    return talib.SMA(_series(close, at_least=period), period)


def rsi(close: np.ndarray, period: int = 14) -> np.ndarray:
    """Wilder's relative strength index, 0..100.

    close: float64 (n,), oldest first. Returns float64 (n,), NaN for the first `period` bars.
    Convention: TA-Lib (first average is the plain mean, 0 where nothing moved). Source: Wilder, New Concepts, 1978.
    Raises InsufficientHistory below `period + 1` bars, ValueError where a price is not finite.
    """
    return talib.RSI(_series(close, at_least=period + 1), period)


def _series(values: np.ndarray, *, at_least: int) -> np.ndarray:
    series = np.ascontiguousarray(values, dtype=np.float64)
    # TA-Lib does not define what it does with a hole in the middle, and batch and live then differ.
    if not np.isfinite(series).all():
        raise ValueError("a price of the series is not finite")
    if len(series) < at_least:
        raise InsufficientHistory(f"{len(series)} bars of history, at least {at_least} needed")
    return series
