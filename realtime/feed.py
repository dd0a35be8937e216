"""The live loop: what a source says becomes quotes, bars, indicators and alerts, is saved, and then published.

One feed plays at a time: it holds a lease, and another one stands by until that is free. While the database or Redis
is away every step is tried again until it succeeds, so that no batch is dropped; the source waits meanwhile.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from threading import Event
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection
from redis.exceptions import ConnectionError, OutOfMemoryError, ReadOnlyError, TimeoutError

from analysis.summary import Summary
from market import actions, bars, quotes, symbols
from market.bars import forming, stored
from market.closes import Closes
from market.models import Bar as BarRow
from market.models import DataSource
from market.prices import CLOSED_BAR, FINAL, FORMING, Bar, Quote
from market.sources import Rewind, Source, Tick
from monitoring import formats, jobs, redis
from monitoring.loops import Loop
from realtime import alerts, messages, renaming, streams
from realtime.corrections import Corrections
from realtime.lease import Lease, LeaseLost
from realtime.messages import Message
from realtime.models import AlertRule
from realtime.pulse import Pulse
from realtime.relay import Relay
from realtime.timekeeper import Home, Timekeeper

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

LEASE_SECONDS, STANDBY_SECONDS = 3.0, 0.5
FACTS_SECONDS = 3.0  # rules and symbols are read again after so long
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.1, 2.0
AWAY = (ConnectionError, TimeoutError, OutOfMemoryError, ReadOnlyError, OperationalError, InterfaceError)
_EPOCH = formats.Format(int)
RENEWED = ("prices", "bars", "indicators", "signals", "alerts")


class Stopped(Exception):
    """Told to stop while waiting for what is away."""


ENDS = (Stopped, LeaseLost)


def run(source: Source, stop: Event) -> None:
    """Play a source until `stop` is set, once no other feed does. Raises LeaseLost where another took over."""
    lease = Lease("feed", LEASE_SECONDS)
    feed, pulse = Feed(source, stop, lease), Pulse("feed", source, lease, stop)
    try:
        if feed.stand_by():
            with pulse, Relay(), Corrections():
                feed.play(pulse)
    except Stopped:
        logger.info("The feed was stopped while it waited")
    if pulse.is_lease_lost:
        raise LeaseLost


class Feed:
    """What one feed remembers: the live indicators, what the rules have seen, and the closes that it has told."""

    def __init__(self, source: Source, stop: Event, lease: Lease) -> None:
        self._source, self._stop, self._lease = source, stop, lease
        self._summary = Summary()
        self._closes = Closes(asks=True)
        self._seen: dict[str, Quote] = {}
        self._told: dict[str, tuple] = {}
        self._rules: alerts.Rules = {}
        self._names: dict[str, str] = {}  # today's ticker of each former one
        self._home: Home | None = None
        self._exchanges: frozenset[str] = frozenset()
        self._facts_until = 0.0
        self._session = date.min
        self._loop = Loop("feed", patience_seconds=60.0, ends=ENDS)

    def stand_by(self) -> bool:
        """Wait until the lease is ours; False where we are stopped first."""
        is_told = False
        while not self._stop.is_set():
            if self._insist(self._lease.take, is_ours=False):
                return True
            if not is_told:
                logger.info("Another feed plays; this one stands by")
            is_told = True
            self._stop.wait(STANDBY_SECONDS)
        return False

    def play(self, pulse: Pulse) -> None:
        """Take batch after batch until we are stopped."""
        for step in (self._source.prepare, alerts.prepare, self.resume, self._read_facts):
            self._insist(step)
        # A source that says nothing is no fault of ours; a batch that waits for the database is told by that.
        with Timekeeper(self._source, lambda: self._home, lambda: self._exchanges), self._loop:
            while not self._stop.is_set():
                self._play_on(pulse)
        self._insist(lambda: quotes.flush(datetime.now(UTC)))

    def _play_on(self, pulse: Pulse) -> None:
        try:
            for event in self._source.batches(self._stop):
                with self._loop.turn():
                    self._take_apart(event)
                pulse.heard()
        except AWAY as error:
            logger.warning("The source can't go on: %s", error)
            connection.close()
            self._stop.wait(FIRST_WAIT_SECONDS)
        except ENDS:
            raise
        except Exception as error:  # noqa: BLE001 - the last line of defence: the source is asked anew
            self._loop.fail(error)
            self._stop.wait(FIRST_WAIT_SECONDS)

    def _take_apart(self, event: Tick | Rewind) -> None:
        """Take a batch; where it breaks, each of its quotes alone, so that one of them costs no other."""
        try:
            self.take(event)
        except ENDS:
            raise
        except Exception as error:
            if isinstance(event, Rewind):
                raise
            logger.warning("A batch of %d broke on %r: its quotes are taken one by one", len(event.quotes), error)
            for quote in event.quotes:
                with self._loop.one(quote.ticker):
                    self._take_alone(quote)

    def _take_alone(self, quote: Quote) -> None:
        self._summary.forget([quote.ticker])  # it may have moved by a part of the batch
        self._insist(self._learn_names)  # it may have broken because its symbol has another now
        self.take(Tick([quote]))

    def resume(self) -> None:
        """What a crash left open: an epoch that was not announced, and alerts that were saved and not published."""
        epoch = DataSource.objects.epoch()
        announced = _EPOCH.unpack(redis.client().get(_EPOCH.key("feed", "epoch")))
        if announced != epoch:
            self._begin(epoch, "Prices start afresh." if announced else "")
        if left := alerts.unpublished():
            logger.info("Publishing %d alerts that were saved and not published", len(left))
            self._publish([messages.alert(alert) for alert in left])
            alerts.mark_published(left, datetime.now(UTC))
        self._seen = alerts.seen()

    def take(self, event: Tick | Rewind) -> None:
        """One batch of the source, whole: saved, published, and marked as published."""
        if isinstance(event, Rewind):
            text = f"The recorded sessions start again on {event.start:%Y-%m-%d}."
            self._insist(lambda: self._begin(event.epoch, text))
        elif event.quotes:
            self._tick(event.quotes)

    def _tick(self, received: Sequence[Quote]) -> None:
        insist = self._insist
        received = [replace(quote, ticker=self._names.get(quote.ticker, quote.ticker)) for quote in received]
        now = insist(lambda: quotes.keep(self._closes.counted(received, self._seen)))
        if any(quote.ticker not in self._seen for quote in now):  # a new symbol, or one that has another ticker now
            self._facts_until = 0.0
        insist(lambda: self._begin_sessions(now))
        news = [quote for quote in now if self._is_news(quote)]
        news += insist(lambda: self._settled(now))
        stored = insist(lambda: self._stored(news))
        moved = insist(lambda: self._summary.tick(_counted(news, stored)))
        insist(self._read_facts)
        if any(quote.ticker in self._names for quote in now):
            raise streams.Renamed(f"one of {len(now)} prices")  # learned just now: what was written went along
        rung = insist(lambda: alerts.check(self._seen, now, self._rules))
        insist(lambda: alerts.mark_seen(now))
        told = [*map(messages.price, now), *map(self._bar, stored), *map(messages.indicators, moved)]
        insist(lambda: self._publish([*told, *map(messages.alert, rung)]))
        insist(lambda: alerts.mark_published(rung, datetime.now(UTC)))
        self._seen |= {quote.ticker: quote for quote in now}
        self._told |= {quote.ticker: _close(quote) for quote in news if quote.has_closed}
        insist(lambda: self._ask_for_records(now))

    def _begin_sessions(self, now: list[Quote]) -> None:
        """Where the first price of a session has come, what takes effect with it does."""
        before = {ticker: quote.session_date for ticker, quote in self._seen.items()}
        first = [quote for quote in now if quote.session_date > before.get(quote.ticker, date.min)]
        if first:
            actions.begin({quote.ticker: quote.session_date for quote in first})

    def _is_news(self, quote: Quote) -> bool:
        """Whether bars and indicators move by it: not by a close told again, nor by a price after the close."""
        told = self._told.get(quote.ticker)
        if told is None or quote.session_date != told[0]:
            return True
        return quote.has_closed and _close(quote) != told and not (told[1] == FINAL != quote.state)

    def _settled(self, now: list[Quote]) -> list[Quote]:
        """The closes of the sessions that are told as closed, and whose bars others have stored as final since."""
        closed = {quote.ticker: quote for quote in now if self._told.get(quote.ticker, ())[:2] == _closed(quote)}
        found = stored.settled({quote.ticker: quote.session_date for quote in closed.values()}) if closed else {}
        return [_settled(closed[ticker], bar) for ticker, bar in found.items()]

    def _stored(self, news: list[Quote]) -> list[Bar]:
        """The bars of the quotes, saved: those that have closed in the database, those that form in Redis."""
        formed = [bar for quote in news if (bar := forming.daily_bar(quote)) is not None]
        closes = [bar for bar in formed if bar.state != FORMING]
        result = bars.upsert(closes, reason="the source told another close") if closes else None
        if result and (result.inserted < len(closes) or result.marked):  # not all stand as they were told
            self._summary.forget(bar.ticker for bar in closes)
            formed = [row for bar in formed for row in (_as_stored(bar) if bar.state != FORMING else [bar])]
        elif result:
            self._summary.follow(closes, result.versions)
        forming.keep(formed)
        return formed

    def _bar(self, bar: Bar) -> Message:
        """A bar with the version of the final ones, as the live indicators know it that stand upon the same."""
        # The newest bar is as traded and in today's shares, which is what pages show.
        return messages.bar(replace(bar, adjustment="split"), self._summary.version(bar.ticker))

    def _begin(self, epoch: int, text: str) -> None:
        """Begin an epoch: what was played has not happened yet. Safe to run again."""
        alerts.forget_other_epochs()
        self._summary.reset()
        self._seen.clear()
        self._told.clear()
        self._session = date.min
        streams.renew(_streams())
        if text:
            streams.publish([messages.system(f"{text} Every stream begins anew.", datetime.now(UTC))])
        redis.client().set(_EPOCH.key("feed", "epoch"), _EPOCH.pack(epoch))

    def _read_facts(self) -> None:
        """Every few seconds, the rules, and the exchanges where symbols are at home, and which most of them are."""
        if time.monotonic() < self._facts_until:
            return
        tracked = symbols.tracked()
        self._home = symbols.home(tracked) or self._home
        self._exchanges = frozenset(symbol.exchange for symbol in tracked)
        self._learn_names()
        self._rules, self._facts_until = alerts.rules(), time.monotonic() + FACTS_SECONDS

    def _learn_names(self) -> None:
        """Which symbols have another ticker now: what is remembered by the former one, here or in Redis, goes along."""
        found = symbols.former()
        for old, new in found.items() - self._names.items():
            renaming.follow(old, new)
            self._summary.forget([old, new])
            for remembered in (self._seen, self._told):
                if old in remembered:
                    remembered[new] = remembered.pop(old)
            if new in self._seen:
                self._seen[new] = replace(self._seen[new], ticker=new)
        if found != self._names:
            self._rules, self._names = alerts.rules(), found

    def _publish(self, found: list[Message]) -> None:
        """Publish. A stream that had moved away from a ticker begins anew where the ticker is another symbol's now.

        Raises streams.Renamed where it still leads to the one that had it: the batch is taken again, by its new name.
        """
        try:
            streams.publish(found)
        except streams.Renamed as moved:
            self._learn_names()
            ticker = moved.stream.partition(":")[2]
            if ticker in self._names:
                raise
            streams.renew(f"{kind}:{ticker}" for kind in messages.NAMED_TYPES)
            self._publish(found)

    def _ask_for_records(self, now: list[Quote]) -> None:
        """Where a session begins the one before is whole: a worker counts its highs and lows."""
        newest = max((quote.session_date for quote in now), default=date.min)
        if newest > self._session:
            epoch = DataSource.objects.epoch()
            jobs.submit("market.records", key=f"market.records:{epoch}:{newest}")
            self._session = newest

    def _insist(self, step: Callable[[], Answer], *, is_ours: bool = True) -> Answer:
        """The step's answer, however long the database or Redis is away. Raises Stopped, LeaseLost."""
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                if is_ours:
                    self._lease.require()
                return step()
            except AWAY as error:
                logger.warning("Trying again in %.1f s: %s", wait, error)
            connection.close()
            if self._stop.wait(wait):
                raise Stopped
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)


