"""The fields of a bar, in CONTRACT.md's order. Pure."""

from typing import Any

from market import intervals
from market.prices import Bar, instant


def bar_fields(bar: Bar, version: str, adjustment: str = "") -> dict[str, Any]:
    """CONTRACT.md's bar, its prices as they are. version: of the final bars of its interval, as coverage tells it.

    adjustment: another one than the bar's that its prices are of as well.
    """
    return fields(
        bar.ticker, bar.interval, instant(bar.opened_at), bar.session_date.isoformat(), bar.open, bar.high, bar.low,
        bar.close, bar.volume, adjustment or bar.adjustment, bar.state, bar.is_final, bar.revision, bar.source,
        intervals.named(bar.interval).precision, instant(bar.received_at), version,
    )  # fmt: skip


def fields(
    ticker: str, interval: str, opened_at: str, session_date: str, open: float, high: float, low: float, close: float,
    volume: int | None, adjustment: str, state: str, is_final: bool, revision: int, source: str, precision: str,
    received_at: str, version: str,
) -> dict[str, Any]:  # fmt: skip
    """The same of what is told already."""
    return {
        "symbol": ticker,
        "interval": interval,
        "opened_at": opened_at,
        "session_date": session_date,
        "open": open,
        "high": high,
        "low": low,
        "close": close,
        "volume": volume,
        "adjustment": adjustment,
        "state": state,
        "is_final": is_final,
        "revision": revision,
        "source": source,
        "as_of": opened_at,
        "as_of_precision": precision,
        "received_at": received_at,
        "version": version,
    }
