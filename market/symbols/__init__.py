"""Which symbols there are, and which of them are tracked: rows, which the seeds of a source only begin.

seed            what a source knows of a symbol that it begins with
spelling        how a ticker is written (pure)
rows            which there are
names           what people write, and whom they mean: `resolve` is the one door
near            what they may have meant that mean none
renaming        another ticker for a symbol, whose key stays
"""

from market.symbols.names import found, keys, named, named_in, resolve, tickers, tracked_words
from market.symbols.near import near
from market.symbols.renaming import NameTaken, NameTooLong, Renaming, rename
from market.symbols.rows import begun, ensure, former, homes, learn_decimals, negative, tracked, tracked_values
from market.symbols.seed import Seed
from market.symbols.spelling import LONGEST, InvalidTicker, UnknownSymbol, folded, readings, spelled, ticker

__all__ = [
    "LONGEST",
    "InvalidTicker",
    "NameTaken",
    "NameTooLong",
    "Renaming",
    "Seed",
    "UnknownSymbol",
    "begun",
    "ensure",
    "folded",
    "former",
    "found",
    "homes",
    "keys",
    "learn_decimals",
    "named",
    "named_in",
    "near",
    "negative",
    "readings",
    "rename",
    "resolve",
    "spelled",
    "ticker",
    "tickers",
    "tracked",
    "tracked_values",
    "tracked_words",
]
