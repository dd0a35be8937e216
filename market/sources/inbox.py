"""The newest quote of every tracked symbol, where the streamer and the poll meet and the feed takes them."""

import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from market import prices
from market.models import Symbol
from market.prices import Quote
from market.quotes import checks
from monitoring import refusals

Understand = Callable[..., Quote | None]


class Inbox:
    """Bounded by the tracked symbols, however slow the taker is: a newer quote replaces the one not yet taken.

    understand: the quote of a streamed message, with what it leaves out taken from the newest; None where it
    tells none. It raises ValueError or its like where the message can't be read.
    """

    def __init__(self, understand: Understand) -> None:
        self._understand = understand
        self._changed = threading.Condition()
        self._symbols: dict[str, Symbol] = {}
        self._newest: dict[str, Quote] = {}
        self._fresh: set[str] = set()
        self._heard_at: dict[str, float] = {}

    def track(self, symbols: Iterable[Symbol]) -> None:
        """Hold these symbols and forget all others."""
        with self._changed:
            self._symbols = {symbol.ticker: symbol for symbol in symbols}
            self._newest = {ticker: self._newest[ticker] for ticker in self._symbols.keys() & self._newest.keys()}
            self._heard_at = {ticker: self._heard_at[ticker] for ticker in self._symbols.keys() & self._heard_at.keys()}
            self._fresh &= self._symbols.keys()

    def symbols(self) -> list[Symbol]:
        with self._changed:
            return list(self._symbols.values())

    def newest(self, ticker: str) -> Quote | None:
        with self._changed:
            return self._newest.get(ticker)

    def heard_at(self, ticker: str) -> float:
        """When the streamer last told a price we could use, by the monotonic clock; minus infinity: never."""
        with self._changed:
            return self._heard_at.get(ticker, -math.inf)

    def is_streamed(self, seconds: float) -> bool:
        """Whether the streamer told any price within so many seconds."""
        with self._changed:
            return time.monotonic() - max(self._heard_at.values(), default=-math.inf) < seconds

    def hear(self, ticker: str, message: dict) -> None:
        """Take in a message of the streamer; what it leaves out comes from the same session's newest quote."""
        now = datetime.now(UTC)
        with self._changed:
            if symbol := self._symbols.get(ticker):
                known = self._newest.get(symbol.ticker)
                quote = self._understood(message, symbol, known, now)
                if quote and not (fault := checks.quote_fault(quote, now)):
                    self._heard_at[symbol.ticker] = time.monotonic()
                    if not _is_repeated(quote, known):
                        self._put(quote, now)
                elif quote:
                    refusals.note("stream", symbol.ticker, fault, repr(message))

    def put(self, quotes: Iterable[Quote]) -> None:
        """Take in polled quotes, which know the whole session; one that can't be is counted and changes nothing."""
        now = datetime.now(UTC)
        with self._changed:
            for quote in quotes:
                if quote.ticker not in self._symbols:
                    continue
                if fault := checks.quote_fault(quote, now):
                    refusals.note("quotes", quote.ticker, fault, repr(quote))
                else:
                    self._put(quote, now)

    def take(self, timeout_seconds: float) -> list[Quote]:
        """All that is new, waiting up to the timeout for the first."""
        with self._changed:
            self._changed.wait_for(lambda: self._fresh, timeout_seconds)
            taken, self._fresh = self._fresh, set()
            return [self._newest[ticker] for ticker in sorted(taken)]

    def _put(self, quote: Quote, now: datetime) -> None:
        held = self._newest.get(quote.ticker)
        # One that was taken while our clock was ahead is no mark.
        if held and quote.as_of < held.as_of and not prices.is_ahead(held.as_of, now):
            if quote.session_date != held.session_date:
                return
            quote = _completed(held, quote)
        self._newest[quote.ticker] = quote
        self._fresh.add(quote.ticker)
        self._changed.notify()

    def _understood(self, message: dict, symbol: Symbol, known: Quote | None, now: datetime) -> Quote | None:
        """The quote of a message; None of one that tells none, or that can't be read, which is counted."""
        try:
            return self._understand(message, symbol=symbol, known=known, now=now)
        except (ValueError, TypeError, OverflowError, OSError, KeyError) as error:
            refusals.note("stream", symbol.ticker, f"it can't be read: {error}", repr(message))
            return None


def _is_repeated(streamed: Quote, known: Quote | None) -> bool:
    """Whether a message tells nothing new: on each subscription the streamer repeats the last price it has."""
    if known is None or streamed.as_of > known.as_of:
        return False
    return streamed.as_of < known.as_of or known.has_closed or streamed.price == known.price


def _completed(newer: Quote, older: Quote) -> Quote:
    """The newer price with what an older quote of its session knows better: a delayed poll after a streamed tick."""
    return replace(
        newer,
        previous_close=older.previous_close or newer.previous_close,
        open=older.open or newer.open,
        high=max(filter(None, (newer.high, older.high)), default=None),
        low=min(filter(None, (newer.low, older.low)), default=None),
        volume=newer.volume if older.volume is None else max(newer.volume or 0, older.volume),
    )
