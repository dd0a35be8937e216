"""Loads the whole history of each symbol once, in the background. The job `market.history` keeps it complete."""

import logging
import threading
import time

from django.db import InterfaceError, OperationalError, close_old_connections, connections
from redis.exceptions import RedisError

from market import history, symbols
from market.history import Fetch, progress
from market.models import Symbol
from market.sources.errors import ProviderError
from monitoring.loops import Loop

logger = logging.getLogger(__name__)

AWAY = (OperationalError, InterfaceError, RedisError)
LOOK_SECONDS = 30
AFTER_OUTAGE_SECONDS = 60
AFTER_NOTHING_SECONDS = 6 * 3600


class Loader:
    """Runs in a thread of its own, one request at a time.

    Progress is told by `market.history.progress`: which symbols have their whole history, and why the others have not.
    """

    def __init__(self, fetch: Fetch, source: str) -> None:
        self._fetch, self._source = fetch, source
        self._due_at: dict[str, float] = {}
        self._errors: dict[str, str] = {}
        self._loop = Loop(f"{source}: backfill", every_seconds=LOOK_SECONDS, patience_seconds=300.0, away=AWAY)

    def run(self, stop: threading.Event) -> None:
        try:
            with self._loop as loop:
                while not stop.is_set():
                    with loop.turn():
                        self.round(stop)
                    close_old_connections()
                    stop.wait(LOOK_SECONDS)
        finally:
            connections.close_all()

    def round(self, stop: threading.Event) -> None:
        """Load every symbol that has no whole history yet and whose turn it is."""
        now, tracked = time.monotonic(), symbols.tracked()
        tickers = [symbol.ticker for symbol in tracked]
        missing = progress.missing(tickers)
        self._errors = {ticker: why for ticker, why in self._errors.items() if ticker in missing}
        for symbol in [each for each in tracked if each.ticker in missing and self._due_at.get(each.ticker, 0) <= now]:
            if stop.is_set():
                return
            progress.tell(tickers, symbol.ticker, self._errors)
            self._due_at[symbol.ticker] = time.monotonic() + AFTER_OUTAGE_SECONDS  # also where it breaks
            with self._loop.one(symbol.ticker):
                self._due_at[symbol.ticker] = time.monotonic() + self._load(symbol)
        progress.tell(tickers, None, self._errors)

    def _load(self, symbol: Symbol) -> float:
        """Fetch and store one symbol's history; the seconds until it is worth asking again where it did not come."""
        try:
            history.fill(symbol, self._fetch, self._source)
        except ProviderError as error:
            logger.warning("No history of %s: %s", symbol.ticker, error)
            self._errors[symbol.ticker] = str(error)
            return AFTER_OUTAGE_SECONDS if error.temporary else AFTER_NOTHING_SECONDS
        self._errors.pop(symbol.ticker, None)
        return 0
