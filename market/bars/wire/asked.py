"""What a page of bars is asked for by."""

from dataclasses import dataclass
from datetime import datetime

from market import intervals
from market.bars import resampling
from market.bars.resampling import Known
from market.bars.rows import Bounds
from market.intervals import Interval


@dataclass(frozen=True, slots=True)
class Asked:
    """A page: the newest `limit` bars within bounds. decimals: the symbol's. known_at: as they were known then.

    known: what bars that are made on reading are judged by.
    """

    ticker: str
    interval: str
    adjusted: str
    bounds: Bounds
    limit: int
    decimals: int
    known_at: datetime | None = None
    known: Known = resampling.UNKNOWN

    @property
    def of(self) -> Interval:
        return intervals.named(self.interval)

    @property
    def stored(self) -> Bounds:
        """The bounds of the stored bars that are read for it."""
        return resampling.bounds_of_parts(self.bounds, self.of)

    @property
    def most_stored(self) -> int:
        """How many of them are read: one bar more than is told, as there may be older ones, and where the bounds are
        wider than what is asked, one more still.
        """
        interval = self.of
        return (self.limit + 1 + (interval.made_from is not None)) * interval.most_parts
