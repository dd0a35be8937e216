"""The splits and dividends that we hold, and the factors that restate what came before them.

One that is announced restates nothing before its day: those count that a symbol's series has come to, by its bars or by
the newest price. The feed says when it does, by `begin`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime
from fractions import Fraction
from math import prod
from typing import NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet

from market import clock, intervals, quotes
from market.actions import adjustments
from market.intervals import DAY
from market.models import Bar, CorporateAction, Coverage, Decision, SupersededAction, Symbol
from monitoring import plain


class _Held(NamedTuple):
    """An action as factors need it. is_ahead: its day is after the last of the bars."""

    ticker: str
    kind: str
    ex_date: date
    value: float
    numerator: float | None
    denominator: float | None
    is_ahead: bool


_UNSPLIT = adjustments.factors([], "split")


def of(ticker: str) -> QuerySet[CorporateAction]:
    """Those of a symbol that stand, by ex date."""
    return CorporateAction.objects.filter(clock.until("ex_date"), symbol__ticker=ticker).order_by("ex_date")


def standing(symbol: Symbol) -> list[CorporateAction]:
    """All of a symbol that stand, also those to come, by ex date."""
    return plain.read(CorporateAction, "symbol_id = %s ORDER BY ex_date, kind, ordinal", [symbol.pk])


def known(ticker: str, at: datetime, *among: Q) -> list[CorporateAction | SupersededAction]:
    """Those of a symbol that stood at a moment, by ex date: received and decided by then, and not superseded yet."""
    had_come = clock.until("ex_date") & Q(symbol__ticker=ticker, received_at__lte=at)
    had_come &= Q(decided_at=None) | Q(decided_at__lte=at)
    gone_since = SupersededAction.objects.filter(had_come, *among, superseded_at__gt=at)
    found = [*CorporateAction.objects.filter(had_come, *among), *gone_since]
    return sorted(found, key=lambda action: (action.ex_date, action.kind, action.ordinal))


def factors(ticker: str, adjusted: str) -> adjustments.Factors:
    """A symbol's factors of an adjustment. Raises adjustments.UnknownAdjustment."""
    if adjusted == "raw":
        return adjustments.factors([], adjusted)
    actions = _in_effect([ticker], adjustments.RESTATING if adjusted == "split" else CorporateAction.Kind.values)
    closes: list[tuple[date, float]] = []
    if adjusted == adjustments.DIVIDENDS and any(action.kind in adjustments.CASH for action in actions):
        daily = Bar.objects.filter(clock.before(), symbol__ticker=ticker, interval=DAY.name).order_by("opened_at")
        closes = list(daily.values_list("session_date", "close"))
    return adjustments.factors(actions, adjusted, closes)


def intervals_read(interval: str, adjusted: str) -> tuple[str, ...]:
    """The intervals whose bars an adjusted view reads: that which its own are stored as, and the days where dividends
    count by their closes.
    """
    stored = intervals.named(interval).stored_as
    return (stored, DAY.name) if adjusted == adjustments.DIVIDENDS and stored != DAY.name else (stored,)


def splits(tickers: Iterable[str]) -> dict[str, adjustments.Factors]:
    """The factors of each ticker's splits, in one query."""
    found: dict[str, list[CorporateAction]] = {ticker: [] for ticker in tickers}
    for action in _in_effect(list(found), adjustments.RESTATING):
        found[action.ticker].append(action)
    return {ticker: adjustments.factors(held, "split") if held else _UNSPLIT for ticker, held in found.items()}


def between(spans: Collection[tuple[str, date, date]]) -> dict[tuple[str, date, date], float]:
    """What a price is to be multiplied by from a session to a later one's shares; only where a split is known between.

    spans: tickers with both sessions. A split of the later session's own day counts.
    """
    if not spans:
        return {}
    found = CorporateAction.objects.counted().filter(
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


def _in_effect(tickers: Collection[str], kinds: Collection[str]) -> list[_Held]:
    """Those of each symbol up to the last session of its series, by ex date. Of a symbol without bars all are."""
    actions = _held(tickers, kinds)
    ahead = {action.ticker for action in actions if action.is_ahead}
    newest = quotes.latest(sorted(ahead))
    sessions = {ticker: quote.session_date for ticker, quote in newest.items() if quote}
    come = {ticker: sessions.get(ticker, date.min) for ticker in ahead}
    return [each for each in actions if not each.is_ahead or each.ex_date <= come[each.ticker]]


def _held(tickers: Collection[str], kinds: Collection[str]) -> list[_Held]:
    if not tickers:
        return []
    quoted = connection.ops.quote_name
    # Written out, as it is read with every answer: to build it of querysets takes longer than to ask it.
    asked = f"""SELECT named.ticker, acted.kind, CAST(acted.ex_date AS CHAR), acted.value, acted.numerator,
        acted.denominator, CAST(covered.last_held AS CHAR), CAST({clock.asked()} AS CHAR)
        FROM {quoted(CorporateAction._meta.db_table)} acted
        JOIN {quoted(Symbol._meta.db_table)} named ON named.id = acted.symbol_id
        LEFT JOIN {quoted(Coverage._meta.db_table)} covered
        ON covered.symbol_id = named.id AND covered.{quoted("interval")} = %s
        WHERE named.ticker IN ({", ".join(["%s"] * len(tickers))})
        AND acted.kind IN ({", ".join(["%s"] * len(kinds))})
        AND (acted.decision IS NULL OR acted.decision <> %s) ORDER BY acted.ex_date"""
    with connection.cursor() as cursor:
        cursor.execute(asked, [DAY.name, *tickers, *kinds, Decision.KEPT_OUT])
        found = cursor.fetchall()
    return [
        _Held(ticker, kind, date.fromisoformat(day), *ratio, _is_ahead(day, last, session))
        for ticker, kind, day, *ratio, last, session in found
        if session is None or day <= session
    ]


def _is_ahead(day: str, last: str | None, session: str | None) -> bool:
    """Whether a day is after the last bar that has come. session: the one that runs; None of a live source."""
    return last is not None and (day > last[: len(day)] if session is None else day >= session)
