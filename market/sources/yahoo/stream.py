"""Yahoo's price streamer: a socket of our own that reconnects and subscribes again, in a thread of its own.

yfinance's client stays silent after a drop and spins after a clean close, so only its decoder is used, which
`asking` hands in.
"""

import asyncio
import json
import logging
import math
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from market import prices
from market.models import Symbol
from market.prices import Extended, Quote
from market.sources.yahoo import charts, fields
from market.sources.yahoo.charts import SOURCE, days, units
from monitoring.loops import Loop

logger = logging.getLogger(__name__)

RESUBSCRIBE_SECONDS = 15
FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 0.5, 60
SETTLED_SECONDS = 30  # a connection that lived this long is a success: the next delay is the first again
# Some exchanges are told of twenty minutes late; an older price is the last of a market that has closed.
LONGEST_DELAY = timedelta(minutes=30)
LARGEST_FRAME_BYTES = 64 << 10
REGULAR_HOURS = 1
EXTENDED_HOURS = {0: prices.PRE, 2: prices.POST}  # zero is absent from a message
# Yahoo's numbers of asset types that trade before and after hours; a price of then is none of the session's.
EXTENDED_TYPES = {8, 20}  # shares, exchange-traded funds
_PRICES = ("price", "previous_close", "open_price", "day_high", "day_low", "change")
READ = frozenset((*_PRICES, "id", "time", "currency", "quote_type", "market_hours", "day_volume"))  # of a message

Decode = Callable[[str], dict]


