"""Which bars an adjusted view tells otherwise once an action is named, or takes effect."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, timedelta

from market.coverage import rows as coverage
from market.coverage.telling import Span
from market.intervals import DAY
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


def hold(symbols: Collection[int]) -> list[Coverage]:
    """Whatever symbols have of bars, locked until the transaction ends; of one that has none its days."""
    return coverage.hold_all(symbols, at_least=DAY.name)


def renew(rows: Collection[Coverage], days: Mapping[int, Days]) -> None:
    """Give held rows a new version, and tell which of their sessions are restated. days: by symbol."""
    coverage.renew(rows, {(row.symbol_id, row.interval): restated(row, days[row.symbol_id]) for row in rows})


def between(ends: Mapping[int, tuple[date, date]]) -> dict[int, Days]:
    """By symbol what takes effect after a session and up to another, in one query: with the bars of these."""
    if not ends:
        return {}
    first, last = min(each for each, _ in ends.values()), max(each for _, each in ends.values())
    found: dict[int, dict[str, date]] = defaultdict(dict)
    within = {"symbol_id__in": ends, "ex_date__gt": first, "ex_date__lte": last}
    named = CorporateAction.objects.counted().filter(**within).order_by("ex_date")
    for symbol, kind, ex_date in named.values_list("symbol_id", "kind", "ex_date"):
        if ends[symbol][0] < ex_date <= ends[symbol][1]:
            found[symbol][kind] = ex_date
    return found
