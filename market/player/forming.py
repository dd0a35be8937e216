"""Bars within the sessions that are played: they form and close as the feed's do, by the time that is played.

Where prices were told these form them, and something was missed where none was for a while, as when they were heard
first. Where bars are held those that are as long or longer are made of them, as they are on reading.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

import numpy as np

from market import intervals, prices
from market.bars.forming import UNHEARD, Within
from market.calendars.table import Untold, instant
from market.intervals import Interval
from market.player import finer
from market.player.finer import PRICES
from market.player.held import Held
from market.prices import Bar, Quote


class Moved(NamedTuple):
    """A bar that says something else now; is_gone: that too much of it was missed, and nobody has it."""

    bar: Bar
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class _Hours:
    """When an exchange is open, of one session alone."""

    date: date
    trading: list[tuple[datetime, datetime]]

    def session(self, at: datetime) -> date:
        return self.date

    def between(self, start: date, end: date) -> list[date]:
        return [self.date]

    def spans(self, session: date) -> list[tuple[datetime, datetime]]:
        return self.trading


class Forming:
    """What forms in one session, whatever was played before it.

    playing: its symbols, each with its own number of it. asked: the intervals that are told.
    """

    def __init__(self, playing: Sequence[tuple[Held, int]], asked: Sequence[Interval]) -> None:
        self._of: dict[str, tuple[Within, _Hours]] = {}
        for held, number in playing:
            if asked and (made := _made(held, held.session(number), asked)):
                self._of[held.ticker] = made

    def moved(self, quote: Quote) -> list[Moved]:
        """What a price moves, behind what is over by then."""
        if not self._of or quote.as_of_precision != prices.SECOND:
            return []
        found = self._over(quote.as_of)
        within, hours = self._of.get(quote.ticker, (None, None))
        if within is None or quote.as_of < hours.trading[0][0]:
            return found
        moved = within.take(replace(quote, received_at=quote.as_of), hours)
        return [*found, *_gone(within), *map(Moved, moved)]

    def rest(self) -> Iterator[tuple[datetime, list[Moved]]]:
        """What is over after the last price, and when."""
        while at := self._next_over():
            yield at, self._over(at)

    def _over(self, now: datetime) -> list[Moved]:
        found = []
        for within, _ in self._of.values():
            closed = within.over(now)
            found += [*_gone(within), *map(Moved, closed)]
        return found

    def _next_over(self) -> datetime | None:
        return min((at for within, _ in self._of.values() if (at := within.next_over())), default=None)


def _gone(within: Within) -> list[Moved]:
    return [Moved(bar, is_gone=True) for bar in within.lost()]


def _made(held: Held, session: date, asked: Sequence[Interval]) -> tuple[Within, _Hours] | None:
    """What forms of a symbol in a session; None where nothing within it is held, or nobody knows when it trades."""
    found, hours = finer.best(session, held.finer), _hours(held, session)
    if found is None or hours is None:
        return None
    is_prices, opens_at = found.name == PRICES, hours.trading[0][0]
    formed = [each for each in asked if is_prices or each.seconds >= intervals.named(found.name).seconds]
    within = Within(formed, UNHEARD if is_prices else None)
    first = _first(found.at[found.span(session)], opens_at)
    within.begin(held.ticker, first if is_prices and first - opens_at > UNHEARD else opens_at)
    return within, hours


def _hours(held: Held, session: date) -> _Hours | None:
    try:
        found = held.hours and held.hours.of(session)
    except Untold:
        return None
    return _Hours(session, [(instant(start), instant(end)) for start, end in found.spans]) if found else None


def _first(at: np.ndarray, since: datetime) -> datetime:
    """The first of these instants from one on, else that."""
    later = at[at >= np.datetime64(since.replace(tzinfo=None), "us")]
    return later[0].item().replace(tzinfo=since.tzinfo) if len(later) else since
