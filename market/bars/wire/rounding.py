"""To how many digits a price is told: seven significant ones, and at least its symbol's decimals. Pure.

A price is rounded half to even at its last digit, by one multiplication and one division: so of one and of many the
same float64 comes, and the shortest text of it has no more digits.
"""

from bisect import bisect_right

import numpy as np

SIGNIFICANT = 7
_SMALLEST, _EXACT = -15, 2**53  # beyond that float64 no longer holds each whole number
_MOST = SIGNIFICANT - _SMALLEST  # places behind the point; the last power of ten that float64 holds
_POWERS = [float(f"1e{power}") for power in range(_SMALLEST, 16)]
_SCALES = [float(f"1e{places}") for places in range(_MOST + 1)]
_POWERS_OF_MANY, _SCALES_OF_MANY = np.array(_POWERS), np.array(_SCALES)


def told(price: float, decimals: int) -> float:
    """A price as it is told."""
    # As many powers as it reaches are places fewer behind its point.
    scale = _SCALES[max(min(decimals, _MOST), _MOST - bisect_right(_POWERS, abs(price)))]
    scaled = price * scale
    return round(scaled) / scale if abs(scaled) < _EXACT else price


def many_told(prices: np.ndarray, decimals: int) -> np.ndarray:
    """The same of an array of any shape."""
    above = np.searchsorted(_POWERS_OF_MANY, np.abs(prices), side="right")
    scale = _SCALES_OF_MANY[np.maximum(min(decimals, _MOST), _MOST - above)]
    scaled = prices * scale
    return np.where(np.abs(scaled) < _EXACT, np.rint(scaled) / scale, prices)
