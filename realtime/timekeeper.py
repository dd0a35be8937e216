"""Tells the market's clock and when exchanges open, from a thread of its own.

A close comes without a price, and a calendar takes seconds.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from threading import Event, Thread

from redis.exceptions import RedisError

from market.calendars import clock, openings
from market.calendars.clock import Clock
from market.calendars.openings import Openings
from market.sources import Source
from monitoring.loops import Loop

LOOK_SECONDS = 1.0
TELL_SECONDS = 30.0  # an unchanged clock is told again after so long

# An exchange and the tickers that are at home there.
Home = tuple[str, Sequence[str]]


class Timekeeper:
    """Keeps the clock of an exchange right while the block lasts.

    home: the exchange, which may change; None before it is known. exchanges: all whose openings are told.
    """

    def __init__(
        self, source: Source, home: Callable[[], Home | None], exchanges: Callable[[], Iterable[str]] = tuple
    ) -> None:
        self._source, self._home, self._exchanges = source, home, exchanges
        self._told: Clock | None = None
        self._told_at = 0.0
        self._openings: dict[str, tuple[Openings, float]] = {}
        self._over = Event()
        self._thread = Thread(target=self._tell_on, name="timekeeper", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join(1)

    def tell(self) -> None:
        """Ask the source, and tell what has changed or was not told for a while."""
        home = self._home()
        said = None if home is None else self._source.clock(*home)
        is_due = said != self._told or time.monotonic() - self._told_at >= TELL_SECONDS
        if said is not None and is_due:
            clock.keep(said)
            self._told, self._told_at = said, time.monotonic()

    def tell_openings(self) -> None:
        """The same of when each exchange opened and opens."""
        for exchange in self._exchanges():
            said, now = self._source.openings(exchange), time.monotonic()
            told, at = self._openings.get(exchange, (None, 0.0))
            if said is not None and (said != told or now - at >= TELL_SECONDS):
                openings.keep(exchange, said)
                self._openings[exchange] = said, now

    def _tell_on(self) -> None:
        # A calendar that is built for the first time takes seconds, and longer on a busy machine.
        with Loop("timekeeper", every_seconds=LOOK_SECONDS, patience_seconds=60.0, away=(RedisError,)) as loop:
            while not self._over.is_set():
                with loop.turn():
                    self.tell()
                    self.tell_openings()
                self._over.wait(LOOK_SECONDS)
