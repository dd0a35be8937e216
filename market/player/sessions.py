"""The sessions of several symbols, and what each of them tells. Pure."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np

from market import prices
from market.player import finer
from market.player.clock import SESSION_SECONDS
from market.player.finer import STEPS, Move
from market.player.held import Held
from market.prices import CLOSED, OPEN, Quote

_EPOCH = prices.midnight(date(1970, 1, 1))


class Step(NamedTuple):
    """One price. after: seconds since its session began. number: that of the session among the symbol's own."""

    after: float
    held: Held
    number: int
    quote: Quote


@dataclass(frozen=True, slots=True)
class _Way:
    """A symbol's session. at: the instants that are known of it; none where only the day is."""

    held: Held
    number: int
    at: np.ndarray
    moves: Iterator[Move]


class Sessions:
    """The sessions of some symbols from one day to another, by their numbers, oldest first.

    Its order is total: by session, by the time within it, by ticker, and by a price's place in its own session. A
    session begins with the first instant that is known of it. Where only the day is known of a symbol the times of its
    prices are nominal: each is told a quarter of the session after the one before.
    """

    def __init__(self, held: Sequence[Held], start: date, end: date) -> None:
        self.held = sorted(held, key=lambda each: each.ticker)
        self.start, self.end = start, end
        spans = [each.columns["session_date"][each.first(start) : _after(each, end)] for each in self.held]
        self._dates = np.unique(np.concatenate(spans)) if spans else np.empty(0, "datetime64[D]")

    def __len__(self) -> int:
        return len(self._dates)

    def date(self, number: int) -> date:
        return self._dates[number].item()

    def first(self, since: date) -> int:
        """The number of the first session from a date on; how many there are where none is."""
        return int(np.searchsorted(self._dates, np.datetime64(since)))

    def numbers(self, held: Held, where: np.ndarray) -> np.ndarray:
        """Those of a symbol's sessions of which something is so. where: bool (n,), by the symbol's own numbers."""
        dates = held.columns["session_date"][where]
        return np.searchsorted(self._dates, dates[np.isin(dates, self._dates)])

    def playing(self, number: int) -> list[tuple[Held, int]]:
        """The symbols that have a session, each with its own number of it."""
        session = self.date(number)
        found = ((each, each.number(session)) for each in self.held)
        return [(each, own) for each, own in found if own is not None]

    def steps(self, number: int, received_at: datetime) -> Iterator[Step]:
        """What a session tells, in order. received_at: as which its prices are told."""
        session = self.date(number)
        ways = [_Way(held, own, *finer.path(held.day(own), session, held.finer)) for held, own in self.playing(number)]
        known = [way.at for way in ways if len(way.at)]
        began = min((at[0] for at in known), default=np.datetime64(session, "us")).astype(np.int64).item()
        ended = max((at[-1].astype(np.int64).item() for at in known), default=began)
        lasts = (ended - began) / 1e6 if known else SESSION_SECONDS
        told = [_told(way, session, began, lasts, received_at) for way in ways]
        return heapq.merge(*told, key=lambda step: (step.after, step.held.ticker))

    def closes(self, session: date, received_at: datetime) -> list[Quote]:
        """The last price of each symbol before a session, of those that have one."""
        lasts = ((held, held.first(session) - 1) for held in self.held)
        return [_close(held, number, received_at) for held, number in lasts if number >= 0]


def _close(held: Held, number: int, received_at: datetime) -> Quote:
    session, day = held.session(number), held.day(number)
    *_, step = _told(_Way(held, number, *finer.path(day, session, ())), session, 0, SESSION_SECONDS, received_at)
    return step.quote


def _told(way: _Way, session: date, began: int, lasts: float, received_at: datetime) -> Iterator[Step]:
    """What a symbol tells of a session. began: microseconds since 1970; lasts: seconds."""
    held, number = way.held, way.number
    before, (open, high, low, *_) = held.previous_close(number), held.day(number)
    top = bottom = open
    for place, move in enumerate(way.moves):
        after = place * lasts / STEPS if move.at is None else (move.at - began) / 1e6
        top, bottom = (high, low) if move.is_close else (max(top, move.price), min(bottom, move.price))
        quote = Quote(
            ticker=held.ticker,
            price=move.price,
            previous_close=before,
            open=open,
            high=top,
            low=bottom,
            volume=move.volume,
            session_date=session,
            as_of=prices.midnight(session) if move.at is None else _EPOCH + timedelta(microseconds=move.at),
            as_of_precision=prices.DAY if move.at is None else prices.SECOND,
            received_at=received_at,
            source=held.source,
            market_state=CLOSED if move.is_close else OPEN,
            is_final=move.is_close,
        )
        yield Step(after, held, number, quote)


def _after(held: Held, end: date) -> int:
    """The number of the first session after a date."""
    return int(np.searchsorted(held.columns["session_date"], np.datetime64(end), side="right"))
