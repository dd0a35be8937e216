"""How exactly Yahoo tells a price: as float32, and restated ones were so before. Pure."""

import math
from fractions import Fraction

from market import prices


def traded(price: float, shares: float, unit: Fraction, decimals: int) -> float:
    """A price in the shares of then and in the symbol's currency; what splits follow changes nothing of it."""
    return prices.kept(price * unit.numerator / unit.denominator * shares, decimals)


def decimals(meta: dict, unit: Fraction) -> int | None:
    """How many decimals a symbol's prices have by the answer's hint, in its own currency; None where it has none."""
    hint = meta.get("priceHint")
    if not prices.is_number(hint) or not 0 <= hint <= prices.MOST_DECIMALS:
        return None
    return min(max(0, round(hint - math.log10(unit))), prices.MOST_DECIMALS)
