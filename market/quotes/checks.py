"""What a quote can be: the one door of quotes. Answers why one can't be, or None where it can.

Nothing lies beyond now: what a wrong clock dated into the future would stand above all that is true until then.
"""

from dataclasses import replace
from datetime import UTC, date, datetime

from market import prices
from market.prices import Quote
from monitoring import refusals

LARGEST_STEP = 1000.0  # from one close to the next price: more is another unit, not another price
_EARLIEST = date(1800, 1, 1)


def quote_fault(quote: Quote, now: datetime, *, may_be_negative: bool) -> str | None:
    """Why a quote can't be. now: the wall's clock, which no price is ahead of, whatever its market's clock.

    may_be_negative: of its symbol, `Symbol.may_be_negative`.
    """
    named = (quote.price, quote.previous_close, quote.open, quote.high, quote.low)
    values = [value for value in named if value is not None]
    if quote.price is None or not all(prices.is_price(each, may_be_negative=may_be_negative) for each in values):
        return f"a price that is none among {values}"
    if quote.high is not None and quote.low is not None and quote.low > quote.high:
        return f"high {quote.high} and low {quote.low} contradict each other"
    if _is_step_too_large(quote.price, quote.previous_close):
        return f"a price of {quote.price} after a close of {quote.previous_close}"
    if quote.as_of_precision not in (prices.SECOND, prices.DAY) or quote.market_state not in prices.MARKET_STATES:
        return f"a precision of {quote.as_of_precision!r} or a market state of {quote.market_state!r}"
    return prices.volume_fault(quote.volume) or _time_fault(quote, now)


def widened(quote: Quote) -> Quote:
    """The quote with a range that holds its open and its price: a source may tell the range later than the price."""
    seen = [value for value in (quote.open, quote.price) if value is not None]
    high = None if quote.high is None else max(quote.high, *seen)
    low = None if quote.low is None else min(quote.low, *seen)
    return quote if (high, low) == (quote.high, quote.low) else replace(quote, high=high, low=low)


def is_sound(quote: Quote, now: datetime, *, may_be_negative: bool) -> bool:
    """Whether a quote can be; a good one that we have is not overwritten by one that can't."""
    if fault := quote_fault(quote, now, may_be_negative=may_be_negative):
        refusals.note("quotes", quote.ticker, fault, repr(quote))
    return fault is None


def _is_step_too_large(price: float, close: float | None) -> bool:
    """What is not above zero is no multiple of anything."""
    return close is not None and close > 0 < price and not 1 / LARGEST_STEP <= price / close <= LARGEST_STEP


def _time_fault(quote: Quote, now: datetime) -> str | None:
    if quote.as_of.utcoffset() is None or quote.received_at.utcoffset() is None:
        return "a time without its zone"
    if prices.is_ahead(max(quote.as_of, quote.received_at), now):
        times = f"of {prices.instant(quote.as_of)}, received {prices.instant(quote.received_at)}"
        return f"a price {times}, lies in the future of {prices.instant(now)}: is a clock wrong?"
    if not _EARLIEST <= quote.session_date <= (now.astimezone(UTC) + prices.DAY_AHEAD).date():
        return f"there can be no session of {quote.session_date} yet"
    return None
