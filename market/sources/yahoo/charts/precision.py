"""How exactly Yahoo tells a price: as float32, and restated ones were so before. Pure."""

import math
from fractions import Fraction

import numpy as np

from market import prices

_EXACT = 2.0**43  # up to here a float64 tells a thousandth of each whole number


def traded(told: np.ndarray, shares: np.ndarray, unit: Fraction, decimals: int) -> np.ndarray:
    """Prices in the shares of then and in the symbol's currency; what splits follow changes nothing of them.

    told: float64 (…, n); shares: float64 (n,). Returns float64 (…, n), each as `prices.kept` has it.
    """
    return _kept(told * unit.numerator / unit.denominator * shares, decimals)


def _kept(traded: np.ndarray, decimals: int) -> np.ndarray:
    """`prices.kept` of many: where arithmetic might round otherwise than the decimals of a number do, it is asked."""
    with np.errstate(over="ignore", invalid="ignore"):
        finer = traded * 10.0 ** (decimals + 2)
        whole = np.rint(finer)
        kept = np.rint(whole / 100) / 10.0**decimals
        is_sure = np.abs(np.abs(finer - np.floor(finer)) - 0.5) > 1e-6 + np.abs(finer) * 2.0**-50
        is_sure &= (np.abs(finer) < _EXACT) & (np.mod(whole, 100) != 50)
        is_sure &= np.abs(traded) * 10.0**decimals >= prices.COARSE
    doubtful = ~is_sure
    kept[doubtful] = [prices.kept(price, decimals) for price in traded[doubtful].tolist()]
    return kept


def decimals(meta: dict, unit: Fraction) -> int | None:
    """How many decimals a symbol's prices have by the answer's hint, in its own currency; None where it has none."""
    hint = meta.get("priceHint")
    if not prices.is_number(hint) or not 0 <= hint <= prices.MOST_DECIMALS:
        return None
    return min(max(0, round(hint - math.log10(unit))), prices.MOST_DECIMALS)
