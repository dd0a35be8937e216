"""Whose rows somebody waits for: all else may wait for a moment, as many together cost little more than one."""

import contextlib
from threading import Event, Thread

from market.prices import Quote
from monitoring import redis
from monitoring.loops import Loop
from realtime import alerts, held
from realtime.feed.opened import Opened
from realtime.feed.waiting import Taken, Waiting

LOOK_SECONDS = 1.0  # what somebody holds is looked at so often, and as soon as there is more


class Awaited:
    """Says of each quote whether somebody waits for what follows it.

    held: the symbols whose bars or indicators somebody holds. rules: those that its prices are checked against.
    """

    def __init__(self) -> None:
        self.held: frozenset[str] = frozenset()
        self.rules: alerts.Rules = {}

    def __call__(self, before: Quote | None, taken: Taken) -> bool:
        """Whether it is of what is held, begins or ends a session, or rings. before: the quote that it follows."""
        quote = taken.quote
        if before is None or quote.ticker in self.held or not taken.is_counted:
            return True
        if quote.has_closed or before.has_closed or quote.session_date != before.session_date:
            return True
        return quote.previous_close != before.previous_close or alerts.rings(before, quote, self.rules)


class Heeding:
    """Looks aside at what is held, from a thread of its own, while its block lasts."""

    def __init__(self, awaited: Awaited, waiting: Waiting, opened: Opened) -> None:
        self._awaited, self._waiting, self._opened = awaited, waiting, opened
        self._over = Event()

    def __enter__(self) -> None:
        self._thread = Thread(target=self._go_on, name="feed-held", daemon=True)
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        with contextlib.suppress(*redis.AWAY):
            held.ring()
        self._thread.join()

    def _go_on(self) -> None:
        with Loop("feed: held", every_seconds=LOOK_SECONDS, away=redis.AWAY) as loop:
            while not self._over.is_set():
                with loop.turn():
                    self._look()
                    if held.heed_bell(LOOK_SECONDS):
                        self._opened.hurry()
                        self._waiting.wake()
                    continue
                self._over.wait(LOOK_SECONDS)  # the turn could not be

    def _look(self) -> None:
        now = held.tickers()
        new, self._awaited.held = now - self._awaited.held, now
        if new:
            self._waiting.hasten(new)
