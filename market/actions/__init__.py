"""Splits and dividends: what companies did to their shares, and what a price of the past is in today's.

adjustments     the factors that restate what came before them (pure)
read            those that we hold, and their factors
effects         which bars they restate, once they are named or take effect
write           the one door in; what is no longer named so is superseded
decisions       what somebody says of those that the source itself contradicts
"""

from market.actions.decisions import by_key, can_be_decided, decide, disputed, in_place_of
from market.actions.read import between, factors, intervals_read, known, of, splits, standing
from market.actions.write import begin, corrects_split, keep, keep_all

__all__ = [
    "begin",
    "between",
    "by_key",
    "can_be_decided",
    "corrects_split",
    "decide",
    "disputed",
    "factors",
    "in_place_of",
    "intervals_read",
    "keep",
    "keep_all",
    "known",
    "of",
    "splits",
    "standing",
]
