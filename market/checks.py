"""What a price can be: the one door of quotes and of bars. Each answers why one can't be, or None where it can.

Nothing lies beyond now: what a wrong clock dated into the future would stand above all that is true until then.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from market import prices
from market.models import Interval
from market.prices import Bar, Quote

LARGEST_STEP = 1000.0  # from one close to the next price: more is another unit, not another price
AHEAD = timedelta(minutes=5)  # the clocks of two machines may be apart by so much
DAY_AHEAD = timedelta(days=1)  # Auckland's session has tomorrow's date in UTC
_EARLIEST = date(1800, 1, 1)


def quote_fault(quote: Quote, now: datetime) -> str | None:
    """Why a quote can't be. now: the wall's clock, which no price is ahead of, whatever its market's clock."""
    named = (quote.price, quote.previous_close, quote.open, quote.high, quote.low)
    values = [value for value in named if value is not None]
    if quote.price is None or not all(map(prices.is_price, values)):
        return f"a price that is none among {values}"
    if quote.high is not None and quote.low is not None and quote.low > quote.high:
        return f"high {quote.high} and low {quote.low} contradict each other"
    if quote.previous_close and not 1 / LARGEST_STEP <= quote.price / quote.previous_close <= LARGEST_STEP:
        return f"a price of {quote.price} after a close of {quote.previous_close}"
    if quote.as_of_precision not in (prices.SECOND, prices.DAY) or quote.market_state not in prices.MARKET_STATES:
        return f"a precision of {quote.as_of_precision!r} or a market state of {quote.market_state!r}"
    return _volume_fault(quote.volume) or _time_fault(quote, now)


def bar_fault(bar: Bar, now: datetime) -> str | None:
    """Why a bar can't be. now: the wall's clock."""
    values = (bar.open, bar.high, bar.low, bar.close)
    if bar.interval not in Interval.values:
        return f"there is no interval {bar.interval}"
    if bar.opened_at.utcoffset() is None or bar.received_at.utcoffset() is None:
        return "a time without its zone"
    if bar.interval in prices.WHOLE_SESSIONS and bar.opened_at != prices.midnight(bar.session_date):
        return "its opening is not midnight UTC of its session"
    if is_ahead(bar.received_at, now) or bar.opened_at > now + DAY_AHEAD:
        return f"it lies in the future: received {bar.received_at:%Y-%m-%d %H:%M}, now is {now:%Y-%m-%d %H:%M}"
    if not all(map(prices.is_price, values)):
        return f"a price that is none among {values}"
    if not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
        return f"open {bar.open}, high {bar.high}, low {bar.low} and close {bar.close} contradict each other"
    return _volume_fault(bar.volume)


def is_ahead(at: datetime, now: datetime) -> bool:
    """Whether an instant that should be past lies beyond now: a clock was wrong when it was written."""
    return at > now + AHEAD


def widened(quote: Quote) -> Quote:
    """The quote with a range that holds its open and its price: a source may tell the range later than the price."""
    seen = [value for value in (quote.open, quote.price) if value is not None]
    high = None if quote.high is None else max(quote.high, *seen)
    low = None if quote.low is None else min(quote.low, *seen)
    return quote if (high, low) == (quote.high, quote.low) else replace(quote, high=high, low=low)


def _volume_fault(volume: int | None) -> str | None:
    return None if volume is None or prices.is_volume(volume) else f"a volume of {volume!r}"


def _time_fault(quote: Quote, now: datetime) -> str | None:
    if quote.as_of.utcoffset() is None or quote.received_at.utcoffset() is None:
        return "a time without its zone"
    if is_ahead(max(quote.as_of, quote.received_at), now):
        times = f"of {prices.instant(quote.as_of)}, received {prices.instant(quote.received_at)}"
        return f"a price {times}, lies in the future of {prices.instant(now)}: is a clock wrong?"
    if not _EARLIEST <= quote.session_date <= (now.astimezone(UTC) + DAY_AHEAD).date():
        return f"there can be no session of {quote.session_date} yet"
    return None
