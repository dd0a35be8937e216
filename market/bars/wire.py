"""How a bar is told: CONTRACT.md's bar, over HTTP and in streams. Pure."""

from datetime import date, datetime
from typing import Any

from market import intervals
from market.prices import Bar, instant


def bar_fields(bar: Bar, version: str) -> dict[str, Any]:
    """CONTRACT.md's bar. version: of the final bars of its interval, as coverage tells it."""
    return row_fields(
        bar.ticker, bar.interval, bar.opened_at, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.is_final,
        bar.source, bar.received_at, bar.revision, bar.adjustment,
        bar.session_date, bar.state, version=version,
    )  # fmt: skip


def row_fields(
    ticker: str, interval: str, opened_at: datetime, open: float, high: float, low: float, close: float,
    volume: int | None, is_final: bool, source: str, received_at: datetime, revision: int, adjustment: str,
    session_date: date, state: str, *, version: str,
) -> dict[str, Any]:  # fmt: skip
    """The same of a Bar's fields, in their order, without the Bar."""
    return {
        "symbol": ticker,
        "interval": interval,
        "opened_at": instant(opened_at),
        "session_date": session_date.isoformat(),
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
        "as_of": instant(opened_at),
        "as_of_precision": intervals.named(interval).precision,
        "received_at": instant(received_at),
        "version": version,
    }
