"""The splits and dividends that we hold, and the factors that restate what came before them."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from fractions import Fraction
from math import prod

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
    known = CorporateAction.objects.filter(symbol__ticker__in=found, kind__in=adjustments.RESTATING)
    for action in known.select_related("symbol"):
        found[action.symbol.ticker].append(action)
    return {ticker: adjustments.factors(held, "split") if held else _UNSPLIT for ticker, held in found.items()}


def between(spans: Collection[tuple[str, date, date]]) -> dict[tuple[str, date, date], float]:
    """What a price is to be multiplied by from a session to a later one's shares; only where a split is known between.

    spans: tickers with both sessions. A split of the later session's own day counts.
    """
    if not spans:
        return {}
    found = CorporateAction.objects.filter(
        symbol__ticker__in={ticker for ticker, *_ in spans},
        kind__in=adjustments.RESTATING,
        ex_date__gt=min(since for _, since, _ in spans),
        ex_date__lte=max(until for *_, until in spans),
    )
    known = defaultdict(list)
    for action in found.select_related("symbol"):
        known[action.symbol.ticker].append(action)
    counted = {span: [each for each in known[span[0]] if span[1] < each.ex_date <= span[2]] for span in spans}
    return {
        span: float(1 / prod(map(adjustments.ratio, actions), start=Fraction(1)))
        for span, actions in counted.items()
        if actions
    }
