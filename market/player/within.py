"""Reads what is held of within sessions, as far as there is room for it: the longest bars first."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from market import bars, coverage, intervals, prices, quotes
from market.coverage import held
from market.intervals import STORED_WITHIN
from market.models import Symbol
from market.player.finer import PRICES, Finer

_VALUES = ("open", "high", "low", "close", "volume")
_INTERVALS = sorted(STORED_WITHIN, key=lambda name: -intervals.named(name).seconds)
_BYTES_OF_A_PRICE = 32


def read(symbols: Sequence[Symbol], start: date, end: date, room: int) -> dict[str, list[Finer]]:
    """By ticker, the finest first. room: bytes; what is too much for all of them together is left out for all."""
    tickers = [symbol.ticker for symbol in symbols]
    found: dict[str, list[Finer]] = {ticker: [] for ticker in tickers}
    known = held.latest(tickers)
    for interval in _INTERVALS:
        level = {ticker: _bars(ticker, interval, start, end) for ticker in tickers if interval in known[ticker]}
        if (room := room - sum(each.bytes for each in level.values())) < 0:
            return found
        _add(found, level)
    told = {symbol.ticker: _prices(symbol, start, end, room) for symbol in symbols}
    if None not in told.values() and sum(each.bytes for each in told.values()) <= room:
        _add(found, told)
    return found


def versions(tickers: Sequence[str]) -> dict[str, dict[str, str]]:
    """By ticker and interval that of the bars that are held."""
    told = {interval: coverage.latest(tickers, interval=interval) for interval in STORED_WITHIN} if tickers else {}
    return {ticker: {interval: found[ticker] for interval, found in told.items()} for ticker in tickers}


def _add(found: dict[str, list[Finer]], level: dict[str, Finer]) -> None:
    for ticker, each in level.items():
        if len(each.at):
            found[ticker].insert(0, each)


def _bars(ticker: str, interval: str, start: date, end: date) -> Finer:
    columns = bars.columns(ticker, interval=interval, adjusted="raw")
    dates = columns["session_date"]
    first, last = np.searchsorted(dates, [np.datetime64(start), np.datetime64(end) + 1])
    values = np.stack([columns[name][first:last] for name in _VALUES], axis=1)
    return Finer(interval, dates[first:last].copy(), columns["opened_at"][first:last].copy(), values)


def _prices(symbol: Symbol, start: date, end: date, room: int) -> Finer | None:
    """None where they are too many."""
    rows = quotes.told_in(symbol, start, end, limit=room // _BYTES_OF_A_PRICE + 1)
    if len(rows) * _BYTES_OF_A_PRICE > room:
        return None
    values = [(price, np.nan if volume is None else volume) for _, _, price, volume in rows]
    return Finer(
        PRICES,
        np.array([session for session, *_ in rows], "datetime64[D]"),
        np.array([prices.microseconds(at) for _, at, *_ in rows], np.int64).astype("datetime64[us]"),
        np.array(values, np.float64).reshape(-1, 2),
    )
