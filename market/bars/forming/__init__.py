"""Forming bars: they move with every price.

daily           the running session's, of a quote (pure)
within          those of minutes and hours, as prices form them (pure)
kept            in Redis, where all processes see them
"""

from market.bars.forming.daily import daily_bar, reach
from market.bars.forming.kept import ask, drop, drop_within, fields_of, forget, keep, latest, read, stand
from market.bars.forming.within import INTERVALS, UNHEARD, Within

__all__ = [
    "INTERVALS",
    "UNHEARD",
    "Within",
    "ask",
    "daily_bar",
    "drop",
    "drop_within",
    "fields_of",
    "forget",
    "keep",
    "latest",
    "reach",
    "read",
    "stand",
]
