"""The splits and dividends that we hold, and the factors that restate what came before them.

One that is announced restates nothing before its day: those count that a symbol's series has come to, by its bars or by
the newest price. The feed says when it does, by `begin`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from fractions import Fraction
from math import prod

from django.db.models import OuterRef, QuerySet, Subquery

from market import quotes
from market.actions import adjustments
from market.intervals import DAY
from market.models import Bar, CorporateAction, Coverage
from market.prices import midnight

_UNSPLIT = adjustments.factors([], "split")


def of(ticker: str) -> QuerySet[CorporateAction]:
    """Those of a symbol that stand, by ex date."""
    return CorporateAction.objects.filter(symbol__ticker=ticker).order_by("ex_date")


def factors(ticker: str, adjusted: str) -> adjustments.Factors:
    """A symbol's factors of an adjustment. Raises adjustments.UnknownAdjustment."""
    if adjusted == "raw":
        return adjustments.factors([], adjusted)
    actions = _in_effect(of(ticker))
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
    for action in _in_effect(known):
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


def _in_effect(found: QuerySet[CorporateAction]) -> list[CorporateAction]:
    """Those up to the last session of each symbol's series. Of a symbol without bars all are."""
    held = Coverage.objects.filter(symbol=OuterRef("symbol"), interval=DAY.name).values("last_held")
    actions = list(found.annotate(last_held=Subquery(held)).select_related("symbol"))
    ahead = {action.symbol.ticker for action in actions if _is_ahead(action)}
    newest = quotes.latest(sorted(ahead))
    sessions = {ticker: quote.session_date for ticker, quote in newest.items() if quote}
    come = {ticker: sessions.get(ticker, date.min) for ticker in ahead}
    return [each for each in actions if not _is_ahead(each) or each.ex_date <= come[each.symbol.ticker]]


def _is_ahead(action: CorporateAction) -> bool:
    """Whether its day is after the last of the bars."""
    return action.last_held is not None and midnight(action.ex_date) > action.last_held
