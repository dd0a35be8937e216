"""The past of each symbol: how it is loaded, and how far that has come.

load            what is missing, fetched and stored
progress        how far the first loading has come
gaps            up to where no session is missing
"""

from market.history.load import START, Fetch, Filled, fill, note, refresh

__all__ = ["START", "Fetch", "Filled", "fill", "note", "refresh"]
