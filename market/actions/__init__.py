"""Splits and dividends: what companies did to their shares, and what a price of the past is in today's.

adjustments     the factors that restate what came before them (pure)
read            those that we hold, and their factors
effects         which bars they restate, once they are named or take effect
write           the one door in; what is no longer named so is superseded
"""

from market.actions.read import between, factors, intervals_read, of, splits
from market.actions.write import begin, corrects_split, keep, take_back

__all__ = ["begin", "between", "corrects_split", "factors", "intervals_read", "keep", "of", "splits", "take_back"]
