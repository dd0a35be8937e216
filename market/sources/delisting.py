"""What its source no longer knows: after days of that answer a symbol is asked for no more, and stays readable."""

import logging
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta

from market.bars import forming
from market.coverage import loading as coverage
from market.history import Fetch, Told
from market.models import Symbol
from market.prices import Named
from market.sources import negatives, registry
from market.sources.errors import ProviderError
from monitoring import refusals

logger = logging.getLogger(__name__)

GONE = frozenset({"unknown_symbol", "no_data"})  # said of sessions of which we hold bars
PATIENCE = timedelta(days=5)


def watched(fetch: Fetch) -> Fetch:
    """Ask so, and hear where the answer is that there is no such symbol."""

    def fetched(symbol: Symbol, start: date) -> tuple[Told, Named]:
        try:
            return fetch(symbol, start)
        except ProviderError as error:
            _note(symbol, error)
            raise

    return fetched


def revive(symbols: Collection[int]) -> None:
    """Collect these again, by their keys: what was said of them before counts no more."""
    Symbol.objects.filter(pk__in=symbols).update(is_active=True, last_session=None)
    coverage.forget_unknown(symbols)
    if source := registry.held():
        tickers = Symbol.objects.filter(pk__in=symbols).values_list("ticker", flat=True)
        negatives.unknown(source.name).forget(tickers)


def _note(symbol: Symbol, error: ProviderError) -> None:
    """Where a source has said so for days, and nobody has told a session since, the symbol is traded no more."""
    if error.temporary or error.code not in GONE or not error.was_asked:
        return
    row, now = coverage.note_unknown(symbol), datetime.now(UTC)
    if row.last_held is None or now - max(row.unknown_since, row.last_held) < PATIENCE:
        return
    last = row.last_held.date()
    if Symbol.objects.filter(pk=symbol.pk, is_active=True).update(is_active=False, last_session=last):
        forming.drop(symbol.ticker)
        since = f"the source knows it no more since {row.unknown_since:%Y-%m-%d}; its last session was {last}"
        logger.warning("%s is collected no more: %s", symbol, since)
        refusals.note("delisted", symbol.ticker, since)
