"""The watchlist: every tracked symbol with what a list shows of it, and the newest of each indicator."""

from datetime import UTC, datetime
from typing import Any

from analysis import summary
from analysis.catalogue import CATALOGUE
from analysis.summary import IndicatorValues
from market import overview
from market.calendars import clock
from market.history import progress
from market.models import Symbol, SymbolQuerySet


def default() -> dict[str, Any]:
    """`source`, `market`, `backfill` and `symbols`, as GET /api/v2/watchlists/default/ answers."""
    return {**_surroundings(), "symbols": _rows(Symbol.objects.tracked())}


def of(ticker: str) -> dict[str, Any] | None:
    """The same of one symbol: `symbol` instead of `symbols`; None if it is not tracked."""
    rows = _rows(Symbol.objects.tracked().filter(ticker=ticker))
    return {**_surroundings(), "symbol": rows[0]} if rows else None


def _surroundings() -> dict[str, Any]:
    return {"source": overview.source(), "market": clock.latest(), "backfill": progress.latest()}


def _rows(symbols: SymbolQuerySet) -> list[dict[str, Any]]:
    rows = overview.rows(symbols, datetime.now(UTC))
    values = summary.latest([row["symbol"] for row in rows])
    return [{**row, "indicators": _newest(values[row["symbol"]])} for row in rows]


def _newest(values: IndicatorValues | None) -> dict[str, float | None]:
    """One number for each indicator of the catalogue, its first output; None until the feed has told it."""
    told = {} if values is None else values.values
    return {key: told.get(key, {}).get(indicator.outputs[0]) for key, indicator in CATALOGUE.items()}
