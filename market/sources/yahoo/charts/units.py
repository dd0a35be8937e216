"""Currencies and their hundredths: some exchanges quote in pence, cents or agorot. Named here and converted once."""

from fractions import Fraction

from market.sources.yahoo.fields import Mismatch

# Yahoo's names of what a share is quoted in: the currency, and how many of them are one.
SUB_UNITS = {
    "GBp": ("GBP", 100),
    "GBX": ("GBP", 100),
    "ZAc": ("ZAR", 100),
    "ILA": ("ILS", 100),
    "USX": ("USD", 100),
    "KWF": ("KWD", 1000),
}


def factor(told: object, held: str) -> Fraction:
    """What to multiply the prices of an answer by, so that they are in the symbol's own currency.

    An answer that names none is in the symbol's. Raises Mismatch: a currency never changes in silence.
    """
    if told is None or told == held:
        return Fraction(1)
    if not isinstance(told, str) or main(told) != main(held):
        raise Mismatch(f"it is in {told!r}, and ours are in {held}")
    return Fraction(_parts(held), _parts(told))


def main(currency: str) -> str:
    """The currency that a sub-unit is a part of."""
    return SUB_UNITS.get(currency, (currency, 1))[0]


def is_divided(currency: str) -> bool:
    """Whether shares are quoted in a part of this currency somewhere, and so may be told in either."""
    return main(currency) in _DIVIDED


def _parts(currency: str) -> int:
    return SUB_UNITS.get(currency, (currency, 1))[1]


_DIVIDED = frozenset(whole for whole, _ in SUB_UNITS.values()) - {"USD"}