def _close(quote: Quote) -> tuple:
    """What a session's last quote says, which a source may say often."""
    return quote.session_date, quote.state, quote.price, quote.open, quote.high, quote.low, quote.volume


def _closed(quote: Quote) -> tuple:
    """How the close begins of a session that has not settled."""
    return quote.session_date, CLOSED_BAR


def _settled(quote: Quote, bar: BarRow) -> Quote:
    """The close as the bar that is stored of its session says it."""
    values = {name: getattr(bar, name) for name in ("open", "high", "low", "volume", "source", "received_at")}
    return replace(quote, price=bar.close, is_final=True, state=FINAL, **values)


def _as_stored(bar: Bar) -> list[Bar]:
    """The bar with its revision, or none where it was refused."""
    found = bars.history(bar.ticker, start=bar.opened_at, end=bar.opened_at, adjusted="raw")
    return [row for row in found if row.state != FORMING]


def _counted(news: list[Quote], stored: list[Bar]) -> list[Quote]:
    """Those by which indicators move: not by a close whose bar was refused or held back, as nobody reads it there."""
    kept = {(bar.ticker, bar.session_date) for bar in stored if bar.state != FORMING}
    return [quote for quote in news if not quote.has_closed or (quote.ticker, quote.session_date) in kept]


def _streams() -> list[str]:
    """Every stream of prices and of what is made of them, and each user's own alerts."""
    owners = AlertRule.objects.exclude(owner=None).order_by().values_list("owner", flat=True).distinct()
    of_symbols = [f"{kind}:{symbol.ticker}" for symbol in symbols.tracked() for kind in RENEWED]
    return [*of_symbols, *(f"alerts:@{owner}" for owner in owners)]
