"""Which bars are hardly true, and why. Pure.

A bar is measured by the median of its five neighbours, three before it and two after, and two before and three after,
as far as there are so many: one bar that is out of place is apart from both, the ends of a level that changes for good
are not. Known splits are counted in; fewer neighbours judge nobody. What is already held as it is told is no news, and
suspected by nobody. Volumes are compared of whole sessions alone: the minutes of an auction have a thousand times those
before them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from market import intervals
from market.bars.batch import PRICES, UNKNOWN, Batch

PRICE_TIMES, VOLUME_TIMES = 10.0, 100.0
NEIGHBOURS, BEFORE = 5, (3, 2)
Factors = Callable[[int, int], tuple[float, float]]  # of a symbol's key and a session: of its prices and its volume


@dataclass(frozen=True, slots=True)
class Series:
    """What stands beside each other, by symbol and opening: what is held, and in its place what is told.

    key: the symbol's. row: the place in the batch, -1 of what is held.
    """

    key: np.ndarray
    session: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    row: np.ndarray


def doubts(batch: Batch, series: Series, factors: Factors) -> dict[int, str]:
    """Why rows of a batch are hardly true, by their places; asks for factors of those alone that are out of place."""
    starts = np.concatenate([[0], np.flatnonzero(np.diff(series.key)) + 1, [len(series.key)]])
    lengths = np.repeat(np.diff(starts), np.diff(starts))
    first = np.repeat(starts[:-1], np.diff(starts))
    told = np.flatnonzero((series.row >= 0) & (lengths > NEIGHBOURS))
    if not len(told):
        return {}
    rows, found = series.row[told], {}
    windows = [_beside(told, told - before, first[told], lengths[told]) for before in BEFORE]
    suspects = np.logical_and.reduce([_is_apart(batch, rows, series, window) for window in windows])
    for place in np.flatnonzero(suspects).tolist():
        row, key = int(rows[place]), int(series.key[told[place]])
        whys = [_why(batch, row, series, window[place], key, factors) for window in windows]
        if None not in whys:
            found[row] = whys[0]
    return found


def _beside(told: np.ndarray, start: np.ndarray, first: np.ndarray, length: np.ndarray) -> np.ndarray:
    """The places of five others from a start on, within their symbol's: int64 (n, 5)."""
    start = np.clip(start, first, first + length - NEIGHBOURS - 1)
    window = start[:, None] + np.arange(NEIGHBOURS + 1)
    return window[window != told[:, None]].reshape(-1, NEIGHBOURS)


def _is_apart(batch: Batch, rows: np.ndarray, series: Series, window: np.ndarray) -> np.ndarray:
    by_price = _price_apart(batch, rows, series.close[window])
    return by_price | _volume_apart(batch, rows, series.volume[window]) if _has_days(batch) else by_price


def _has_days(batch: Batch) -> bool:
    return intervals.named(batch.interval).is_whole


def _price_apart(batch: Batch, rows: np.ndarray, closes: np.ndarray) -> np.ndarray:
    median = np.median(closes, axis=1)
    values = np.stack([getattr(batch, name)[rows] for name in PRICES])
    # What costs less than nothing, as futures may, is no multiple of anything.
    apart = (values > PRICE_TIMES * median) | ((values > 0) & (values < median / PRICE_TIMES))
    return apart.any(axis=0) & (median > 0)


def _volume_apart(batch: Batch, rows: np.ndarray, volumes: np.ndarray) -> np.ndarray:
    median = np.median(volumes, axis=1)
    return (median > 0) & (batch.volume[rows] > VOLUME_TIMES * median) & (volumes != UNKNOWN).all(axis=1)


def _why(batch: Batch, row: int, series: Series, beside: np.ndarray, key: int, factors: Factors) -> str | None:
    """In today's shares."""
    price, shares = factors(key, int(batch.session[row]))
    theirs = [factors(key, int(series.session[each])) for each in beside]
    close = float(np.median([series.close[each] * by for each, (by, _) in zip(beside, theirs, strict=True)]))
    values = [float(getattr(batch, name)[row]) * price for name in PRICES]
    if close > 0 and (max(values) > PRICE_TIMES * close or any(0 < each < close / PRICE_TIMES for each in values)):
        return f"prices of {min(values):g} to {max(values):g} beside closes of about {close:g}"
    volume = float(np.median([series.volume[each] * by for each, (_, by) in zip(beside, theirs, strict=True)]))
    if _has_days(batch) and volume > 0 and batch.volume[row] * shares > VOLUME_TIMES * volume:
        return f"a volume of {batch.volume[row] * shares:.0f} beside volumes of about {volume:.0f}"
    return None
