"""Loads the whole history of each symbol once, in the background. The job `market.history` keeps it complete."""

import logging
import threading
import time
from datetime import UTC, datetime

from django.db import InterfaceError, OperationalError, close_old_connections, connections
from redis.exceptions import RedisError

from market import history, symbols
from market.coverage import loading as coverage
from market.history import Fetch, progress
from market.models import Symbol
from market.sources import registry
from market.sources.errors import ProviderError
from monitoring.loops import Loop

logger = logging.getLogger(__name__)

AWAY = (OperationalError, InterfaceError, RedisError)
LOOK_SECONDS = 30
AFTER_OUTAGE_SECONDS = 60
AFTER_NOTHING_SECONDS = coverage.LONGEST.total_seconds()


class Loader:
    """Runs in a thread of its own, one request at a time.

    Progress is told by `market.history.progress`: which symbols have their whole history, and why the others have not.
    """

    def __init__(self, fetch: Fetch, source: str) -> None:
        self._fetch, self._source = fetch, source
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
        tracked = symbols.tracked()
        tickers = [symbol.ticker for symbol in tracked]
        missing, due = coverage.missing(tickers), coverage.missing(tickers, now=_after(0))
        errors = {ticker: why for ticker, why in progress.errors().items() if ticker in missing}
        for symbol in [each for each in tracked if each.ticker in due]:
            if stop.is_set():
                return
            progress.tell(tickers, symbol.ticker, errors)
            with self._loop.one(symbol.ticker):
                coverage.suspend(symbol, _after(AFTER_OUTAGE_SECONDS))  # also where it breaks
                self._load(symbol, errors)
        progress.tell(tickers, None, errors)

    def _load(self, symbol: Symbol, errors: dict[str, str]) -> None:
        """Fetch and store one symbol's history; where it does not come, errors say why."""
        try:
            history.ensure(symbol, self._fetch, self._source, by_calendar=registry.has_hours())
        except ProviderError as error:
            logger.warning("No history of %s: %s", symbol.ticker, error)
            errors[symbol.ticker] = str(error)
            if not error.temporary:
                coverage.suspend(symbol, _after(AFTER_NOTHING_SECONDS))
            return
        errors.pop(symbol.ticker, None)


def _after(seconds: float) -> datetime:
    return datetime.fromtimestamp(time.time() + seconds, UTC)
