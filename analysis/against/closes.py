"""The closes of another symbol beside the bars of one: at each of them that which was over by then. Pure.

The other's exchange may close later, and a date alone would look ahead: Seoul's Tuesday is over before New York's has
begun. A bar that forms counts as what it will be: over when its exchange closes.
"""

import numpy as np


def beside(ends: np.ndarray, other_ends: np.ndarray, closes: np.ndarray, stale_after: int) -> np.ndarray:
    """float64 (n,): of each bar the other's last close, NaN where there is none, or none for longer than `stale_after`.

    ends, other_ends: when the bars are over, seconds since 1970, oldest first. closes: the other's.
    """
    if not len(other_ends):
        return np.full(len(ends), np.nan)
    at = np.searchsorted(other_ends, ends, side="right") - 1
    last = np.maximum(at, 0)
    is_known = (at >= 0) & (ends - other_ends[last] <= stale_after)
    return np.where(is_known, closes[last], np.nan)
