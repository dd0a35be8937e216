"""What the page of the screener offers to choose from, in the reader's language."""

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analysis import wording
from analysis.conditions.tree import CHANNELS, CROSSINGS, LISTS, MOVES, ORDERED
from analysis.indicators import catalogue
from analysis.indicators.entry import PATTERN
from analysis.signals.catalogue import RULES

Told = dict[str, str]


def names() -> list[Told]:
    """What a condition may name: `name`, `title` and `kind`. Any parameters of an indicator may stand in its name."""
    indicators = [
        {"name": each.with_defaults().key, "title": wording.title(each), "kind": "indicator"}
        for each in catalogue.ENTRIES.values()
        if each.kind != PATTERN and not each.is_compared  # a condition has no other symbol beside one
    ]
    signals = [{"name": name, "title": wording.rule(rule), "kind": "signal"} for name, rule in RULES.items()]
    return [*_fields(), *indicators, *signals]


def operators() -> list[tuple[str, str]]:
    """Each with its words; the first is of a signal, which needs none."""
    words = {
        "gt": ">", "lt": "<", "gte": "≥", "lte": "≤", "eq": "=", "in": _("is one of"),
        "crosses": _("crosses"), "crosses_up": _("crosses up"), "crosses_down": _("crosses down"),
        "between": _("is between"), "inside": _("is inside"), "outside": _("is outside"), "enters": _("enters"),
        "exits": _("exits"), "rises_by": _("rises by"), "falls_by": _("falls by"),
    }  # fmt: skip
    told = (*ORDERED, *CROSSINGS, *CHANNELS, *MOVES, *LISTS)
    return [("", _("happens")), *((name, words[name]) for name in told)]


def _fields() -> list[Told]:
    fields = {
        "close": pgettext("price", "Close"), "open": pgettext("price", "Open"), "high": pgettext("price", "High"),
        "low": pgettext("price", "Low"), "volume": _("Volume"), "change": _("Change"),
        "change_percent": _("Change in %"),
    }  # fmt: skip
    records = {
        "high_52w": _("52-week high"), "low_52w": _("52-week low"), "high_all": _("All-time high"),
        "low_all": _("All-time low"),
    }  # fmt: skip
    figures = {
        "market_cap": _("Market value"), "price_earnings": _("Price/earnings"),
        "earnings_per_share": _("Earnings per share"), "dividend_yield_percent": _("Dividend yield in %"),
    }  # fmt: skip
    kinds = (("field", fields), ("record", records), ("figure", figures))
    return [{"name": name, "title": title, "kind": kind} for kind, told in kinds for name, title in told.items()]
