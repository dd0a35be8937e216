"""A symbol's indicators as the bytes that go out: kept where they stand on settled bars alone, by the bars' version."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.indicators import catalogue, frames
from market import bars
from market.bars import Basis
from monitoring import caches
from monitoring.caches import Kept, Made

FORMAT = 1  # raise it where the same values are told in another way, as what is kept outlives a deploy


@dataclass(frozen=True, slots=True)
class Asked:
    """names: as `catalogue.chosen` takes them."""

    ticker: str
    period: str
    interval: str
    adjusted: str
    names: Sequence[str]

    def key(self, basis: Basis) -> tuple:
        """What the answer depends on, beside the version of the bars."""
        keys = tuple(each.key for each in catalogue.chosen(self.names, self.interval))
        told = self.ticker, self.interval, self.adjusted, self.period, keys
        return "indicators", FORMAT, catalogue.CONVENTION, *told, repr(basis.known), basis.today


def told(asked: Asked, basis: Basis) -> Kept | Made:
    """The answer as JSON, with the versions of the bars that it stands upon; None where they moved all the time.

    One with a bar that forms is computed each time, as that moves with every price; so is one without bars, which have
    no version. Raises UnknownPeriod, catalogue.UnknownIndicator.
    """

    def computed() -> Made:
        series = bars.series(asked.ticker, interval=asked.interval, adjusted=asked.adjusted, basis=basis)
        return Made(frames.encoded(series, asked.period, asked.names), series.versions)

    if basis.live is not None or not basis.versions[0]:
        return computed()
    return caches.technical_analysis.answer(asked.key(basis), basis.versions, computed)
