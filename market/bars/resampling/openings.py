"""Which bar each of its parts belongs to. Pure.

Whole sessions go by their dates, which no calendar moves. Within a session bars are counted from its opening, and anew
from the end of its lunch break. What a source stamps with the close or puts into the break belongs to the last bar
before it; before the opening the bars are counted backwards. Of a session that the calendar does not know they are
counted from its first part.
"""

import numpy as np

from market.bars.batch import Batch
from market.bars.resampling.hours import Hours
from market.intervals import Interval

_DAY_SECONDS = 86_400


def openings(parts: Batch, interval: Interval, hours: Hours) -> np.ndarray:
    """The opening of the bar of each part, in seconds since 1970.

    parts: in the order of symbol and opening, all of symbols of one exchange. Returns int64 (n,).
    """
    if interval.dates:
        return interval.dates(parts.session) * _DAY_SECONDS
    if not len(parts):
        return parts.opened
    begins = np.flatnonzero(changes(parts.symbol) | changes(parts.session))
    spans = hours.of(parts.session[begins], parts.opened[begins])
    lengths = np.diff(begins, append=len(parts))
    start, rests, ends, end = (np.ascontiguousarray(column) for column in spans.T)
    if (rests != end).any():
        starts, rests, ends, closes = (np.repeat(column, lengths) for column in (start, rests, ends, end))
        is_after = parts.opened >= ends
        start, end = np.where(is_after, ends, starts), np.where(is_after, closes, rests)
    else:
        start, end = np.repeat(start, lengths), np.repeat(end, lengths)
    found = np.minimum(parts.opened, end - 1)
    # In place, as there are millions of minutes.
    found -= start
    found //= interval.seconds
    found *= interval.seconds
    found += start
    return found


def changes(column: np.ndarray) -> np.ndarray:
    """Whether each value is another than the one before; the first is."""
    found = np.ones(len(column), bool)
    np.not_equal(column[1:], column[:-1], out=found[1:])
    return found
