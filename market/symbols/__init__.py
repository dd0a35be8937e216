"""Which symbols there are, and which of them are tracked: rows, which the lists of `seeds` only begin."""

from market.symbols.rows import ensure, home, known, named, tracked
from market.symbols.seeds import RECORDED, WELL_KNOWN, Seed
from market.symbols.spelling import InvalidTicker, UnknownSymbol, ticker

__all__ = [
    "RECORDED",
    "WELL_KNOWN",
    "InvalidTicker",
    "Seed",
    "UnknownSymbol",
    "ensure",
    "home",
    "known",
    "named",
    "ticker",
    "tracked",
]
