"""The splits and dividends that we hold, and the factors that restate what came before them."""

from collections.abc import Iterable
from datetime import date

from django.db.models import QuerySet

from market.actions import adjustments
from market.intervals import DAY
from market.models import Bar, CorporateAction

_UNSPLIT = adjustments.factors([], "split")


def of(ticker: str) -> QuerySet[CorporateAction]:
    """Those of a symbol that stand, by ex date."""
    return CorporateAction.objects.filter(symbol__ticker=ticker).order_by("ex_date")


def factors(ticker: str, adjusted: str) -> adjustments.Factors:
    """A symbol's factors of an adjustment. Raises adjustments.UnknownAdjustment."""
    if adjusted == "raw":
        return adjustments.factors([], adjusted)
    actions = list(of(ticker))
    closes: list[tuple[date, float]] = []
    if adjusted == adjustments.DIVIDENDS and any(action.kind in adjustments.CASH for action in actions):
        daily = Bar.objects.filter(symbol__ticker=ticker, interval=DAY.name).order_by("opened_at")
        closes = list(daily.values_list("session_date", "close"))
    return adjustments.factors(actions, adjusted, closes)


def intervals_read(interval: str, adjusted: str) -> tuple[str, ...]:
    """The intervals whose bars an adjusted view reads: its own, and the days where dividends count by their closes."""
    return (interval, DAY.name) if adjusted == adjustments.DIVIDENDS and interval != DAY.name else (interval,)


def splits(tickers: Iterable[str]) -> dict[str, adjustments.Factors]:
    """The factors of each ticker's splits, in one query."""
    found: dict[str, list[CorporateAction]] = {ticker: [] for ticker in tickers}
    known = CorporateAction.objects.filter(symbol__ticker__in=found, kind=CorporateAction.Kind.SPLIT)
    for action in known.select_related("symbol"):
        found[action.symbol.ticker].append(action)
    return {ticker: adjustments.factors(held, "split") if held else _UNSPLIT for ticker, held in found.items()}
