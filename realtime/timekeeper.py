"""Tells the clock of every followed exchange and when it opens, from a thread of its own.

A close comes without a price, and a calendar takes seconds.
"""

import time
from collections.abc import Callable, Sequence
from threading import Event, Thread

from market.calendars import clock, openings
from market.calendars.clock import Clock
from market.calendars.openings import Openings
from market.sources import Source
from monitoring import redis
from monitoring.loops import Loop

LOOK_SECONDS = 1.0
TELL_SECONDS = 30.0  # an unchanged clock is told again after so long

# An exchange and the tickers that are at home there.
Home = tuple[str, Sequence[str]]


class Timekeeper:
    """Keeps the clocks of exchanges right while the block lasts.

    homes: the exchanges, which may change; the first is that of most symbols, and its clock is the market's.
    """

    def __init__(self, source: Source, homes: Callable[[], Sequence[Home]]) -> None:
        self._source, self._homes = source, homes
        self._clocks: dict[str, tuple[Clock, float]] = {}
        self._openings: dict[str, tuple[Openings, float]] = {}
        self._over = Event()
        self._thread = Thread(target=self._tell_on, name="timekeeper", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join(1)

    def tell(self, exchange: str, tickers: Sequence[str], *, is_first: bool) -> None:
        """Ask the source of one exchange, and tell what has changed or was not told for a while."""
        said = self._source.clock(exchange, tickers)
        if said is not None and _is_due(self._clocks.get(exchange), said):
            clock.keep(said, is_market=is_first)
            self._clocks[exchange] = said, time.monotonic()
        opening = self._source.openings(exchange)
        if opening is not None and _is_due(self._openings.get(exchange), opening):
            openings.keep(exchange, opening)
            self._openings[exchange] = opening, time.monotonic()

    def _tell_on(self) -> None:
        # A calendar that is built for the first time takes seconds, and longer on a busy machine.
        with Loop("timekeeper", every_seconds=LOOK_SECONDS, patience_seconds=60.0, away=redis.AWAY) as loop:
            while not self._over.is_set():
                with loop.turn():
                    for place, (exchange, tickers) in enumerate(self._homes()):
                        with loop.one(exchange):
                            self.tell(exchange, tickers, is_first=not place)
                self._over.wait(LOOK_SECONDS)


def _is_due(told: tuple[object, float] | None, said: object) -> bool:
    before, at = told or (None, 0.0)
    return said != before or time.monotonic() - at >= TELL_SECONDS
