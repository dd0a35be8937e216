"""What past sessions say: what the feed would have told, prices, bars, indicators and what rang, each marked as a
replay.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from analysis import summary
from analysis.indicators.entry import Indicator
from analysis.summary import Series
from market.bars import forming
from market.player import Held, Sessions, Step
from realtime import alerts, messages, moved
from realtime.alerts import Rules
from realtime.messages import Message
from realtime.replay.events import Bell


class Told(NamedTuple):
    """What one price brings with it, encoded, in order. after: seconds since its session began."""

    after: float
    bodies: list[bytes]


class Body:
    """The indicators of what plays, and the numbers of its streams: those of this replay alone.

    received_at: as which its prices are told. rules: those that ring for whoever hears it. extra: indicators beyond
    those that everybody gets, by key.
    """

    def __init__(
        self,
        sessions: Sessions,
        received_at: datetime,
        rules: Rules | None = None,
        extra: Mapping[str, Indicator] = MappingProxyType({}),
    ) -> None:
        self.sessions, self.rules, self._received_at = sessions, rules or {}, received_at
        self._extra = dict(sorted(extra.items()))
        self._series: dict[str, Series] = {}
        self._beside: dict[str, Series] = {}  # of those that are extra
        self._numbers: Counter[str] = Counter()

    def session(self, number: int) -> Iterator[Told]:
        """What a session says, whatever was played before it."""
        for held, own in self.sessions.playing(number):
            self._open(held, own)
        bell = Bell(self.rules)
        for step in self.sessions.steps(number, self._received_at):
            yield Told(step.after, [self._numbered(message) for message in self._told(step, bell)])

    def _told(self, step: Step, bell: Bell) -> list[Message]:
        series = self._series[step.held.ticker]
        bar, values = forming.daily_bar(step.quote), series.moved(step.quote)
        version = series.version or ""
        return [
            messages.price(step.quote),
            *moved.told([bar] if bar else [], [values] if values else [], lambda ticker: version),
            *self._told_beside(step),
            *(messages.alert(alerts.played(rule, step.quote, step.held.decimals)) for rule in bell.heard(step.quote)),
        ]

    def _told_beside(self, step: Step) -> list[Message]:
        """One message an indicator, as on the stream that it has alone."""
        values = self._beside[step.held.ticker].moved(step.quote) if self._extra else None
        return [messages.indicators(values, key) for key in self._extra] if values else []

    def _open(self, held: Held, number: int) -> None:
        """Have the indicators stand upon what came before a session: where they do, they go on."""
        series = self._series.get(held.ticker)
        before = held.session(number - 1) if number else None
        if series is None or series.session_date != before or held.begins_anew(number):
            session, columns = held.session(number), held.before(number)
            self._series[held.ticker] = summary.opened(held.ticker, columns, session, version=held.version)
            if self._extra:
                beside = summary.opened(held.ticker, columns, session, self._extra, version=held.version)
                self._beside[held.ticker] = beside

    def _numbered(self, message: Message) -> bytes:
        self._numbers[message.stream] += 1
        return messages.replayed(message, self._numbers[message.stream])
