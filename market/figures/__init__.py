"""Key figures: market value, earnings, dividends and their dates, as a source told them last.

values          what each is, and why one is missing (pure)
keeping         one row a symbol: the last good values stay
refreshing      asking for them, once a day
telling         what is told of a row
"""

from market.figures.keeping import NotBelieved, keep
from market.figures.refreshing import CHUNK, due, refresh
from market.figures.telling import latest
from market.figures.values import NAMES, Figures, of_kind

__all__ = ["CHUNK", "NAMES", "Figures", "NotBelieved", "due", "keep", "latest", "of_kind", "refresh"]
