"""The newest quote of every tracked symbol, where the streamer and the poll meet and the feed takes them."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from market import prices
from market.models import Symbol
from market.prices import OPEN, SECOND, Extended, Quote
from market.quotes import checks, extended
from monitoring import metrics, refusals

Understand = Callable[..., Quote | Extended | None]

TOGETHER_SECONDS = 0.03  # after something was taken what comes waits so long for what comes with it


class Inbox:
    """Bounded by the tracked symbols, however slow the taker is: a newer quote replaces the one not yet taken.

    understand: the quote of a streamed message, with what it leaves out taken from the newest, or a price of before or
    after a session; None where it tells none. It raises ValueError or its like where the message can't be read.
    told: the newest of before or after a session that were told before, by ticker.
    """

    def __init__(self, understand: Understand, told: Mapping[str, Extended] | None = None) -> None:
        self._understand = understand
        self._changed = threading.Condition()
        self._symbols: dict[str, Symbol] = {}
        self._newest: dict[str, Quote] = {}
        self._fresh: set[str] = set()
        self._extended = dict(told or {})
        self._fresh_extended: set[str] = set()
        self._heard_at: dict[str, float] = {}
        self._streamed_at = -math.inf  # when it last told a price of before or after a session
        self._taken_at = -math.inf

    def track(self, symbols: Iterable[Symbol]) -> None:
        """Hold these symbols and forget all others."""
        with self._changed:
            self._symbols = {symbol.ticker: symbol for symbol in symbols}
            self._newest = {ticker: self._newest[ticker] for ticker in self._symbols.keys() & self._newest.keys()}
            self._heard_at = {ticker: self._heard_at[ticker] for ticker in self._symbols.keys() & self._heard_at.keys()}
            self._fresh &= self._symbols.keys()
            self._extended = {ticker: self._extended[ticker] for ticker in self._symbols.keys() & self._extended.keys()}
            self._fresh_extended &= self._symbols.keys()

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
        """Whether the streamer told any price within so many seconds, of whatever hours."""
        with self._changed:
            heard_at = max(self._heard_at.values(), default=-math.inf)
            return time.monotonic() - max(heard_at, self._streamed_at) < seconds

    def hear(self, ticker: str, message: dict) -> None:
        """Take in a message of the streamer; what it leaves out comes from the same session's newest quote."""
        now = datetime.now(UTC)
        with self._changed:
            if symbol := self._symbols.get(ticker):
                known = self._newest.get(symbol.ticker)
                quote = self._understood(message, symbol, known, now)
                if isinstance(quote, Extended):
                    self._streamed_at = time.monotonic()
                    self._put_extended(quote, now)
                elif quote and not (fault := _fault(quote, symbol, now)):
                    self._heard_at[symbol.ticker] = time.monotonic()
                    if not _is_repeated(quote, known):
                        _measure(quote, known, "streamer")
                        self._put(quote, now)
                elif quote:
                    refusals.note("stream", symbol.ticker, fault, repr(message))

    def put(self, quotes: Iterable[Quote]) -> None:
        """Take in polled quotes, which know the whole session; one that can't be is counted and changes nothing."""
        now = datetime.now(UTC)
        with self._changed:
            for quote in quotes:
                symbol = self._symbols.get(quote.ticker)
                if symbol is None:
                    continue
                if fault := _fault(quote, symbol, now):
                    refusals.note("quotes", quote.ticker, fault, repr(quote))
                else:
                    _measure(quote, self._newest.get(quote.ticker), "polled")
                    self._put(replace(quote, extended=None), now)
                    if quote.extended:
                        self._put_extended(quote.extended, now)

    def take(self, timeout_seconds: float) -> list[Quote]:
        """All quotes that are new, waiting up to the timeout for the first; none where another price came.

        At once after a quiet time, else a moment after the last: to tell two together costs little more than one.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._fresh or self._fresh_extended, timeout_seconds):
                return []
        time.sleep(max(0.0, self._taken_at + TOGETHER_SECONDS - time.monotonic()))
        with self._changed:
            self._taken_at = time.monotonic()
            taken, self._fresh = self._fresh, set()
            return [self._newest[ticker] for ticker in sorted(taken)]

    def take_extended(self, now: datetime) -> tuple[list[Extended], list[str]]:
        """Those of before or after a session that are new, and the tickers of those that are over."""
        with self._changed:
            taken, self._fresh_extended = self._fresh_extended, set()
            over = [ticker for ticker, each in self._extended.items() if each.is_over(now)]
            for ticker in over:
                del self._extended[ticker]
            return [self._extended[ticker] for ticker in sorted(taken - set(over))], sorted(over)

    def _put_extended(self, told: Extended, now: datetime) -> None:
        """Take in one that is newer, or says another price of the same time; what can't be is counted."""
        held = self._extended.get(told.ticker)
        if held and not prices.is_ahead(held.as_of, now) and not _is_news(told, held):
            return
        if extended.is_sound(told, now):
            self._extended[told.ticker] = told
            self._fresh_extended.add(told.ticker)
            self._changed.notify()

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


def _fault(quote: Quote, symbol: Symbol, now: datetime) -> str | None:
    return checks.quote_fault(quote, now, may_be_negative=symbol.may_be_negative)


def _measure(quote: Quote, known: Quote | None, way: str) -> None:
    """How long a new price of an open market took to us; of one that is told again, or of a close, nobody can say."""
    if known and quote.as_of > known.as_of and quote.market_state == OPEN and quote.as_of_precision == SECOND:
        took = quote.received_at - quote.as_of
        metrics.PRICE_FROM_SOURCE.observe(took.total_seconds(), (quote.source, way))


def _is_news(told: Extended, held: Extended) -> bool:
    return told.as_of > held.as_of or (told.as_of == held.as_of and told.price != held.price)


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
