"""What past sessions say: what the feed would have told, prices, bars, indicators, signals and what rang, each
marked as a replay.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from analysis import summary
from analysis.indicators.entry import Indicator
from analysis.summary import ADJUSTMENT, Series
from market import coverage, intervals
from market.bars import forming
from market.intervals import Interval
from market.player import Forming, Held, Moved, Sessions, Step
from market.prices import SECOND
from realtime import alerts, messages, moved
from realtime.alerts import Rules
from realtime.messages import Message
from realtime.replay import signals as rules_seen
from realtime.replay.events import Bell
from realtime.replay.signals import Signals


class Told(NamedTuple):
    """What one price brings with it, encoded, in order. after: seconds since its session began."""

    after: float
    bodies: list[bytes]


class Body:
    """The indicators of what plays, and the numbers of its streams: those of this replay alone.

    received_at: as which its prices are told. rules: those that ring for whoever hears it. extra: indicators beyond
    those that everybody gets, by key. within: intervals, of which bars are told where they form. signals: of each
    symbol what is told at its closes.
    """

    def __init__(
        self,
        sessions: Sessions,
        received_at: datetime,
        rules: Rules | None = None,
        extra: Mapping[str, Indicator] = MappingProxyType({}),
        within: Sequence[Interval] = (),
        signals: Mapping[str, Signals] = MappingProxyType({}),
    ) -> None:
        self.sessions, self.rules, self._received_at = sessions, rules or {}, received_at
        self._extra, self._within, self._signals = dict(sorted(extra.items())), within, signals
        self._seen: set[str] = set()  # the symbols whose session has told its signals
        self._versions = {held.ticker: held.versions for held in sessions.held}
        self._series: dict[str, Series] = {}
        self._beside: dict[str, Series] = {}  # of those that are extra
        self._numbers: Counter[str] = Counter()

    def session(self, number: int) -> Iterator[Told]:
        """What a session says, whatever was played before it."""
        playing = self.sessions.playing(number)
        for held, own in playing:
            self._open(held, own)
        self._seen.clear()
        bell, within, last = Bell(self.rules), Forming(playing, self._within), None
        for step in self.sessions.steps(number, self._received_at):
            last = step if step.quote.as_of_precision == SECOND else last
            yield Told(step.after, [self._numbered(message) for message in self._told(step, bell, within)])
        for at, closed in within.rest():
            after = last.after + (at - last.quote.as_of).total_seconds()
            yield Told(after, [self._numbered(self._told_within(moved)) for moved in closed])

    def _told(self, step: Step, bell: Bell, within: Forming) -> list[Message]:
        series = self._series[step.held.ticker]
        bar, values = forming.daily_bar(step.quote), series.moved(step.quote)
        version = series.version or ""
        return [
            messages.price(step.quote),
            *moved.told([bar] if bar else [], [values] if values else [], lambda ticker: version),
            *self._told_beside(step),
            *self._told_signals(step),
            *map(self._told_within, within.moved(step.quote)),
            *(messages.alert(alerts.played(rule, step.quote, step.held.decimals)) for rule in bell.heard(step.quote)),
        ]

    def _told_beside(self, step: Step) -> list[Message]:
        """One message an indicator, as on the stream that it has alone."""
        values = self._beside[step.held.ticker].moved(step.quote) if self._extra else None
        return [messages.indicators(values, key) for key in self._extra] if values else []

    def _told_signals(self, step: Step) -> list[Message]:
        """With the close of a session, once."""
        ticker, quote = step.held.ticker, step.quote
        if not quote.has_closed or ticker not in self._signals or ticker in self._seen:
            return []
        self._seen.add(ticker)
        number = step.held.number(quote.session_date)
        return rules_seen.told(self._signals[ticker], step.held, number, quote)

    def _told_within(self, moved: Moved) -> Message:
        bar = replace(moved.bar, received_at=self._received_at)
        version = self._versions[bar.ticker].get(intervals.named(bar.interval).stored_as, coverage.NONE)
        return messages.taken_back(bar, version) if moved.is_gone else messages.bar(bar, version, adjustment=ADJUSTMENT)

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
