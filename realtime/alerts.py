"""Alerts: rules against quotes. What crossed is saved once, then published, then marked as published."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Replace
from django.utils import translation

from market import actions, quotes
from market.clock import passes
from market.clock.passes import Place
from market.models import DataSource, Symbol
from market.prices import Quote
from monitoring import redis, turns
from monitoring.fields import Field
from realtime import wording
from realtime.conditions import CONDITIONS, PLUNGE_PERCENT
from realtime.models import Alert, AlertRule

# The active rules of each ticker; those of None hold for every symbol.
Rules = dict[str | None, list[AlertRule]]
AT_ONCE = 500  # of those that are deleted
Step = tuple[Quote | None, Quote]  # what was seen before, and now


def prepare() -> None:
    """Have the system's own rule, which an admin may change or switch off. Safe to run again."""
    if not AlertRule.objects.filter(owner=None, symbol=None, kind="plunge").exists():
        AlertRule.objects.create(kind="plunge", level=PLUNGE_PERCENT)


def rules() -> Rules:
    """The active rules by ticker, in one query."""
    return _by_ticker(Q())


def rules_for(user_id: int | None) -> Rules:
    """Of those rules the ones whose alerts somebody hears: their own and the system's; a guest hears these alone."""
    return _by_ticker(Q(owner=None) if user_id is None else Q(owner=None) | Q(owner=user_id))


def check(
    before: dict[str, Quote | None], now: Sequence[Quote], active: Rules | None = None, *, number: int | None = None
) -> list[Alert]:
    """What rang between the quotes before and those now, saved and not yet published; what rang already is left out.

    before: the last quote of each ticker of `now`, None where nothing was seen. now: in order of arrival, and there
    may be several of a ticker. active: the rules, for a caller that keeps them. number: of the pass that it happens
    in; None: of the one that runs. Raises passes.Overtaken where another one runs by now.
    """
    active = rules() if active is None else active
    crossings = [
        (rule, quote)
        for last, quote in _in_the_same_shares(list(_steps(before, now)))
        for rule in crossed(last, quote, active)
    ]
    return _save(crossings, number) if crossings else []


def crossed(before: Quote | None, now: Quote, active: Rules) -> list[AlertRule]:
    """The rules that ring from one price to the next, both in the shares of the second."""
    rules = (*active.get(now.ticker, ()), *active.get(None, ()))
    return [rule for rule in rules if CONDITIONS[rule.kind](before, now, rule.level)]


def played(rule: AlertRule, quote: Quote, decimals: int) -> Alert:
    """What a rule would say of a price of the past, stored nowhere. decimals: its symbol's."""
    symbol = Symbol(ticker=quote.ticker, price_decimals=decimals)
    return Alert(symbol=symbol, **_facts(rule, quote, decimals))


def rings(before: Quote, now: Quote, active: Rules) -> bool:
    """Whether anything rings from one price of a session to the next."""
    return bool(crossed(before, now, active))


def seen() -> dict[str, Quote]:
    """The last quote of each ticker that the rules were checked against, also before a crash."""
    found = quotes.FORMAT.unpack_all(redis.client().hgetall(_seen_key()).values())
    return {quote.ticker: quote for quote in found}


def mark_seen(told: Sequence[Quote]) -> None:
    """Remember that the rules were checked against these. Until then a crash checks again from where they were."""
    if told:
        redis.client().hset(_seen_key(), mapping={quote.ticker: quotes.FORMAT.pack(quote) for quote in told})


def seen_field(ticker: str) -> Field:
    """Where the last quote of a ticker that the rules were checked against is kept."""
    return Field(_seen_key(), ticker)


def rename(symbol: Symbol, old: str, new: str) -> None:
    """Have what rang for a symbol bear its new ticker in its key: what rang rings no second time by another name."""
    keys = Replace("dedupe_key", Value(f":{old}:"), Value(f":{new}:"))
    Alert.objects.filter(symbol=symbol, pass_number=DataSource.objects.pass_number()).update(dedupe_key=keys)


def unpublished() -> list[Alert]:
    """Saved and not marked: a crash came in between, so they are to be published again. Oldest first. Of a pass that is
    over nobody is told any more.
    """
    return list(Alert.objects.running().unpublished())


def mark_published(alerts: Sequence[Alert], now: datetime) -> None:
    if not alerts:
        return
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts], published_at=None).update(published_at=now)


