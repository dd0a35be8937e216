"""What we hold of each symbol's bars: one row for each interval beside them, with the version of what they say.

tokens          what a version is (pure)
rows            the rows, locked by whoever writes bars
versions        the version of a symbol's bars
telling         what changed, told to the feed
loading         how far the history of each was loaded
so_far          which of the bars have come, where a recording plays
told            what we hold, as answers tell it
held            which bars we hold, and whether the rows say so
"""

from market.coverage.versions import NONE, Versions, cut, latest, of, steady

__all__ = ["NONE", "Versions", "cut", "latest", "of", "steady"]
