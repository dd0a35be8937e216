"""Which symbols are collected, as operators set it. What was collected stays."""

from collections.abc import Iterable
from dataclasses import dataclass

from market import symbols
from market.models import Symbol
from market.sources import delisting


@dataclass(frozen=True, slots=True)
class Named:
    """Today's tickers of what was named, each once, and what names no symbol here."""

    tickers: list[str]
    unknown: list[str]


def start(texts: Iterable[str]) -> Named:
    """Collect these: feeds take them up within seconds. Safe to run again."""
    rows, named = _named(texts)
    if stopped := [symbol.pk for symbol in rows if not symbol.is_active]:
        delisting.revive(stopped)
    return named


def stop(texts: Iterable[str]) -> Named:
    """Collect these no more. Safe to run again."""
    rows, named = _named(texts)
    Symbol.objects.filter(pk__in=[symbol.pk for symbol in rows], is_active=True).update(is_active=False)
    return named


def _named(texts: Iterable[str]) -> tuple[list[Symbol], Named]:
    asked = list(dict.fromkeys(texts))
    found = symbols.found(asked)
    rows = list({symbol.pk: symbol for text in asked if (symbol := found.get(text))}.values())
    unknown = list(dict.fromkeys(symbols.folded(text) for text in asked if text not in found))
    return rows, Named([symbol.ticker for symbol in rows], unknown)
