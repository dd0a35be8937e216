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


def kept(asked: Asked, basis: Basis) -> Kept | None:
    """The same where it is kept; nothing is computed."""
    return caches.technical_analysis.look(asked.key(basis), basis.versions) if _is_settled(basis) else None


def told(asked: Asked, basis: Basis, series: bars.Series | None = None) -> Kept | Made:
    """The answer as JSON, with the versions of the bars that it stands upon; None where they moved all the time.

    One with a bar that forms is computed each time, as that moves with every price; so is one without bars, which have
    no version. series: the bars on that basis, where they are read. Raises UnknownPeriod, catalogue.UnknownIndicator,
    frames.TooShort.
    """

    def computed() -> Made:
        read = series or bars.series(asked.ticker, interval=asked.interval, adjusted=asked.adjusted, basis=basis)
        return Made(frames.encoded(read, asked.period, asked.names), read.versions)

    return (
        caches.technical_analysis.answer(asked.key(basis), basis.versions, computed)
        if _is_settled(basis)
        else computed()
    )


def _is_settled(basis: Basis) -> bool:
    return basis.live is None and bool(basis.versions[0])
