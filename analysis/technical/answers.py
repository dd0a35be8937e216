"""A symbol's indicators as the bytes that go out: kept where they stand on settled bars alone, by the bars' version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.against import compared
from analysis.indicators import catalogue, frames
from market import bars
from market.bars import Basis
from monitoring import caches
from monitoring.caches import Kept, Made

FORMAT = 1  # raise it where the same values are told in another way, as what is kept outlives a deploy


Others = Mapping[str, Basis]  # by ticker
NOBODY: Others = {}


@dataclass(frozen=True, slots=True)
class Asked:
    """names: as `catalogue.chosen` takes them."""

    ticker: str
    period: str
    interval: str
    adjusted: str
    names: Sequence[str]

    def key(self, basis: Basis, others: Others = NOBODY) -> tuple:
        """What the answer depends on, beside the versions of the bars."""
        keys = tuple(each.key for each in catalogue.chosen(self.names, self.interval))
        told = self.ticker, self.interval, self.adjusted, self.period, keys
        days = basis.today, *(each.today for each in others.values())
        known = [repr(each.known) for each in (basis, *others.values())]
        return "indicators", FORMAT, catalogue.CONVENTION, *told, *known, *days


def kept(asked: Asked, basis: Basis) -> Kept | None:
    """The same where it is kept; nothing is computed."""
    return caches.technical_analysis.look(asked.key(basis), basis.versions) if _is_settled(basis) else None


def versions(basis: Basis, others: Others) -> tuple:
    """Of all the bars that an answer stands upon: its own, and then those of the others by their tickers."""
    return (basis.versions, *((ticker, each.versions) for ticker, each in others.items())) if others else basis.versions


def told(asked: Asked, basis: Basis, series: bars.Series | None = None, others: Others = NOBODY) -> Kept | Made:
    """The answer as JSON, with the versions of the bars that it stands upon; None where they moved all the time.

    One with a bar that forms is computed each time, as that moves with every price; so is one without bars, which have
    no version. series: the bars on that basis, where they are read. others: what those stand upon that some names are
    measured against. Raises UnknownPeriod, catalogue.UnknownIndicator,
    frames.TooShort.
    """

    def computed() -> Made:
        read = series or bars.series(asked.ticker, interval=asked.interval, adjusted=asked.adjusted, basis=basis)
        if not others:
            return Made(frames.encoded(read, asked.period, asked.names), read.versions)
        held = bars.series_of_many(others, interval=asked.interval, adjusted=asked.adjusted)
        stands = {ticker: each.versions for ticker, each in held.items()}
        is_steady = read.versions == basis.versions and all(stands[each] == others[each].versions for each in others)
        body = frames.encoded(read, asked.period, asked.names, compared.beside(read, held))
        return Made(body, versions(basis, others) if is_steady else None)

    is_settled = all(map(_is_settled, (basis, *others.values())))
    if not is_settled:
        return computed()
    return caches.technical_analysis.answer(asked.key(basis, others), versions(basis, others), computed)


def _is_settled(basis: Basis) -> bool:
    return basis.live is None and bool(basis.versions[0])
