"""Which conditions hold now, and since which session: the rules' own in their state form, and the records'."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from market import actions, bars, prices, records
from market.bars.columns.kept import Columns
from market.models import Record
from market.prices import Quote
from realtime.alerts import Rules
from realtime.conditions import HOLDING, PLUNGE_PERCENT
from realtime.models import AlertRule

NEW_HIGH, NEW_LOW = RECORDS = "new_high", "new_low"


@dataclass(frozen=True, slots=True)
class Held:
    """level: the rule's, or the record that stands. since: a session; None where the bars do not reach back to it.

    scope: of a record, `52_weeks` or `all_time`. severity: of a rule.
    """

    kind: str
    level: float
    since: date | None
    scope: str = ""
    severity: str = ""

    def as_json(self) -> dict[str, Any]:
        told = {"kind": self.kind, "level": self.level, "since": self.since and prices.midnight(self.since),
                "since_precision": prices.DAY}  # fmt: skip
        more = {"scope": self.scope, "severity": self.severity}
        return told | {name: value for name, value in more.items() if value}


def of(quotes: Collection[Quote], rules: Rules) -> dict[str, list[Held]]:
    """What holds of each ticker by its newest quote, rules first and in their order; a read or two of all."""
    holding = {quote.ticker: list(_ringing(quote, rules)) for quote in quotes}
    above = [ticker for ticker, found in holding.items() if any(rule.kind == "price_above" for rule in found)]
    histories = bars.of_many(above) if above else {}
    tickers = list(holding)
    extremes = records.latest(tickers, actions.splits(tickers)) if tickers else {}
    return {
        quote.ticker: [
            *(_held(rule, quote, histories.get(quote.ticker)) for rule in holding[quote.ticker]),
            *_records(extremes[quote.ticker], quote),
        ]
        for quote in quotes
    }


def _ringing(quote: Quote, rules: Rules) -> Iterator[AlertRule]:
    for rule in (*rules.get(quote.ticker, ()), *rules.get(None, ())):
        if HOLDING[rule.kind](quote, rule.level):
            yield rule


def _held(rule: AlertRule, quote: Quote, columns: Columns | None) -> Held:
    if rule.kind == "price_above":
        return Held(rule.kind, rule.level, since_above(quote, rule.level, columns), severity=rule.severity)
    level = PLUNGE_PERCENT if rule.level is None else rule.level
    return Held(rule.kind, level, quote.session_date, severity=rule.severity)


def since_above(quote: Quote, level: float, columns: Columns | None) -> date | None:
    """The session since which the price has been above a level: that in which it went over it last.

    columns: the final daily bars in today's shares. None where they never were at it or below: it is older than they.
    """
    if quote.low is not None and quote.low <= level:
        return quote.session_date
    sessions = columns["session_date"] if columns else np.empty(0, "datetime64[D]")
    count = int(np.searchsorted(sessions, np.datetime64(quote.session_date)))
    below = np.flatnonzero(columns["low"][:count] <= level) if count else np.empty(0, int)
    if not len(below):
        return None
    last = int(below[-1])
    if columns["close"][last] > level:  # it went over it within that session
        return sessions[last].item()
    return sessions[last + 1].item() if last + 1 < count else quote.session_date


def _records(found: Mapping[str, Record], quote: Quote) -> Iterable[Held]:
    """Those that the quote's own session set. A first session is no record of anything."""
    for scope, record in found.items():
        now = records.with_session(record, quote)
        if now.since >= quote.session_date:
            continue
        if now.high_date == quote.session_date:
            yield Held(NEW_HIGH, now.high, now.high_date, scope)
        if now.low_date == quote.session_date:
            yield Held(NEW_LOW, now.low, now.low_date, scope)
