"""Quotes over HTTP.

one             the latest of a symbol, and the prices of many
movers          those that moved most
"""

from market.api.quotes.one import FRESHNESS, QUOTE, QuoteShape, as_told

__all__ = ["FRESHNESS", "QUOTE", "QuoteShape", "as_told"]
