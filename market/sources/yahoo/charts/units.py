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

_ONE = Fraction(1)


def factor(told: object, held: str) -> Fraction:
    """What to multiply the prices of an answer by, so that they are in the symbol's own currency.

    An answer that names none is in the symbol's. Raises Mismatch: a currency never changes in silence.
    """
    if told is None or told == held:
        return _ONE
    if not isinstance(told, str) or main(told) != main(held):
        raise Mismatch(f"it is in {told!r}, and ours are in {held}")
    return Fraction(parts(held), parts(told))


def main(currency: str) -> str:
    """The currency that a sub-unit is a part of."""
    return SUB_UNITS.get(currency, (currency, 1))[0]


def parts(currency: object) -> int:
    """How many of it are one of its currency; 1 of what is none of the sub-units."""
    return SUB_UNITS[currency][1] if isinstance(currency, str) and currency in SUB_UNITS else 1
