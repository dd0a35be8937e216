"""Splits and dividends as they are stored, and the factors that restate what came before them."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from market.actions import adjustments
from market.intervals import DAY
from market.models import Bar, CorporateAction, Symbol
from market.prices import Action, session_of

_UNSPLIT = adjustments.factors([], "split")


def keep(symbol: Symbol, named: Iterable[Action], source: str) -> None:
    """Have what a source names of a symbol. Safe to run again."""
    for action in named:
        CorporateAction.objects.update_or_create(
            symbol=symbol,
            kind=action.kind,
            ex_date=action.ex_date,
            defaults={"value": action.value, "source": source, "received_at": datetime.now(UTC)},
        )


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
