"""What rules see on the sessions that a replay plays: found once over all that is held, as the history's are.

Cutting the future off changes no signal, so that at each session is told what was to be known then.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.seen import comparing, fired
from analysis.signals.catalogue import RULES
from market import prices
from market.intervals import DAY
from market.player import Held, Sessions
from market.prices import Quote
from realtime import messages
from realtime.messages import Message

MOST = 50  # symbols: each takes ten milliseconds
_NAMES = tuple(RULES)


@dataclass(frozen=True, slots=True)
class Signals:
    """Of one symbol. numbers: of the sessions, ascending; rules: by their places, beside them."""

    numbers: np.ndarray
    rules: np.ndarray

    def at(self, number: int) -> list[str]:
        first, until = np.searchsorted(self.numbers, [number, number + 1])
        return [_NAMES[place] for place in self.rules[first:until].tolist()]


def of(sessions: Sessions) -> Mapping[str, Signals]:
    """By ticker; of more symbols than that none."""
    return {held.ticker: _found(held) for held in sessions.held} if len(sessions.held) <= MOST else {}


def told(found: Signals, held: Held, number: int, quote: Quote) -> list[Message]:
    """As the feed tells them once a session is settled, stored nowhere."""
    return [messages.signal(_fields(rule, held, quote)) for rule in found.at(number)]


def _found(held: Held) -> Signals:
    bars = fired.over(held.ticker, held.whole()).bars
    numbers = np.concatenate([bars.get(rule, np.empty(0, np.int64)) for rule in _NAMES])
    rules = np.repeat(np.arange(len(_NAMES), dtype=np.int16), [len(bars.get(rule, ())) for rule in _NAMES])
    order = np.argsort(numbers, kind="stable")
    return Signals(numbers[order].astype(np.int32), rules[order])


def _fields(rule: str, held: Held, quote: Quote) -> dict:
    return {
        "symbol": quote.ticker,
        "interval": DAY.name,
        "rule": rule,
        "direction": RULES[rule].direction,
        "state": comparing.CONFIRMED,
        "holds": True,
        "as_of": prices.instant(prices.midnight(quote.session_date)),
        "as_of_precision": DAY.precision,
        "session_date": quote.session_date.isoformat(),
        "price": quote.price,
        "source": quote.source,
        "received_at": prices.instant(quote.received_at),
        "version": held.version,
        "record": None,
    }
