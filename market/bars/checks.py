"""What a bar can be: the one door of bars. Answers why one can't be, or None where it can.

Nothing lies beyond now: what a wrong clock dated into the future would stand above all that is true until then.
"""

from datetime import datetime

from market import prices
from market.intervals import ALL
from market.prices import Bar


def bar_fault(bar: Bar, now: datetime) -> str | None:
    """Why a bar can't be. now: the wall's clock."""
    values = (bar.open, bar.high, bar.low, bar.close)
    interval = ALL.get(bar.interval)
    if interval is None:
        return f"there is no interval {bar.interval}"
    if bar.opened_at.utcoffset() is None or bar.received_at.utcoffset() is None:
        return "a time without its zone"
    if bar.state == prices.FORMING:
        return "it still forms"
    if bar.session_date is None:
        return "it does not say its session"
    if interval.is_whole and bar.opened_at != prices.midnight(bar.session_date):
        return "its opening is not midnight UTC of its session"
    if prices.is_ahead(bar.received_at, now) or bar.opened_at > now + prices.DAY_AHEAD:
        return f"it lies in the future: received {bar.received_at:%Y-%m-%d %H:%M}, now is {now:%Y-%m-%d %H:%M}"
    if not all(map(prices.is_price, values)):
        return f"a price that is none among {values}"
    if not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
        return f"open {bar.open}, high {bar.high}, low {bar.low} and close {bar.close} contradict each other"
    return prices.volume_fault(bar.volume)
