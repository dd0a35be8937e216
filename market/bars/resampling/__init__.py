"""Bars that are made of shorter ones, by the exchange's calendar.

hours           the sessions of an exchange as arrays (pure)
openings        which bar each of its parts belongs to (pure)
values          what a bar is by its parts (pure)
states          whether one still forms, and whether it is settled (pure)
known           what is known of the sessions of symbols
spans           which stored bars are read for those that are asked for
reading         bars of stored ones, restated before
"""

from market.bars.resampling.hours import UNKNOWN_HOURS, Hours
from market.bars.resampling.known import known, today
from market.bars.resampling.reading import Read, of_bars, of_rows
from market.bars.resampling.spans import of_bars as bounds_of_bars
from market.bars.resampling.spans import of_parts as bounds_of_parts
from market.bars.resampling.spans import within
from market.bars.resampling.states import UNKNOWN, Known, settle
from market.bars.resampling.values import Made, made

__all__ = [
    "UNKNOWN",
    "UNKNOWN_HOURS",
    "Hours",
    "Known",
    "Made",
    "Read",
    "bounds_of_bars",
    "bounds_of_parts",
    "known",
    "made",
    "of_bars",
    "of_rows",
    "settle",
    "today",
    "within",
]
