"""Second formulas of indicators, written from their sources without TA-Lib: slow, plain, and independent. Pure.

Each takes the columns and the parameters by their names and gives the outputs in the entry's order, float64 (n,), NaN
where it has no value. Recursive ones begin with the plain mean, so that they are compared where no beginning matters.
"""

from collections.abc import Callable, Mapping

import numpy as np

Columns = Mapping[str, np.ndarray]
Reference = Callable[..., tuple[np.ndarray, ...]]
sliding = np.lib.stride_tricks.sliding_window_view


def windowed(values: np.ndarray, bars: int, of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """A function of each window of so many bars: it gets (n - bars + 1, bars)."""
    if len(values) < bars:
        return np.full(len(values), np.nan)
    return np.concatenate([np.full(bars - 1, np.nan), of(sliding(values, bars))])


def mean(values: np.ndarray, bars: int) -> np.ndarray:
    return windowed(values, bars, lambda window: window.mean(axis=1))


def total(values: np.ndarray, bars: int) -> np.ndarray:
    return windowed(values, bars, lambda window: window.sum(axis=1))


def highest(values: np.ndarray, bars: int) -> np.ndarray:
    return windowed(values, bars, lambda window: window.max(axis=1))


def lowest(values: np.ndarray, bars: int) -> np.ndarray:
    return windowed(values, bars, lambda window: window.min(axis=1))


def weighted(values: np.ndarray, bars: int) -> np.ndarray:
    weights = np.arange(1, bars + 1)
    return windowed(values, bars, lambda window: window @ weights / weights.sum())


def smoothed(values: np.ndarray, bars: int, part: float) -> np.ndarray:
    """part of the new, the rest of the old, from the plain mean of the first values."""
    found = np.full(len(values), np.nan)
    first = int(np.isnan(values).sum()) + bars - 1
    if first < len(values):
        found[first] = values[first - bars + 1 : first + 1].mean()
        for at in range(first + 1, len(values)):
            found[at] = found[at - 1] + part * (values[at] - found[at - 1])
    return found


def exponential(values: np.ndarray, bars: int) -> np.ndarray:
    return smoothed(values, bars, 2 / (bars + 1))


def wilder(values: np.ndarray, bars: int) -> np.ndarray:
    return smoothed(values, bars, 1 / bars)


def ago(values: np.ndarray, bars: int = 1) -> np.ndarray:
    return np.concatenate([np.full(bars, np.nan), values[:-bars]])


def true_range(of: Columns) -> np.ndarray:
    before = ago(of["close"])
    return np.maximum(of["high"], before) - np.minimum(of["low"], before)


def typical(of: Columns) -> np.ndarray:
    return (of["high"] + of["low"] + of["close"]) / 3


def ups_and_downs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    moved = values - ago(values)
    return np.where(np.isnan(moved), np.nan, np.maximum(moved, 0)), np.where(
        np.isnan(moved), np.nan, np.maximum(-moved, 0)
    )


def line(values: np.ndarray, bars: int) -> tuple[np.ndarray, np.ndarray]:
    """Slope, and value at the window's first bar, of the least squares line."""
    at = np.arange(bars)
    fitted = np.polynomial.polynomial.polyfit(at, sliding(values, bars).T, 1)
    empty = np.full(bars - 1, np.nan)
    return np.concatenate([empty, fitted[1]]), np.concatenate([empty, fitted[0]])


def directed(of: Columns, period: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """+DI and -DI in percent, and the smoothed +DM and -DM as Wilder sums them."""
    up, down = of["high"] - ago(of["high"]), ago(of["low"]) - of["low"]
    plus = np.where((up > down) & (up > 0), up, 0.0)
    minus = np.where((down > up) & (down > 0), down, 0.0)
    plus[0] = minus[0] = np.nan
    reach, plus, minus = (wilder(each, period) for each in (true_range(of), plus, minus))
    return 100 * plus / reach, 100 * minus / reach, plus * period, minus * period


def dx(of: Columns, period: int) -> np.ndarray:
    plus, minus, _, _ = directed(of, period)
    return 100 * np.abs(plus - minus) / (plus + minus)
