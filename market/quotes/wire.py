"""How a quote is told: CONTRACT.md's `price_update` in streams, and its quote over HTTP."""

import math
from datetime import datetime
from typing import Any

from market.prices import Extended, Quote, instant
from market.quotes import checks, freshness


def quote_fields(quote: Quote) -> dict[str, Any]:
    """CONTRACT.md's `price_update`, which the quote of REST shares."""
    quote = checks.widened(quote)
    change, percent = quote.change, quote.change_percent
    return {
        "symbol": quote.ticker,
        "current_price": quote.price,
        "previous_close": quote.previous_close,
        "change": None if change is None else round(change, _places(quote.price)),
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
        "extended": quote.extended and _extended(quote.extended, quote.close_beside),
    }


def _extended(told: Extended, close: float | None) -> dict[str, Any]:
    """What stands beside a close, with its change from that, None where that is not known."""
    change = None if close is None else round(told.price - close, _places(told.price))
    return {
        "session": told.session,
        "price": told.price,
        "change": change,
        "change_percent": round((told.price / close - 1) * 100, 4) if close is not None and close > 0 else None,
        "timestamp": instant(told.as_of),
        "received_at": instant(told.received_at),
        "until": instant(told.until),
    }


def _places(price: float) -> int:
    """To how many decimals a difference of such prices is told: float64 leaves noise in it far below their own."""
    return max(8, 12 - math.floor(math.log10(abs(price)))) if price else 8


def as_json(quote: Quote, now: datetime, told: freshness.Openings | None) -> dict:
    """CONTRACT.md's quote. now: the wall's clock. told: the openings of its exchange, where they are known."""
    until = freshness.closed_until(quote, told)
    return {
        **quote_fields(quote),
        "freshness": freshness.of(quote, now, told and told.last),
        "closed_until": until and instant(until),
    }
