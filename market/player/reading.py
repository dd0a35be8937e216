"""Reads what is to be played: whole arrays, once."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from market import actions, bars, symbols
from market.actions import adjustments
from market.bars import NoBars
from market.calendars import kept
from market.calendars.table import Table
from market.models import Symbol
from market.player import within
from market.player.held import Held
from market.player.sessions import Sessions

NAMED = 5  # symbols in a sentence
_BEFORE = timedelta(days=14)  # no exchange is closed for longer
MOST_BYTES = 4 << 20  # of what is played; beside its arrays a replay has little


class Backwards(ValueError):
    """A range that ends before it starts."""

    code = "invalid"


@dataclass(frozen=True, slots=True)
class Reading:
    """What can be played. lacking: of each symbol that has no bars in the range what is held of it, in words."""

    sessions: Sessions
    lacking: dict[str, str]

    @property
    def bytes(self) -> int:
        return sum(held.bytes for held in self.sessions.held)


def read(tickers: Collection[str], start: date, end: date, *, has_hours: bool) -> Reading:
    """What is held of these symbols, to be played from one day to another, both counted.

    has_hours: whether exchanges keep to their calendars, which tell what is not held.
    Raises Backwards, and NoBars where none of them has a bar there.
    """
    if end < start:
        raise Backwards(f"the range ends on {end}, before it starts on {start}")
    found = symbols.found(tickers)
    symbol_of = {symbol.ticker: symbol for symbol in found.values()}
    homes = {symbol.exchange for symbol in found.values()}
    tables = kept.tables(homes, start - _BEFORE, end) if has_hours else {}
    held = [_held(symbol, end, tables.get(symbol.exchange)) for symbol in symbol_of.values()]
    playing = [each for each in held if each.first(start) < len(each)]
    lacking = {each.ticker: _extent(each.ticker) for each in held if each not in playing}
    if not playing:
        raise NoBars(f"no daily bars from {start} to {end}: {worded(lacking)}")
    room = MOST_BYTES - sum(each.bytes for each in playing)
    finer = within.read([symbol_of[each.ticker] for each in playing], start, end, room) if room > 0 else {}
    versions = within.versions([ticker for ticker, found in finer.items() if found])
    playing = [
        replace(each, finer=found, versions=versions[each.ticker], hours=tables.get(symbol_of[each.ticker].exchange))
        if (found := finer.get(each.ticker))
        else each
        for each in playing
    ]
    return Reading(Sessions(playing, start, end), lacking)


def worded(lacking: dict[str, str]) -> str:
    """What is held instead, of the first few."""
    more = len(lacking) - NAMED
    told = "; ".join(list(lacking.values())[:NAMED])
    return f"{told}; and {more} more" if more > 0 else told


def _held(symbol: Symbol, end: date, table: Table | None) -> Held:
    """Up to a session, as traded: of the later ones nobody knows yet. table: the sessions of its exchange."""
    series = bars.series(symbol.ticker, adjusted="raw")
    count = int(np.searchsorted(series.columns["session_date"], np.datetime64(end), side="right"))
    counted = actions.of(symbol.ticker).counted().filter(kind__in=adjustments.RESTATING, ex_date__lte=end)
    columns = {name: column[:count] for name, column in series.columns.items() if name != "opened_at"}
    sessions = np.array([each.date for each in table.sessions] if table else [], "datetime64[D]")
    return Held(
        ticker=symbol.ticker,
        columns=columns,
        actions=list(counted),
        decimals=symbol.price_decimals,
        source=series.newest.source if series.newest else "",
        version=series.version,
        missing=np.setdiff1d(sessions, columns["session_date"]),
    )


def _extent(ticker: str) -> str:
    """How far the bars of a symbol go, in words."""
    dates = bars.columns(ticker, adjusted="raw")["session_date"]
    return f"{ticker} has bars from {dates[0]} to {dates[-1]}" if len(dates) else f"of {ticker} nothing is held"
