"""What rang, in a sentence of the reader's language: worded from kind and values when it is shown.

Pages word it the same way, static/components/alerts.js; what was saved before there were values keeps its text.
"""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    "price_above": _("{symbol} rose above {level}: it is at {price}"),
    "plunge": _("{symbol} fell {percent} % to {price}, from a close of {close}"),
}


def says(kind: str, symbol: str, values: Mapping | None, text: str) -> str:
    """The sentence; `text` where there are no values to word, or none that this version knows."""
    try:
        return str(SENTENCES[kind]).format(symbol=symbol, **_words(values or {}))
    except (KeyError, TypeError, ValueError):  # of a kind, or with values, of another version
        return text


def _words(values: Mapping) -> dict[str, str]:
    decimals = int(values["decimals"])
    words = {
        name: price(values[name], decimals) for name in ("level", "price", "close") if values.get(name) is not None
    }
    return words | ({"percent": f"{-values['change_percent']:.1f}"} if "change_percent" in values else {})


def price(value: float, decimals: int) -> str:
    """With the symbol's decimals, of which a price shows two even where they are zeros, and no more zeros."""
    text = f"{value:,.{decimals}f}"
    whole, point, part = text.partition(".")
    return whole + point + part[:2] + part[2:].rstrip("0")
