"""Exchanges by the names that people call them."""

from django import template

register = template.Library()

NAMES = {
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


@register.filter
def exchange(code: str) -> str:
    """XNAS is Nasdaq; a code without a name stays as it is."""
    return NAMES.get(code, code)
