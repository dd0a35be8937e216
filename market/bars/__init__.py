"""Bars: written in one place, as traded; read as traded or restated. The forming ones wait in Redis.

batch           bars of one interval as columns (pure)
checks          what can be a bar (pure)
sessions        what lies where the exchange's calendar has none
writing/        the one door in; what is corrected leaves a revision
removal         what is taken back, or kept no longer
rows            the stored bars of a span, as the database tells them
read            the bars of a span, as values, as they are or were known
columns/        the final ones as arrays, of many symbols at once
stored          how far the stored ones go, and their ends
forming/        the bars that still move
wire/           how bars are told
"""

from market.bars.batch import Batch, answer
from market.bars.columns import Series, columns, of_many, series, series_of_many
from market.bars.read import Basis, NoBars, basis, history
from market.bars.removal import forget_before, forget_future, forget_provisional
from market.bars.rows import Bounds
from market.bars.writing import AT_ONCE, UpsertResult, ready, summed, upsert, write

__all__ = [
    "AT_ONCE",
    "Basis",
    "Batch",
    "Bounds",
    "NoBars",
    "Series",
    "UpsertResult",
    "answer",
    "basis",
    "columns",
    "forget_before",
    "forget_future",
    "forget_provisional",
    "history",
    "of_many",
    "ready",
    "series",
    "series_of_many",
    "summed",
    "upsert",
    "write",
]
