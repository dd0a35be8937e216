"""Splits and dividends: what companies did to their shares, and what a price of the past is in today's.

adjustments     the factors that restate what came before them (pure)
store           the rows
"""

from market.actions.store import factors, keep, splits, take_back

__all__ = ["factors", "keep", "splits", "take_back"]
