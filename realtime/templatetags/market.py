"""Prices and exchanges as people read them; static/words/words.js writes prices the same way."""

import json
import re

from django import template
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from market import sources

register = template.Library()

FEWEST_DECIMALS = 2
ZEROS = re.compile(r"\d")
AT_HOME = {"Asia/Seoul": "ko"}
EXCHANGES = {
    "XNAS": "Nasdaq",
    "XNYS": "NYSE",
    "XASE": "NYSE American",
    "ARCX": "NYSE Arca",
    "XKRX": "KRX",
    "XKOS": "KOSDAQ",
    "XLON": "LSE",
    "XTKS": "TSE",
    "XHKG": "HKEX",
}

FIGURES = {
    "market_cap": _("Market cap"),
    "price_earnings": _("P/E, 12 months"),
    "earnings_per_share": _("EPS, 12 months"),
    "dividend_yield_percent": _("Dividend yield"),
    "earnings_date": _("Next earnings"),
    "ex_dividend_date": _("Ex-dividend date"),
}


@register.filter
def exchange(code: str) -> str:
    """XNAS is Nasdaq; a code without a name stays as it is."""
    return EXCHANGES.get(code, code)


@register.filter
def figure(name: str) -> object:
    """What a key figure is called."""
    return FIGURES[name]


@register.simple_tag
def exchange_names() -> str:
    """All of them by code, in JSON."""
    return json.dumps(EXCHANGES)


@register.filter
def source(name: str) -> str:
    return sources.title(name)


@register.filter
def called(row: dict) -> str:
    """A symbol's name, as it is called at home where the page speaks the language of there."""
    speaks = (get_language() or "").partition("-")[0] == AT_HOME.get(row["time_zone"])
    return row["local_name"] if speaks and row["local_name"] else row["name"]


@register.filter
def price(value: float | str | None, decimals: int) -> str:
    """With at most so many decimals, and at least two where the symbol has them: 665.76, 620.914, 71,500."""
    if value is None or isinstance(value, str):  # a template gives "" for what is not there
        return "–"
    whole, _, fraction = f"{abs(value):,.{decimals}f}".partition(".")
    fraction = fraction.rstrip("0").ljust(min(FEWEST_DECIMALS, decimals), "0")
    text = f"{whole}.{fraction}" if fraction else whole
    return f"−{text}" if value < 0 and text.strip("0.,") else text


@register.filter
def widest(value: float | str | None, decimals: int) -> str:
    """So wide is a figure of about this size, as static/components/steady.js reserves room for it: 000.0000."""
    if value is None or isinstance(value, str):
        return "–"
    whole, _, fraction = price(abs(value) * 1.5, decimals).partition(".")
    return ZEROS.sub("0", f"{whole}.{fraction.ljust(decimals, '0')}" if decimals else whole)


@register.filter
def widest_change(value: float | str | None, decimals: int) -> str:
    """The same of a change of a price of this size."""
    return "–" if value is None or isinstance(value, str) else f"−{widest(value / 10, decimals)}"


@register.filter
def decimals(value: float | str | None, most: int) -> int:
    """How many decimals a price shows: the change beside it shows no more."""
    return len(price(value, most).partition(".")[2])


@register.filter
def signed(value: float | str | None, decimals: int) -> str:
    """A change: +1.25, −1.25, 0.00."""
    text = price(value, decimals)
    return f"+{text}" if value and value > 0 and text.strip("0.,") else text
