"""The running session's bar, of its newest quote. Pure."""

from market.intervals import DAY
from market.prices import Bar, Quote, midnight


def daily_bar(quote: Quote) -> Bar | None:
    """The session's bar as far as a quote knows it; None where the source does not say the open."""
    if quote.open is None:
        return None
    high, low = reach(quote)
    return Bar(
        ticker=quote.ticker,
        interval=DAY.name,
        opened_at=midnight(quote.session_date),
        session_date=quote.session_date,
        open=quote.open,
        high=high,
        low=low,
        close=quote.price,
        volume=quote.volume,
        is_final=quote.is_final,
        state=quote.state,
        source=quote.source,
        received_at=quote.received_at,
    )


def reach(quote: Quote) -> tuple[float, float]:
    """High and low of the session's bar, of a quote that knows the open.

    The range of one that forms holds its price; of one that is over it is as it was told, for the door to judge.
    """
    first, last = quote.open, quote.price
    top, bottom = (first, last) if first > last else (last, first)
    high = top if quote.high is None else quote.high
    low = bottom if quote.low is None else quote.low
    return (high, low) if quote.has_closed else (max(high, top), min(low, bottom))
