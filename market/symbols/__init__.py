"""Which symbols there are, and which of them are tracked: rows, which the seeds of a source only begin."""

from market.symbols.rows import ensure, home, known, named, tracked
from market.symbols.seed import Seed
from market.symbols.spelling import InvalidTicker, UnknownSymbol, ticker

__all__ = [
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
