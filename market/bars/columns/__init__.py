"""Final bars as arrays, of many symbols at once.

asking          kept by the process under their version, restated
table           read without the ORM
ends            when they are over, by their exchange's calendar
kept            what a process keeps, bounded in bytes
"""

from market.bars.columns.asking import Series, columns, of_many, series, series_of_many, store

__all__ = ["Series", "columns", "of_many", "series", "series_of_many", "store"]
