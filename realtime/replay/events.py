"""The next session of a replay in which something happens. Pure."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from market.player import Sessions
from market.prices import Quote
from realtime import alerts, messages
from realtime.alerts import Rules
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


_FINDERS: dict[str, Callable[[Sessions, int, Rules], str | None]] = {SPLIT: _splits, ALERT: _rings, RECORD: _records}
