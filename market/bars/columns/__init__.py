"""Final bars as arrays, of many symbols at once.

asking          read without the ORM, kept by the process, restated
kept            what a process keeps, bounded in bytes
"""

from market.bars.columns.asking import columns, of_many, store

__all__ = ["columns", "of_many", "store"]
