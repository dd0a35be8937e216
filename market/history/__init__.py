"""The past of each symbol: how it is loaded, and how far that has come.

load            what is missing of days, fetched and stored
within/         the same of bars within sessions, window by window
claims          of all who want the same, one asks
together        who stores at the same time does it at once
progress        how far the first loading has come
gaps            which sessions are missing
listed          what is held of all symbols, and what is torn
wanted          what is to be loaded and mended, for jobs side by side
restated        what was revised
derived         what was computed from bars, and from which
"""

from market.history.load import EVER, START, Fetch, Filled, Told, backfill, ensure, fill, note, refresh

__all__ = ["EVER", "START", "Fetch", "Filled", "Told", "backfill", "ensure", "fill", "note", "refresh"]
