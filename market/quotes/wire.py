"""How a quote is told: CONTRACT.md's `price_update` in streams, and its quote over HTTP."""

from datetime import datetime
from typing import Any

from market.prices import Quote, instant
from market.quotes import checks, freshness


def quote_fields(quote: Quote) -> dict[str, Any]:
    """CONTRACT.md's `price_update`, which the quote of REST shares."""
    quote = checks.widened(quote)
    change, percent = quote.change, quote.change_percent
    return {
        "symbol": quote.ticker,
        "current_price": quote.price,
        "previous_close": quote.previous_close,
        # Differences of float64 prices carry noise far below any price's decimals.
        "change": None if change is None else round(change, 8),
        "change_percent": None if percent is None else round(percent, 4),
        "volume": quote.volume,
        "open": quote.open,
        "high": quote.high,
        "low": quote.low,
        "timestamp": instant(quote.as_of),
        "session_date": quote.session_date.isoformat(),
        "as_of_precision": quote.as_of_precision,
        "received_at": instant(quote.received_at),
        "source": quote.source,
        "market_state": quote.market_state,
    }


def as_json(quote: Quote, now: datetime, opened: freshness.Opening | None) -> dict:
    """CONTRACT.md's quote. now: the wall's clock. opened: the last opening of its exchange, where it is known."""
    return {**quote_fields(quote), "freshness": freshness.of(quote, now, opened)}
