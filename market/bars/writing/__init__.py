"""How bars are written: by one door, as columns; as they were traded.

door            what can't be is refused, the rest is written part by part
store           a part in one transaction
held            what is there
compare         what comes beside what is there (pure)
order           what a bar is and was, by all that was told of it (pure)
aside           what is kept beside them: clipped, provisional, held back
late            tellings that are not the newest
confirmations   what was told as it was known
statements      many rows in a statement
"""

from market.bars.writing.door import AT_ONCE, UpsertResult, ready, summed, upsert, write

__all__ = ["AT_ONCE", "UpsertResult", "ready", "summed", "upsert", "write"]
