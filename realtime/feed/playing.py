"""A feed: one plays at a time by a lease, and another one stands by until that is free.

While the database or Redis is away every step is tried again until it succeeds, so that nothing is dropped. Of a live
source prices go on without the database, in the price lane; the row lane catches up. A recorded source waits for both
lanes: where it stands is counted by what has its rows.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import Event

from django.db import connection

from market import quotes
from market.models import DataSource
from market.prices import Quote
from market.sources import Jump, Source, Tick
from monitoring.loops import Loop
from realtime import alerts
from realtime.corrections import Corrections
from realtime.feed import epochs
from realtime.feed.awaited import Awaited, Heeding
from realtime.feed.facts import Facts
from realtime.feed.following import IDLE_SECONDS, Following
from realtime.feed.insisting import AWAY, ENDS, FIRST_WAIT_SECONDS, Insisting, Stopped
from realtime.feed.looking import Looking
from realtime.feed.opened import Opened
from realtime.feed.prices import PriceLane
from realtime.feed.rows import RowLane
from realtime.feed.waiting import Waiting
from realtime.lease import Lease, LeaseLost
from realtime.pulse import Pulse
from realtime.relay import Relay
from realtime.timekeeper import Timekeeper

logger = logging.getLogger(__name__)

LEASE_SECONDS, STANDBY_SECONDS = 3.0, 0.5
PATIENCE_SECONDS = 15.0  # a lane that turns no longer is stuck


def run(source: Source, stop: Event) -> None:
    """Play a source until `stop` is set, once no other feed does. Raises LeaseLost where another took over."""
    lease = Lease("feed", LEASE_SECONDS)
    feed = Feed(source, stop, lease)
    pulse = Pulse("feed", source, lease, stop, late=feed.waiting.late)
    try:
        if feed.stand_by():
            with pulse, Relay(lease), Corrections(lease):
                feed.play(pulse)
    except Stopped:
        logger.info("The feed was stopped while it waited")
    if pulse.is_lease_lost:
        raise LeaseLost


class Feed:
    """Both lanes of one source, and what they share."""

    def __init__(self, source: Source, stop: Event, lease: Lease) -> None:
        self._source, self._stop, self._lease = source, stop, lease
        self._insist = Insisting(lease, stop)
        self.facts, awaited, opened = Facts(source), Awaited(), Opened()
        self.waiting = Waiting(awaited)
        self._heeding = Heeding(awaited, self.waiting, opened)
        self._looking = Looking(self.facts)
        is_stored = not source.about.is_recorded
        self._prices = PriceLane(self._insist, self.facts, self._looking, self.waiting, are_stored=is_stored)
        self._rows = RowLane(self._insist, self.facts, self.waiting, awaited, opened, are_bars_stored=is_stored)
        # A source that says nothing is no fault of ours.
        self._loop = Loop("feed", patience_seconds=PATIENCE_SECONDS, ends=ENDS)
        self._row_loop = Loop("feed: rows", every_seconds=IDLE_SECONDS, patience_seconds=PATIENCE_SECONDS, ends=ENDS)

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
        for step in (self._source.prepare, alerts.prepare, self.resume, self.facts.read):
            self._insist(step)
        with Timekeeper(self._source, lambda: self.facts.homes), self._loop:
            if self._source.about.is_recorded:
                self._play(self.take, pulse)
            else:
                with self._looking, self._heeding, Following(self._rows, self._row_loop, self._stop) as rows:
                    self._play(self.tell, pulse)
                rows.require()
        self._insist(lambda: quotes.flush(datetime.now(UTC)))

    def resume(self) -> None:
        """What a crash left open: an epoch that was not announced, alerts and quotes that are not published whole."""
        epoch, announced = epochs.now(), epochs.announced()
        if announced != epoch and not self._source.about.is_recorded:  # which begins with a jump
            self._begin([], DataSource.objects.pass_number())
            epochs.announce(epoch, "Prices start afresh." if announced else "")
        self._prices.resume(self._rows.resume())

    def take(self, event: Tick | Jump) -> None:
        """One batch of the source, whole: its prices, and in this thread what has rows."""
        self._insist(self.facts.read)
        self.tell(event)
        self._rows.catch_up(self._loop)

    def tell(self, event: Tick | Jump) -> None:
        """The prices of a batch; the row lane follows. A jump waits for it: both lanes begin in one step."""
        if isinstance(event, Jump):
            self._insist(lambda: self._jump(event))
            return
        if event.quotes:
            self._prices.take_apart(event.quotes, self._loop)
        if event.extended or event.over:
            self._prices.tell_extended(event, self._loop)

    def _jump(self, jump: Jump) -> None:
        """Safe to run again: what a crash left of one that nobody heard of is done where the next feed begins."""
        self._begin(jump.closes, jump.pass_number)
        if (announced := epochs.announced()) != jump.epoch:
            epochs.announce(jump.epoch, jump.text or ("Prices start afresh." if announced else ""))

    def _begin(self, closes: Sequence[Quote], number: int) -> None:
        """Begin anew in both lanes."""
        self._prices.begin()
        self._rows.begin(closes, number)

    def _play(self, take: Callable[[Tick | Jump], None], pulse: Pulse) -> None:
        while not self._stop.is_set():
            try:
                for event in self._source.batches(self._stop):
                    with self._loop.turn():
                        take(event)
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
