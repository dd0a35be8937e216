"""Loads the history of Yahoo's symbols in the background and keeps it complete."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

from django.db import close_old_connections, connections
from django.db.models import Max

from market import backfill, bars, symbols
from market.models import Bar, CorporateAction, Symbol
from market.providers import ProviderError
from market.providers.yahoo_chart import SOURCE, Action

logger = logging.getLogger(__name__)

HISTORY_START = date(2000, 1, 1)
OVERLAP = timedelta(days=7)  # asked for again each time, for corrections and late actions
LOOK_SECONDS = 30
AGAIN_SECONDS = 3600
AFTER_OUTAGE_SECONDS = 60
AFTER_NOTHING_SECONDS = 6 * 3600

Fetch = Callable[[Symbol, date], tuple[list, list[Action]]]


class Backfill:
    """Runs in a thread of its own, one request at a time.

    Progress is told by `market.backfill`: which symbols have their whole history, and why the others have not.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._due_at: dict[str, float] = {}
        self._errors: dict[str, str] = {}

    def run(self, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                try:
                    self.round(stop)
                except Exception:  # the last line of defence: the database or Redis may be away for a while
                    logger.exception("Backfill")
                close_old_connections()
                stop.wait(LOOK_SECONDS)
        finally:
            connections.close_all()

    def round(self, stop: threading.Event) -> None:
        """Load every symbol whose turn it is."""
        now, tracked = time.monotonic(), symbols.tracked()
        tickers = [symbol.ticker for symbol in tracked]
        self._errors = {ticker: why for ticker, why in self._errors.items() if ticker in tickers}
        for symbol in [symbol for symbol in tracked if self._due_at.get(symbol.ticker, 0) <= now]:
            if stop.is_set():
                return
            backfill.tell(tickers, symbol.ticker, self._errors)
            wait = self._load(symbol)
            self._due_at[symbol.ticker] = time.monotonic() + wait
        backfill.tell(tickers, None, self._errors)

    def _load(self, symbol: Symbol) -> float:
        """Fetch and store one symbol's missing history; the seconds until it is worth asking again."""
        try:
            found, actions = self._fetch(symbol, _start(symbol))
        except ProviderError as error:
            logger.warning("No history of %s: %s", symbol.ticker, error)
            self._errors[symbol.ticker] = str(error)
            return AFTER_OUTAGE_SECONDS if error.temporary else AFTER_NOTHING_SECONDS
        _keep(symbol, actions)
        result = bars.upsert([bar for bar in found if bar.is_final], reason="correction by Yahoo")
        if result.inserted or result.changed:
            logger.info("%s: %d new bars, %d corrected", symbol.ticker, result.inserted, result.changed)
        backfill.complete(symbol.ticker)
        self._errors.pop(symbol.ticker, None)
        return AGAIN_SECONDS


def _start(symbol: Symbol) -> date:
    """Bars of the last sessions may have come from quotes before any history did."""
    if not backfill.is_complete(symbol.ticker):
        return HISTORY_START
    last = Bar.objects.filter(symbol=symbol, interval="1d", is_final=True).aggregate(at=Max("opened_at"))["at"]
    return HISTORY_START if last is None else last.date() - OVERLAP


def _keep(symbol: Symbol, actions: Iterable[Action]) -> None:
    for action in actions:
        CorporateAction.objects.update_or_create(
            symbol=symbol,
            kind=action.kind,
            ex_date=action.ex_date,
            defaults={"value": action.value, "source": SOURCE, "received_at": datetime.now(UTC)},
        )