class Streamer:
    """Keeps one connection and hands each decoded price message to `hear`, in the streamer's thread."""

    def __init__(
        self,
        url: str,
        *,
        decode: Decode,
        hear: Callable[[dict], None],
        tls: ssl.SSLContext | None = None,
        first_delay_seconds: float = FIRST_DELAY_SECONDS,
    ) -> None:
        self.url, self.tls, self.first_delay_seconds = url, tls, first_delay_seconds
        self.connections = 0
        self._decode, self._hear = decode, hear
        self._wanted: frozenset[str] = frozenset()
        self._loop = asyncio.new_event_loop()
        self._stopping, self._rewanted = asyncio.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._run()], name="yahoo-stream")
        self._thread.daemon = True

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    def subscribe(self, tickers: Iterable[str]) -> None:
        """Hear of these tickers and of no others, now and after every reconnection."""
        wanted = frozenset(tickers)
        if wanted != self._wanted:
            self._wanted = wanted
            self._loop.call_soon_threadsafe(self._rewanted.set)

    async def _run(self) -> None:
        with Loop("yahoo: streamer") as self._turning:
            keeping = asyncio.ensure_future(self._keep_connected())
            await self._stopping.wait()
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _keep_connected(self) -> None:
        """Reconnect for ever. A clean close waits like a drop does, else a server that hangs up at once is spun on."""
        failures, tls = 0, {"ssl": self.tls} if self.tls else {}
        while True:
            began = time.monotonic()
            try:
                async with connect(self.url, max_size=LARGEST_FRAME_BYTES, close_timeout=2, **tls) as socket:
                    self.connections += 1
                    await self._listen(socket)
                reason = "it closed"
            except (OSError, TimeoutError, WebSocketException) as error:
                reason = str(error) or type(error).__name__
            except Exception as error:  # noqa: BLE001 - the last line of defence: the stream goes on
                self._turning.fail(error)
                reason = "see above"
            failures = 1 if time.monotonic() - began > SETTLED_SECONDS else failures + 1
            delay = min(self.first_delay_seconds * 2 ** (failures - 1), LONGEST_DELAY_SECONDS)
            delay *= random.uniform(0.5, 1)
            logger.info("Yahoo's streamer: %s; connecting again in %.1f s", reason, delay)
            await asyncio.sleep(delay)

    async def _listen(self, socket: ClientConnection) -> None:
        subscribing = asyncio.ensure_future(self._keep_subscribed(socket))
        try:
            async for frame in socket:
                with self._turning.one(f"a message of {len(frame)} bytes"):
                    self._receive(frame)
        finally:
            subscribing.cancel()
            await asyncio.gather(subscribing, return_exceptions=True)

    async def _keep_subscribed(self, socket: ClientConnection) -> None:
        """Say what we want at once, when it changes, and every so often, as Yahoo's own pages do."""
        sent: frozenset[str] = frozenset()
        while True:
            self._rewanted.clear()
            wanted = self._wanted
            if gone := sent - wanted:
                await socket.send(json.dumps({"unsubscribe": sorted(gone)}))
            if wanted:
                await socket.send(json.dumps({"subscribe": sorted(wanted)}))
            sent = wanted
            try:
                await asyncio.wait_for(self._rewanted.wait(), RESUBSCRIBE_SECONDS)
            except TimeoutError:
                continue

    def _receive(self, frame: str | bytes) -> None:
        try:
            envelope = orjson.loads(frame)
            if envelope.get("type") != "pricing":
                return
            message = self._decode(envelope["message"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            logger.warning("Yahoo's streamer sent %d bytes that are no price: %s", len(frame), error)
            return
        if message.get("id") in self._wanted:
            self._hear(message)


def quote(message: dict, *, symbol: Symbol, known: Quote | None, now: datetime) -> Quote | None:
    """The quote a decoded message tells, with what it leaves out taken from `known` of the same session.

    None where it is of extended hours, or too large for its float32 to be exact to the symbol's decimals: such a
    symbol has to be polled. Zero values are absent from a message; what is no number counts as absent.
    Raises ValueError, also of another currency than the symbol's, or OverflowError where its time is none.
    """
    price, unit = message.get("price", 0.0), units.factor(message.get("currency"), symbol.currency)
    smallest = 10**-symbol.price_decimals * unit.denominator / unit.numerator
    told = partial(fields.price, may_be_negative=symbol.may_be_negative)
    if told(message, "price") is None or not is_exact(price, smallest):
        return None
    if _is_extended(message) or "time" not in message:
        return None
    if unit != 1:
        message = {name: _in_currency(value, unit) if name in _PRICES else value for name, value in message.items()}
        price = message["price"]
    as_of = _moment(message)
    session_date = days.of_symbol(symbol).of_trade(as_of)
    if known is None or known.session_date != session_date:
        known = None
    volume = int(message.get("day_volume", -1))
    found = Quote(
        ticker=symbol.ticker,
        price=price,
        previous_close=_previous_close(message, symbol, known),
        open=told(message, "open_price") or (known and known.open),
        high=_extreme(max, told(message, "day_high"), known and known.high, price),
        low=_extreme(min, told(message, "day_low"), known and known.low, price),
        volume=volume if prices.is_volume(volume) else known and known.volume,
        session_date=session_date,
        as_of=as_of,
        as_of_precision=prices.SECOND,
        received_at=now,
        source=SOURCE,
        market_state="open" if now - as_of < LONGEST_DELAY else (known.market_state if known else "closed"),
    )
    return prices.rounded(found, symbol.price_decimals)


def told(message: dict, *, symbol: Symbol, known: Quote | None, now: datetime) -> Quote | Extended | None:
    """What a decoded message tells: a `quote`, or a price of before or after a session. None and errors as there."""
    return (
        _extended(message, symbol, now)
        if _is_extended(message)
        else quote(message, symbol=symbol, known=known, now=now)
    )


def is_exact(price: float, smallest: float) -> bool:
    """Whether float32 tells this price from one that is so little away (131,072.00 from the next cent it does not)."""
    spacing = math.ldexp(1.0, math.frexp(price)[1] - 24)
    return spacing < smallest


def _in_currency(value: object, unit: Fraction) -> object:
    return value * unit.numerator / unit.denominator if prices.is_number(value) else value


def _previous_close(message: dict, symbol: Symbol, known: Quote | None) -> float | None:
    if known and known.previous_close:
        return known.previous_close
    if symbol.asset_type == symbol.AssetType.CRYPTO:
        return None  # what is told of a coin counts from a day ago, and not from its last close
    if told := fields.price(message, "previous_close", may_be_negative=symbol.may_be_negative):
        return told
    # The change is small and so exact enough; an absent one is zero or unknown, and nobody can say which.
    change = message.get("change")
    close = round(message["price"], symbol.price_decimals) - change if change and prices.is_number(change) else None
    return close if fields.is_told(close, may_be_negative=symbol.may_be_negative) else None


def _extreme(choose: Callable, *values: float | None) -> float:
    return choose(value for value in values if value)


def _extended(message: dict, symbol: Symbol, now: datetime) -> Extended | None:
    price, unit = message.get("price", 0.0), units.factor(message.get("currency"), symbol.currency)
    smallest = 10**-symbol.price_decimals * unit.denominator / unit.numerator
    if fields.price(message, "price") is None or not is_exact(price, smallest) or "time" not in message:
        return None
    said = EXTENDED_HOURS.get(message.get("market_hours", 0))
    if said is None:
        raise fields.Misshapen(f"a price of hours that we do not know: {message['market_hours']}")
    return charts.extended(symbol, said, _in_currency(price, unit), _moment(message), now)


def _moment(message: dict) -> datetime:
    return datetime.fromtimestamp(int(message["time"]) // 1000, UTC)


def _is_extended(message: dict) -> bool:
    return message.get("quote_type") in EXTENDED_TYPES and message.get("market_hours") != REGULAR_HOURS
