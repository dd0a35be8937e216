"""What a bar is by its parts. Pure.

It opens as the first of them and closes as the last, and its range is theirs. Its volume is their sum, and not known
where that of one is not, nor where it is too large to be one. It came when the last of them did. It is no further than
the least settled of them; whether it is whole, `states` says.
"""

from dataclasses import dataclass

import numpy as np

from market import prices
from market.bars.batch import UNKNOWN, Batch
from market.bars.resampling import openings
from market.bars.resampling.hours import UNKNOWN_HOURS, Hours
from market.intervals import Interval


@dataclass(frozen=True, slots=True)
class Made:
    """Bars, and of each where its parts begin and end among those that they were made of, and the last's session."""

    bars: Batch
    begins: np.ndarray
    ends: np.ndarray
    last_session: np.ndarray


def made(parts: Batch, interval: Interval, hours: Hours = UNKNOWN_HOURS) -> Made:
    """The bars of an interval that these make; a bar whose first parts are left out is made of the others.

    parts: in the order of symbol and opening, all of symbols of one exchange, whose sessions are `hours`; whole
    sessions need none.
    """
    opened = openings.openings(parts, interval, hours)
    begins = np.flatnonzero(openings.changes(parts.symbol) | openings.changes(opened))
    ends = np.append(begins, len(parts))[1:]
    last = ends - 1
    found = Batch(
        interval.name,
        parts.source,
        parts.tickers,
        symbol=parts.symbol[begins],
        opened=opened[begins],
        session=interval.dates(parts.session[begins]) if interval.dates else parts.session[begins],
        open=parts.open[begins],
        high=_over(np.maximum, parts.high, begins),
        low=_over(np.minimum, parts.low, begins),
        close=parts.close[last],
        volume=_volume(parts.volume, begins),
        state=_over(np.minimum, parts.state, begins),
        received=_over(np.maximum, parts.received, begins),
    )
    return Made(found, begins, ends, parts.session[last])


def _volume(volume: np.ndarray, begins: np.ndarray) -> np.ndarray:
    total = _over(np.add, volume, begins)
    if not len(total):
        return total
    is_unknown = np.minimum.reduceat(volume, begins) == UNKNOWN
    if volume.max() > prices.LARGEST_VOLUME // len(volume):  # else no sum can be too large
        high, low = (_over(np.add, part, begins) for part in (volume >> 32, volume & 0xFFFFFFFF))
        is_unknown |= high + (low >> 32) > prices.LARGEST_VOLUME >> 32
    return np.where(is_unknown, UNKNOWN, total)


def _over(function: np.ufunc, column: np.ndarray, begins: np.ndarray) -> np.ndarray:
    return function.reduceat(column, begins) if len(begins) else column[:0]