def forget_before(instant: datetime) -> int:
    """Delete what rang before, oldest first, a few at a time. Returns how many."""
    return turns.delete_before(Alert, "created_at", instant, AT_ONCE)


def forget_passes() -> int:
    """Delete what rang in passes of a recording that are kept no longer, a few at a time. Returns how many."""
    last = DataSource.objects.pass_number() - passes.KEPT
    return turns.delete(Alert.objects.filter(pass_number__lte=last), AT_ONCE)


def begin(closes: Sequence[Quote]) -> None:
    """Time goes on from elsewhere, and these are what was seen before."""
    redis.client().delete(_seen_key())
    mark_seen(closes)


def _by_ticker(wanted: Q) -> Rules:
    found: Rules = {}
    active = AlertRule.objects.filter(wanted, is_active=True, kind__in=CONDITIONS)
    for rule in active.select_related("symbol").order_by("id"):
        found.setdefault(rule.symbol.ticker if rule.symbol else None, []).append(rule)
    return found


def _steps(before: dict[str, Quote | None], now: Sequence[Quote]) -> Iterator[Step]:
    """Each quote with the one that it follows."""
    last = dict(before)
    for quote in now:
        yield last.get(quote.ticker), quote
        last[quote.ticker] = quote


def _in_the_same_shares(steps: list[Step]) -> list[Step]:
    """The steps with what was seen before in the shares of the quote that follows it, by the splits that are known."""
    spans = [last and (quote.ticker, last.session_date, quote.session_date) for last, quote in steps]
    shares = actions.between({span for span in spans if span and span[1] < span[2]})
    return [
        (replace(last, price=last.price * shares[span]) if span in shares else last, quote)
        for span, (last, quote) in zip(spans, steps, strict=True)
    ]


@transaction.atomic
def _save(crossings: list[tuple[AlertRule, Quote]], number: int | None) -> list[Alert]:
    if number is not None:
        passes.require(number)
    now = passes.found() or Place(1, 1, None)
    symbols = Symbol.objects.in_bulk({quote.ticker for _, quote in crossings}, field_name="ticker")
    saved = [_kept(rule, quote, symbols[quote.ticker], now) for rule, quote in crossings]
    # A retry meets rows that it wrote itself: they still wait to be published.
    return [alert for alert in saved if alert.published_at is None]


def _kept(rule: AlertRule, quote: Quote, symbol: Symbol, now: Place) -> Alert:
    """The alert of a crossing. The unique key decides, in a savepoint of its own: the first to write it stays."""
    level = "" if rule.level is None else f"{rule.level:g}"
    alert, _ = Alert.objects.get_or_create(
        dedupe_key=f"{rule.pk}:{level}:{quote.ticker}:{quote.session_date:%Y-%m-%d}:{now.pass_number}",
        defaults={
            "symbol": symbol,
            "epoch": now.epoch,
            "pass_number": now.pass_number,
            **_facts(rule, quote, symbol.price_decimals),
        },
    )
    alert.symbol = symbol
    return alert


def _facts(rule: AlertRule, quote: Quote, decimals: int) -> dict[str, Any]:
    """What an alert says of itself."""
    values = _VALUES[rule.kind](rule, quote) | {"decimals": decimals}
    return {
        "rule": rule,
        "owner_id": rule.owner_id,
        "kind": rule.kind,
        "severity": rule.severity,
        "message": _message(rule.kind, quote.ticker, values),
        "values": values,
        "price": quote.price,
        "session_date": quote.session_date,
        "as_of": quote.as_of,
        "as_of_precision": quote.as_of_precision,
        "received_at": quote.received_at,
        "source": quote.source,
    }


def _seen_key() -> str:
    return quotes.FORMAT.key("alerts", "seen")


def _message(kind: str, ticker: str, values: dict) -> str:
    with translation.override("en"):  # for programs; who reads it has it worded from kind and values
        return wording.says(kind, ticker, values, kind)


def _rose(rule: AlertRule, quote: Quote) -> dict:
    return {"level": rule.level, "price": quote.price}


def _plunged(rule: AlertRule, quote: Quote) -> dict:
    return {"change_percent": quote.change_percent, "price": quote.price, "close": quote.previous_close}


_VALUES = {"price_above": _rose, "plunge": _plunged}
