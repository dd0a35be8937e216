"""The symbols we know: what each is, which bars of it we hold, and its key figures.

listed          the list and one of them, and who adds one
figures         the shape of key figures
"""

from market.api.symbols.listed import OneSymbol, Symbols

__all__ = ["OneSymbol", "Symbols"]
