"""The next session of a replay in which something happens. Pure.

Where it may is looked for over whole arrays, and of these sessions one after the other is played to be sure.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from market.player import Held, Sessions, reach
from market.prices import Quote
from realtime import alerts, messages
from realtime.alerts import Rules
from realtime.conditions import PLUNGE_PERCENT
from realtime.models import AlertRule

_NEVER = datetime.min.replace(tzinfo=UTC)  # nobody is told of these prices
SPLIT, ALERT, RECORD = messages.REPLAY_EVENTS


class Event(NamedTuple):
    """number: that of its session. ticker: the first of those that have it."""

    number: int
    kind: str
    ticker: str


class Bell:
    """What rings of a session: a rule once, as it does for the feed."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._last: dict[str, Quote] = {}
        self._rung: set[tuple[int, str]] = set()

    def heard(self, quote: Quote) -> list[AlertRule]:
        """Those that ring by a price; of what came before its session it says itself what there was to close."""
        before, self._last[quote.ticker] = self._last.get(quote.ticker), quote
        crossed = alerts.crossed(before, quote, self._rules) if self._rules else []
        found = [rule for rule in crossed if (rule.pk, quote.ticker) not in self._rung]
        self._rung.update((rule.pk, quote.ticker) for rule in found)
        return found


def candidates(sessions: Sessions, since: int, kind: str, rules: Rules) -> list[int]:
    """The sessions from one on in which it may happen; in no other it does."""
    found = [sessions.numbers(held, _MAY[kind](held, rules)) for held in sessions.held]
    numbers = np.unique(np.concatenate(found))
    return numbers[numbers >= since].tolist()


def first(sessions: Sessions, numbers: Iterable[int], kind: str, rules: Rules) -> Event | None:
    """The first of these sessions; None where it happens in none of them."""
    happens = _FINDERS[kind]
    for number in numbers:
        ticker = happens(sessions, number, rules)
        if ticker is not None:
            return Event(number, kind, ticker)
    return None


def _splits(sessions: Sessions, number: int, rules: Rules) -> str | None:
    return next((held.ticker for held, own in sessions.playing(number) if held.begins_anew(own)), None)


def _records(sessions: Sessions, number: int, rules: Rules) -> str | None:
    return next((held.ticker for held, own in sessions.playing(number) if held.sets_record(own)), None)


def _rings(sessions: Sessions, number: int, rules: Rules) -> str | None:
    bell = Bell(rules)
    steps = sessions.steps(number, _NEVER) if rules else ()
    return next((step.held.ticker for step in steps if bell.heard(step.quote)), None)


def _may_ring(held: Held, rules: Rules) -> np.ndarray:
    low, high = reach.prices(held)
    close = reach.previous_closes(held)
    found = np.zeros(len(held), bool)
    for rule in (*rules.get(held.ticker, ()), *rules.get(None, ())):
        found |= _MAY_RING[rule.kind](low, high, close, rule.level)
    return found


def _may_rise(low: np.ndarray, high: np.ndarray, close: np.ndarray, level: float) -> np.ndarray:
    return (high > level) & (np.fmin(low, close) <= level)


def _may_plunge(low: np.ndarray, high: np.ndarray, close: np.ndarray, percent: float | None) -> np.ndarray:
    line = 1 + (PLUNGE_PERCENT if percent is None else percent) / 100
    return (close > 0) & (low <= close * line + reach.SLACK * close)


# Each by the lowest and highest price of a session, the close before it, and a rule's level.
_MAY_RING = {"price_above": _may_rise, "plunge": _may_plunge}
_MAY: dict[str, Callable[[Held, Rules], np.ndarray]] = {
    SPLIT: lambda held, rules: reach.begins_anew(held),
    ALERT: _may_ring,
    RECORD: lambda held, rules: reach.sets_record(held),
}
_FINDERS: dict[str, Callable[[Sessions, int, Rules], str | None]] = {SPLIT: _splits, ALERT: _rings, RECORD: _records}
