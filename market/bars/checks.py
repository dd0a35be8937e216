"""What a bar can be: the one rule of every door of bars.

A bar that can't be is refused with the reason. Nothing lies beyond now: what a wrong clock dated into the future would
stand above all that is true until then. Values that contradict each other a little are kept, clipped and marked: of a
close outside its range the range is widened to hold it. London's closing auctions are not in Yahoo's ranges (0.3 % for
half of a share's days); what is apart by more than LARGEST_CONTRADICTION of the price is of two different bars.
"""

from datetime import datetime

import numpy as np

from market import prices
from market.bars.batch import PRICES, UNKNOWN, Batch, microseconds, of_bars
from market.intervals import ALL
from market.prices import Bar

LARGEST_CONTRADICTION = 0.01
_LAST_DAY = np.datetime64("9999-12-31").astype(np.int64)
_FIRST_DAY = np.datetime64("1800-01-01").astype(np.int64)


def form_fault(bar: Bar) -> str | None:
    """Why a bar can't be a row of columns; None where it can."""
    values = (bar.open, bar.high, bar.low, bar.close)
    if bar.interval not in ALL:
        return f"there is no interval {bar.interval}"
    if bar.opened_at.utcoffset() is None or bar.received_at.utcoffset() is None:
        return "a time without its zone"
    if bar.session_date is None:
        return "it does not say its session"
    if not all(map(prices.is_number, values)) or max(map(abs, values)) > prices.LARGEST_PRICE:
        return f"a price that is none among {values}"
    return prices.volume_fault(bar.volume)


def bar_fault(bar: Bar, now: datetime) -> str | None:
    """Why a bar can't be; None where it can. now: the wall's clock."""
    return form_fault(bar) or faults(of_bars([bar]), np.zeros(1, bool), now).get(0)


def faults(batch: Batch, may_be_negative: np.ndarray, now: datetime) -> dict[int, str]:
    """Why rows can't be, by their places. may_be_negative: bool (n,). now: the wall's clock."""
    found: dict[int, str] = {}
    for is_so, why in _reasons(batch, may_be_negative, now):
        for place in np.flatnonzero(is_so).tolist():
            found.setdefault(place, why(batch, place, now))
    return found


def clipped(batch: Batch) -> tuple[Batch, np.ndarray]:
    """The batch with ranges that hold their opens and closes, and where they did not: bool (n,)."""
    high = np.maximum(batch.high, np.maximum(batch.open, batch.close))
    low = np.minimum(batch.low, np.minimum(batch.open, batch.close))
    is_marked = (high != batch.high) | (low != batch.low)
    if not is_marked.any():
        return batch, is_marked
    columns = {name: getattr(batch, name) for name in batch.__slots__}
    return Batch(**columns | {"high": high, "low": low}), is_marked


def _reasons(batch: Batch, may_be_negative: np.ndarray, now: datetime) -> list:
    """Masks of the rows that can't be, and what is said of one; the first counts."""
    at, table = microseconds(now), np.stack([getattr(batch, name) for name in PRICES])
    received_ahead = batch.received > at + prices.AHEAD.total_seconds() * 1e6
    opened_ahead = batch.opened > at / 1e6 + prices.DAY_AHEAD.total_seconds()
    size = np.abs(table)
    is_price = (size <= prices.LARGEST_PRICE) & (may_be_negative | (table >= prices.SMALLEST_PRICE))
    is_unopened = batch.session * 86_400 != batch.opened
    is_dated = (batch.session >= _FIRST_DAY) & (batch.session <= _LAST_DAY)
    is_dated &= (batch.opened >= _FIRST_DAY * 86_400) & (batch.opened <= _LAST_DAY * 86_400)
    with np.errstate(invalid="ignore"):
        outside = np.maximum(batch.low - table[[0, 3]].min(axis=0), table[[0, 3]].max(axis=0) - batch.high)
        is_apart = np.maximum(outside, batch.low - batch.high) > LARGEST_CONTRADICTION * size.max(axis=0)
    return [
        (batch.state == prices.BAR_STATES.index(prices.FORMING), _forms),
        (~is_dated, _undated),
        (is_unopened & ALL[batch.interval].is_whole, _unopened),
        (received_ahead | opened_ahead, _ahead),
        (~is_price.all(axis=0), _no_price),
        (is_apart, _contradicts),
        (batch.volume < UNKNOWN, _no_volume),
    ]


def _forms(batch: Batch, place: int, now: datetime) -> str:
    return "it still forms"


def _undated(batch: Batch, place: int, now: datetime) -> str:
    return "an opening or a session that is none"


def _unopened(batch: Batch, place: int, now: datetime) -> str:
    return "its opening is not midnight UTC of its session"


def _ahead(batch: Batch, place: int, now: datetime) -> str:
    received = np.datetime64(int(batch.received[place]), "us").astype(str)[:16].replace("T", " ")
    return f"it lies in the future: received {received}, now is {now:%Y-%m-%d %H:%M}"


def _no_price(batch: Batch, place: int, now: datetime) -> str:
    return f"a price that is none among {_values(batch, place)}"


def _contradicts(batch: Batch, place: int, now: datetime) -> str:
    open, high, low, close = _values(batch, place)
    return f"open {open}, high {high}, low {low} and close {close} contradict each other"


def _no_volume(batch: Batch, place: int, now: datetime) -> str:
    return f"a volume of {batch.volume[place]}"


def _values(batch: Batch, place: int) -> tuple[float, ...]:
    return tuple(float(getattr(batch, name)[place]) for name in PRICES)
