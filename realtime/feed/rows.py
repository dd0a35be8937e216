"""The row lane: what a price brings with it in the database and on its other streams, in order per symbol."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from analysis import summary
from analysis.models import UntoldSignal
from analysis.seen import asked
from analysis.seen import rows as signals
from analysis.seen.rows import Seen
from analysis.technical import rows
from market import actions, quotes, symbols
from market.bars import forming
from market.prices import Quote
from monitoring import jobs
from monitoring.loops import Loop
from realtime import alerts, events, messages, streams
from realtime.feed import conflation, epochs, insisting, left, publishing
from realtime.feed.awaited import Awaited
from realtime.feed.bars import Bars
from realtime.feed.facts import EVERY_SECONDS, Facts
from realtime.feed.insisting import Insisting
from realtime.feed.opened import Opened
from realtime.feed.waiting import Taken, Waiting
from realtime.feed.within import BarsWithin
from realtime.messages import Message
from realtime.models import Alert
from realtime.streams import Published

logger = logging.getLogger(__name__)

SIGNALS_SECONDS = 1.0  # between two looks at what is to be told


class RowLane:
    """What one feed remembers: the bars that it told, what the rules have seen, and the rules."""

    def __init__(
        self,
        insist: Insisting,
        facts: Facts,
        waiting: Waiting,
        awaited: Awaited,
        opened: Opened,
        *,
        are_bars_stored: bool,
    ) -> None:
        self._insist, self._facts, self._waiting, self._awaited = insist, facts, waiting, awaited
        self._opened = opened
        self._bars, self._within = Bars(are_stored=are_bars_stored), BarsWithin()
        self._seen: dict[str, Quote] = {}
        self._rules_until = 0.0
        self._first_left: int | None = None  # the lowest number that Redis keeps for a feed after this one
        self._names: Mapping[str, str] = {}
        self._session = date.min
        self._pass: int | None = None  # of a recording
        self._signals_at = 0.0

    def resume(self) -> dict[str, Quote]:
        """Publish alerts that were saved and not published; a crash came in between. By ticker what has its rows.

        What formed within sessions is left out: of a bar that began before we heard of it nobody knows the whole.
        """
        forming.drop_within()
        self._opened.begin()
        if left_over := alerts.unpublished():
            logger.info("Publishing %d alerts that were saved and not published", len(left_over))
            told = [messages.alert(alert) for alert in left_over]
            events.keep(told, self._publish(told, streams.new_batch()))
            alerts.mark_published(left_over, datetime.now(UTC))
        self._seen, self._awaited.rules = alerts.seen(), alerts.rules()
        summary.remember(rows.latest([symbol.ticker for symbol in symbols.tracked()]))
        return self._seen

    def begin(self, closes: Sequence[Quote], number: int) -> None:
        """Time goes on from elsewhere: what was told is of another. closes: what was seen before, in the pass that
        runs. Safe to run again.
        """
        alerts.begin(closes)
        self._bars.reset()
        self._seen.clear()
        self._seen.update({quote.ticker: quote for quote in closes})
        self._session, self._pass = date.min, number

    def catch_up(self, loop: Loop) -> None:
        """Give their rows to all that wait."""
        self._read_rules_when_due()
        self._give_all(loop)
        self._do_what_is_due(loop)

    def follow(self, loop: Loop, wait_seconds: float) -> None:
        """Give their rows to those that somebody waits for, and every few seconds to all.

        Then the rules are read anew: what waited came before, and is judged by those of then.
        """
        if self._are_rules_due():
            before = rules = self._awaited.rules
            with loop.one("the rules"):
                rules = self._insist(alerts.rules)
            self._give_all(loop)
            if self._awaited.rules is before:  # else they were read since, for a symbol that is new or renamed
                self._keep_rules(rules)
        self._give_rows(self._waiting.take_awaited(wait_seconds), loop)
        self._do_what_is_due(loop)

    def _give_all(self, loop: Loop) -> None:
        """To all that wait now: prices that go on and on would hold up what is due."""
        newest = self._waiting.newest
        while (first := self._waiting.first_number()) is not None and first <= newest:
            self._give_rows(self._waiting.take(), loop)

    def _give_rows(self, waiting: Sequence[Taken], loop: Loop) -> None:
        if not waiting:
            return
        try:
            for places in conflation.rounds([each.quote for each in waiting]):
                insisting.each_apart([waiting[place] for place in places], self.take, self._take_alone, loop)
        finally:
            self._waiting.done()
        first = self._waiting.first_number()
        if first is None or first != self._first_left:
            self._insist(lambda: left.drop(before=first))
            self._first_left = first

    def _do_what_is_due(self, loop: Loop) -> None:
        with loop.one("names"):
            self._follow_names()
        if is_due := self._opened.is_due():
            with loop.one("what somebody holds"):
                self._open(loop)
        with loop.one("bars within sessions"):
            if over := self._within.over(datetime.now(UTC), self._insist):
                insisting.each_apart(over, self._tell, lambda message: self._tell([message]), loop)
                self._within.told()
        with loop.one("signals on bars that form"):
            self._keep_signals(self._insist(self._bars.watch.look))
        with loop.one("signals"):
            self._tell_signals(loop)
        if is_due:
            with loop.one("what is told"):
                self._insist(lambda: self._opened.tell(self._bars.extras.names | self._within.names))
        self._insist(lambda: quotes.flush_when_due(datetime.now(UTC)))

    def _keep_signals(self, seen: Sequence[Seen]) -> None:
        """Those without a row get one, and are told at once."""
        if seen and self._insist(lambda: signals.keep(seen, self._pass)):
            self._signals_at = 0.0

    def _tell_signals(self, loop: Loop) -> None:
        """Publish what was seen, by this feed or by a worker, and not told yet: in order, and again after a crash."""
        if time.monotonic() < self._signals_at:
            return
        owed = self._insist(signals.untold)
        if owed:
            insisting.each_apart(owed, self._tell_some, self._tell_one, loop)
        self._signals_at = time.monotonic() + (0.0 if len(owed) == signals.AT_ONCE else SIGNALS_SECONDS)

    def _tell_some(self, owed: Sequence[UntoldSignal]) -> None:
        told = [messages.signal(asked.fields(each.signal)) for each in owed if signals.runs(each, self._pass)]
        batch = streams.new_batch()
        published = self._insist(lambda: self._publish(told, batch))
        self._insist(lambda: events.keep(told, published, number=self._pass))
        self._insist(lambda: signals.mark_told(owed))

    def _tell_one(self, owed: UntoldSignal) -> None:
        """One that can't be told holds up no other: it stays a row, and is told to nobody."""
        try:
            self._tell_some([owed])
        except insisting.ENDS:
            raise
        except Exception:
            self._insist(lambda: signals.mark_told([owed]))
            raise

    def _open(self, loop: Loop) -> None:
        """Tell what somebody holds since the last look, and no more what nobody does."""
        self._insist(self._opened.look)
        names, batch = self._opened.names, streams.new_batch()
        self._within.open(names, self._insist)
        told = self._insist(lambda: self._bars.extras.open(names, self._seen, loop))
        self._insist(lambda: self._publish(told, batch))

    def take(self, taken: Sequence[Taken]) -> None:
        """A round: saved, published, and marked as published."""
        insist = self._insist
        now = self._counted(taken)
        newest = list({quote.ticker: quote for quote in now}.values())
        insist(lambda: self._begin_sessions(now))
        moved = [*self._bars.moved(newest, insist), *self._within.moved(now, self._facts.homes, insist)]
        if any(quote.ticker in self._facts.names for quote in now):
            raise streams.Renamed(f"one of {len(now)} quotes")  # learned just now
        rung = insist(lambda: self._rung(now))
        insist(lambda: alerts.mark_seen(newest))
        told, batch = [*moved, *map(messages.alert, rung)], streams.new_batch()
        published = insist(lambda: self._publish(told, batch))
        insist(lambda: events.keep(told, published, number=self._pass))
        insist(lambda: alerts.mark_published(rung, datetime.now(UTC)))
        self._seen |= {quote.ticker: quote for quote in newest}
        self._keep_signals(self._bars.seen)
        self._bars.seen.clear()
        self._bars.told()
        self._within.told(quote.ticker for quote in now)
        insist(lambda: self._ask_for_records(newest))

    def _take_alone(self, taken: Taken) -> None:
        ticker = taken.quote.ticker
        self._insist(lambda: self._facts.learn(ticker))  # it may have broken as its symbol has another name
        self._bars.forget(self._facts.names.get(ticker, ticker))  # they may have moved by a part of the round
        self.take([taken])

    def _counted(self, taken: Sequence[Taken]) -> list[Quote]:
        """The quotes by today's tickers, each with the close that its change is counted from."""
        self._follow_names()
        named = self._facts.named([each.quote for each in taken])
        left_out = [quote for quote, each in zip(named, taken, strict=True) if not each.is_counted]
        counted = iter(self._insist(lambda: self._facts.closes.counted(left_out, self._seen)))
        return [quote if each.is_counted else next(counted) for quote, each in zip(named, taken, strict=True)]

    def _begin_sessions(self, now: Sequence[Quote]) -> None:
        """Where the first price of a session has come, what takes effect with it does."""
        before = {ticker: quote.session_date for ticker, quote in self._seen.items()}
        first = [quote for quote in now if quote.session_date > before.get(quote.ticker, date.min)]
        if first:
            actions.begin({quote.ticker: quote.session_date for quote in first})

    def _rung(self, now: Sequence[Quote]) -> list[Alert]:
        """What rang. A new symbol, or one that has another ticker now, may have rules that are not known yet."""
        known = [quote for quote in now if quote.ticker in self._seen]
        rung = alerts.check(self._seen, known, self._awaited.rules, number=self._pass)
        if len(known) < len(now):
            self._read_rules()
            new = [quote for quote in now if quote.ticker not in self._seen]
            rung += alerts.check(self._seen, new, self._awaited.rules, number=self._pass)
        return rung

    def _are_rules_due(self) -> bool:
        return time.monotonic() >= self._rules_until

    def _read_rules_when_due(self) -> None:
        if self._are_rules_due():
            self._insist(self._read_rules)

    def _read_rules(self) -> None:
        self._keep_rules(alerts.rules())

    def _keep_rules(self, rules: alerts.Rules) -> None:
        self._awaited.rules, self._rules_until = rules, time.monotonic() + EVERY_SECONDS

    def _follow_names(self) -> None:
        """What is remembered by former tickers goes along."""
        names = self._facts.names
        if names is self._names:
            return
        for old, new in names.items() - self._names.items():
            self._bars.rename(old, new)
            self._within.rename(old, new)
            self._opened.rename(old, new)
            if old in self._seen:
                self._seen[new] = replace(self._seen.pop(old), ticker=new)
        if names != self._names:
            self._insist(self._read_rules)
        self._names = names

    def _tell(self, found: Sequence[Message]) -> None:
        batch = streams.new_batch()
        self._insist(lambda: self._publish(found, batch))

    def _publish(self, found: Sequence[Message], batch: str) -> Published:
        lease, facts = self._insist.lease, self._facts
        return publishing.publish(found, batch=batch, lease=lease, facts=facts, learn=self._learn)

    def _learn(self, ticker: str) -> bool:
        self._facts.learn(ticker)
        return True

    def _ask_for_records(self, now: Sequence[Quote]) -> None:
        """Where a session begins the one before is whole: a worker counts its highs and lows, and its indicators."""
        newest = max((quote.session_date for quote in now), default=date.min)
        if newest > self._session:
            for name in ("market.records", "analysis.indicators", "analysis.signals"):
                jobs.submit(name, key=f"{name}:{epochs.now()}:{newest}")
            self._session = newest
