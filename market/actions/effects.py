"""Which bars an adjusted view tells otherwise once an action is named, or takes effect."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from market.coverage import rows as coverage
from market.coverage.telling import Span
from market.models import CorporateAction, Coverage

Days = Mapping[str, date]  # by kind of action its ex date
_KINDS = {kind.value for kind in CorporateAction.Kind} - {CorporateAction.Kind.RENAME.value}


def restated(row: Coverage, days: Days) -> list[Span]:
    """Of each kind the held sessions before its day."""
    return [
        replace(span, last=min(span.last, ex_date - timedelta(days=1)))
        for kind, ex_date in sorted(days.items())
        if kind in _KINDS
        for span in coverage.whole(row, kind)
        if span.first < ex_date
    ]


def between(ends: Mapping[int, tuple[date, date]]) -> dict[int, Days]:
    """By symbol what takes effect after a session and up to another, in one query: with the bars of these."""
    if not ends:
        return {}
    first, last = min(each for each, _ in ends.values()), max(each for _, each in ends.values())
    found: dict[int, dict[str, date]] = defaultdict(dict)
    named = CorporateAction.objects.filter(symbol_id__in=ends, ex_date__gt=first, ex_date__lte=last).order_by("ex_date")
    for symbol, kind, ex_date in named.values_list("symbol_id", "kind", "ex_date"):
        if ends[symbol][0] < ex_date <= ends[symbol][1]:
            found[symbol][kind] = ex_date
    return found
