"""What is held of within sessions, and the way that a session's price went. Pure.

Prices that were told come before bars, and shorter bars before longer ones, where they are of the whole session as far
as anybody knows: those that begin later or end earlier than longer bars do are left to these. A daily bar does not say
when its high and low were, and neither does any other: each is told as its open, the nearer of high and low, the other,
and the close, with which its volume comes.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np

LATE = np.timedelta64(5, "m")  # the first price that was heard of a session may come so long after its opening
PRICES = "prices"  # those that were told, each alone
STEPS = 4
Day = tuple[float, float, float, float, int | None]


class Move(NamedTuple):
    """A price. at: microseconds since 1970; None where only the session is known. volume: the session's so far."""

    at: int | None
    price: float
    volume: int | None
    is_close: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Finer:
    """Bars of an interval within sessions, or the prices that were told, oldest first.

    session_date: datetime64[D] (n,), at: datetime64[us] (n,), UTC. values: float64 (n, 5): open, high, low, close and
    volume, NaN where it is not known; of prices (n, 2): the price, and the session's volume so far.
    """

    name: str
    session_date: np.ndarray
    at: np.ndarray
    values: np.ndarray

    @property
    def bytes(self) -> int:
        return self.session_date.nbytes + self.at.nbytes + self.values.nbytes

    def span(self, session: date) -> slice:
        first, last = np.searchsorted(self.session_date, [np.datetime64(session), np.datetime64(session) + 1])
        return slice(int(first), int(last))


def path(day: Day, session: date, finer: Sequence[Finer]) -> tuple[np.ndarray, Iterator[Move]]:
    """The way of a session's price, and the instants that it is known of; none where only the day is held.

    finer: the finest first. It ends with the close of the day's bar, which has the last word.
    """
    found = best(session, finer)
    if found is None:
        return np.empty(0, "datetime64[us]"), _told(day)
    span = found.span(session)
    return found.at[span], _within(found, span, day)


def best(session: date, finer: Sequence[Finer]) -> Finer | None:
    """The finest that is of the whole session, as far as those that are coarser tell."""
    spans = [(each, each.at[each.span(session)]) for each in finer]
    held = [(each, at) for each, at in spans if len(at)]
    for place, (each, at) in enumerate(held):
        late = LATE if each.name == PRICES else np.timedelta64(0)
        if all(at[0] <= other[0] + late and at[-1] >= other[-1] for _, other in held[place + 1 :]):
            return each
    return None


def _told(day: Day) -> Iterator[Move]:
    *prices, close = way(*day[:4])
    for price in prices:
        yield Move(None, price, None)
    yield Move(None, close, day[4], is_close=True)


def _within(found: Finer, span: slice, day: Day) -> Iterator[Move]:
    instants = found.at[span].astype(np.int64).tolist()
    rows = zip(instants, found.values[span].tolist(), strict=True)
    yield from _prices(rows) if found.name == PRICES else _bars(rows)
    yield Move(instants[-1], day[3], day[4], is_close=True)


def _prices(rows: Iterator[tuple[int, list[float]]]) -> Iterator[Move]:
    for at, (price, volume) in rows:
        yield Move(at, price, _whole(volume))


def _bars(rows: Iterator[tuple[int, list[float]]]) -> Iterator[Move]:
    traded = 0.0  # before a bar; not known once one does not say it
    for at, (*bar, volume) in rows:
        *prices, close = way(*bar)
        for price in prices:
            yield Move(at, price, _whole(traded))
        traded += volume
        yield Move(at, close, _whole(traded))


def way(open: float, high: float, low: float, close: float) -> tuple[float, float, float, float]:
    """The prices of a bar in the order that they are told."""
    return (open, high, low, close) if high - open <= open - low else (open, low, high, close)


def _whole(volume: float) -> int | None:
    return None if math.isnan(volume) else round(volume)
