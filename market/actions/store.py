"""Splits and dividends as they are stored, and the factors that restate what came before them."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from django.db import transaction

from market.actions import adjustments
from market.coverage import rows as coverage
from market.intervals import DAY
from market.models import Bar, CorporateAction, Symbol
from market.prices import Action, session_of

_UNSPLIT = adjustments.factors([], "split")


def keep(symbol: Symbol, named: Iterable[Action], source: str) -> None:
    """Have what a source names of a symbol; what it names again changes nothing. Safe to run again."""
    asked = list(named)
    if not asked:
        return
    with transaction.atomic():
        covered = coverage.hold_all([symbol.pk])
        rows = CorporateAction.objects.filter(symbol=symbol)
        known = {(row.kind, row.ex_date): row.value for row in rows}
        news = [action for action in asked if known.get((action.kind, action.ex_date)) != action.value]
        for action in news:
            facts = {"value": action.value, "source": source, "received_at": datetime.now(UTC)}
            rows.update_or_create(symbol=symbol, kind=action.kind, ex_date=action.ex_date, defaults=facts)
        if news:
            coverage.renew_counted(covered)


def take_back(source: str, start: date) -> None:
    """Delete what a source named of the days from one on."""
    gone = CorporateAction.objects.filter(source=source, ex_date__gte=start)
    with transaction.atomic():
        covered = coverage.hold_all(gone.order_by().values_list("symbol_id", flat=True).distinct())
        gone.delete()
        coverage.renew_counted(covered)


def factors(ticker: str, adjusted: str) -> adjustments.Factors:
    """A symbol's factors of an adjustment. Raises adjustments.UnknownAdjustment."""
    if adjusted == "raw":
        return adjustments.factors([], adjusted)
    actions = list(CorporateAction.objects.filter(symbol__ticker=ticker).order_by("ex_date"))
    closes: list[tuple[date, float]] = []
    if adjusted == "split_dividend" and any(action.kind == "dividend" for action in actions):
        daily = Bar.objects.filter(symbol__ticker=ticker, interval=DAY.name, is_final=True).order_by("opened_at")
        closes = [(session_of(*row[:2]), row[2]) for row in daily.values_list("opened_at", "session_date", "close")]
    return adjustments.factors(actions, adjusted, closes)


def splits(tickers: Iterable[str]) -> dict[str, adjustments.Factors]:
    """The factors of each ticker's splits, in one query."""
    found: dict[str, list[CorporateAction]] = {ticker: [] for ticker in tickers}
    known = CorporateAction.objects.filter(symbol__ticker__in=found, kind=CorporateAction.Kind.SPLIT)
    for action in known.select_related("symbol"):
        found[action.symbol.ticker].append(action)
    return {ticker: adjustments.factors(held, "split") if held else _UNSPLIT for ticker, held in found.items()}
