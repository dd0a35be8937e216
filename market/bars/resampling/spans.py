"""Which stored bars are read, so that of each bar that is asked for all of its parts are."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np

from market.bars.batch import Batch
from market.bars.rows import Bounds
from market.intervals import Interval
from market.prices import microseconds

_EPOCH = date(1970, 1, 1)


def of_bars(bounds: Bounds, interval: Interval) -> Bounds:
    """The bounds of the bars that some sessions belong to: of whole sessions one is asked for by any of its own."""
    if interval.dated is None or bounds.start is None:
        return bounds
    return replace(bounds, start=interval.dated(bounds.start))


def of_parts(bounds: Bounds, interval: Interval) -> Bounds:
    """The bounds of what bars within bounds are made from."""
    if interval.made_from is None:
        return bounds
    if interval.dated:
        last = None if bounds.end is None else interval.following(interval.dated(bounds.end)) - timedelta(days=1)
        return replace(bounds, end=last)
    length = timedelta(seconds=interval.seconds)
    start, end = (
        bound + by if isinstance(bound, datetime) else bound
        for bound, by in ((bounds.start, -length), (bounds.end, length))
    )
    return replace(bounds, start=start, end=end)


def within(made: Batch, bounds: Bounds) -> np.ndarray:
    """Which bars lie within bounds: bool (n,)."""
    found = np.ones(len(made), bool)
    for bound, compare in ((bounds.start, np.greater_equal), (bounds.end, np.less_equal)):
        if isinstance(bound, datetime):
            found &= compare(made.opened, microseconds(bound) / 1e6)
        elif bound is not None:
            found &= compare(made.session, (bound - _EPOCH).days)
    return found if bounds.before is None else found & (made.opened < microseconds(bounds.before) / 1e6)
