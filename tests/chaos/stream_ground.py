"""The ground that streams are broken on: a Valkey of its own, web processes, who publishes, and clients that count."""

import asyncio
import contextlib
import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from market.models import Symbol
from monitoring import redis as connection
from realtime import messages, streams
from realtime.messages import Message
from realtime.streams import Position, publishing
from tests.conftest import shared_database
from tests.server import Running, running
from tests.valkey import Server

SYMBOLS = [f"S{number:02d}" for number in range(100)]
ANSWER_SECONDS = 60
LOST = (OSError, WebSocketException, TimeoutError, EOFError)


def track(tickers: Sequence[str] = SYMBOLS) -> None:
    """Have the web process know these."""
    facts = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    Symbol.objects.bulk_create(Symbol(ticker=ticker, name=ticker, **facts) for ticker in tickers)


@contextmanager
def web(server: Server, without: str = "", *, port: int | None = None, **environment: str) -> Iterator[Running]:
    """A web process, without one of its defences where that is named."""
    command = ("-m", "tests.chaos.stream_web_weakened", "web", "--host", "127.0.0.1")
    own = {"REDIS_URL": server.url, "CHAOS_WITHOUT": without, **shared_database(), **environment}
    with running(*command, at=port, **own) as process:
        process.get("/health/live")
        yield process


def url(web: Running) -> str:
    return f"ws://127.0.0.1:{web.port}/ws/realtime"


def price(ticker: str, number: int) -> Message:
    body = {"type": "price_update", "symbol": ticker, "current_price": float(number), "sent": time.monotonic()}
    return Message(f"prices:{ticker}", messages.encode(body), keep=True, conflate=True)


def alert(ticker: str, number: int) -> Message:
    body = {"type": "alert", "stream": f"alerts:{ticker}", "symbol": ticker, "id": number}
    return Message(f"alerts:{ticker}", messages.encode(body), keep=True, conflate=False)


def in_turn(tickers: Sequence[str]) -> Iterator[list[Message]]:
    """A price and an alert of one after another, without end."""
    for number in itertools.count():
        ticker = tickers[number % len(tickers)]
        yield [price(ticker, number), alert(ticker, number)]


class Publisher(threading.Thread):
    """Publishes until it is stopped, as a feed does: until it succeeds, and each batch with an id."""

    def __init__(self, batches: Iterator[list[Message]], *, every_seconds: float) -> None:
        super().__init__(daemon=True)
        self._batches, self._every = batches, every_seconds
        self._over = threading.Event()
        self.published = self.failed = 0
        self.again: list[tuple[str, Position]] = []  # what was given for a second time
        self.tops: dict[tuple[str, str], int] = {}  # the highest number that was given in each epoch of a stream

    def run(self) -> None:
        due = time.monotonic()
        for batch in self._batches:
            if not self._insist(batch):
                return
            self.published += len(batch)
            for name in {message.stream for message in batch}:
                place = publishing._given[name]
                if place.seq <= self.tops.get((name, place.epoch), 0):
                    self.again.append((name, place))
                self.tops[name, place.epoch] = place.seq
            due = max(due + self._every, time.monotonic() - 1)
            time.sleep(max(0.0, due - time.monotonic()))

    def _insist(self, batch: list[Message]) -> bool:
        """Whether it was published before the end."""
        id = streams.new_batch()
        while not self._over.is_set():
            try:
                streams.publish(batch, batch=id)
            except connection.redis.RedisError:
                self.failed += 1
                time.sleep(0.1)
            else:
                return True
        return False

    def __enter__(self) -> "Publisher":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self.join()


def given() -> dict[str, Position]:
    """The highest number that was given of each stream, as who published remembers it."""
    return dict(publishing._given)


@dataclass
class Follower:
    """A client that always comes back where it was cut off, and counts what it was not told of and what it was twice.

    asked: what it subscribes to, as actions without `since`. places: where it is in each stream.
    """

    url: str
    asked: list[dict]
    places: dict[str, Position] = field(default_factory=dict)
    heard: Counter = field(default_factory=Counter)
    holes: list[tuple] = field(default_factory=list)
    repeats: list[tuple] = field(default_factory=list)
    gaps: list[dict] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)  # of prices, from their publication
    errors: Counter = field(default_factory=Counter)
    closed: Counter = field(default_factory=Counter)
    connections: int = 0
    is_over: bool = False
    socket: ClientConnection | None = None
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    told: list[dict] = field(default_factory=list)  # what is not of a stream
    ended: list[tuple[str, Position]] = field(default_factory=list)  # epochs that ended for it, not told as a gap

    async def follow(self) -> None:
        pause = 0.05
        while not self.is_over:
            try:
                async with connect(self.url, open_timeout=20, max_size=None, compression=None, proxy=None) as socket:
                    self.connections += 1
                    self.socket, pause = socket, 0.05
                    await self._listen(socket)
            except LOST:
                if self.socket is not None and self.socket.close_code:
                    self.closed[self.socket.close_code] += 1
            self.answered.clear()
            if not self.is_over:
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(pause * 2, 2.0)

    async def _listen(self, socket: ClientConnection) -> None:
        await self._ask(socket)
        async for text in socket:
            message = orjson.loads(text)
            self.take(message)
            if message.get("code") == "temporarily_unavailable":
                await asyncio.sleep(0.3)
                await self._ask(socket, message["id"])

    async def _ask(self, socket: ClientConnection, *numbers: int) -> None:
        """Subscribe to these of `asked`, to all where none is named."""
        if not numbers:
            self._pending = len(self.asked)
        for number in numbers or range(len(self.asked)):
            action = self.asked[number] | {"id": number}
            since = {
                name: place._asdict()
                for name, place in self.places.items()
                if name.startswith(action["type"]) and name.partition(":")[2] in action["symbols"]
            }
            await socket.send(json.dumps({**action, **({"since": since} if since else {})}))

    def take(self, message: dict) -> None:
        match message:
            case {"type": "subscribed", "streams": found}:
                self._begin(found)
            case {"type": "epoch", "stream": name, "epoch": epoch, "seq": seq}:
                if self.places[name].epoch != epoch:
                    self.ended.append((name, self.places[name]))
                self.places[name] = Position(epoch, seq)
            case {"type": "gap", "stream": name}:
                self._take_gap(message, name)
            case {"seq": seq}:
                self._count(message.get("stream") or f"prices:{message['symbol']}", seq)
                if "sent" in message:
                    self.waits.append(time.monotonic() - message["sent"])
            case _:
                self.told.append(message)
                if message["type"] == "error":
                    self.errors[message["code"]] += 1

    def _begin(self, found: dict[str, dict]) -> None:
        for name, place in found.items():
            self.places.setdefault(name, Position(place["epoch"], place["seq"]))
        self._pending -= 1
        if self._pending == 0:
            self.answered.set()

    def _take_gap(self, gap: dict, name: str) -> None:
        self.gaps.append(gap)
        is_same = gap["epoch"] == self.places[name].epoch
        if is_same or gap["reason"] == "epoch_changed":
            self.places[name] = Position(gap["epoch"], gap["to"])
        if is_same and gap["reason"] == "epoch_changed":  # it tells of the end of the epoch before as well
            self.ended = [each for each in self.ended if each[0] != name]

    def _count(self, name: str, seq: int) -> None:
        place = self.places[name]
        if seq <= place.seq:
            self.repeats.append((name, place.seq, seq))
            return
        if seq > place.seq + 1:
            self.holes.append((name, place.seq, seq))
        self.places[name] = Position(place.epoch, seq)
        self.heard[name] += 1

    async def cut(self) -> None:
        """End the connection as a network does: without a word of farewell."""
        if self.socket is not None:
            self.socket.transport.abort()
            await asyncio.sleep(0)

    async def end(self) -> None:
        self.is_over = True
        await self.cut()


def prices_and_alerts(symbols: Sequence[str], alerts: Sequence[str] = ()) -> list[dict]:
    asked = [{"action": "subscribe", "type": "prices", "symbols": list(symbols), "mode": "every"}]
    return asked + ([{"action": "subscribe", "type": "alerts", "symbols": list(alerts)}] if alerts else [])


@contextlib.asynccontextmanager
async def following(followers: Sequence[Follower]):
    """They follow while the block lasts."""
    tasks = [asyncio.create_task(each.follow()) for each in followers]
    try:
        yield
    finally:
        for each in followers:
            await each.end()
        await asyncio.wait(tasks, timeout=20)
        for task in tasks:
            task.cancel()


async def all_answered(followers: Sequence[Follower], seconds: float = ANSWER_SECONDS) -> float:
    """How long it took."""
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        for each in followers:
            await each.answered.wait()
    return time.monotonic() - began


async def caught_up(followers: Sequence[Follower], seconds: float = ANSWER_SECONDS) -> list[tuple]:
    """Wait until each is where what was published is. Returns who is not: stream, its place and the top."""
    until = time.monotonic() + seconds
    while True:
        top = given()
        behind = [
            (name, place, top[name])
            for each in followers
            for name, place in each.places.items()
            if name in top and place != top[name]
        ]
        if not behind or time.monotonic() > until:
            return behind
        await asyncio.sleep(0.1)


def silent_ends(followers: Sequence[Follower], tops: dict[tuple[str, str], int]) -> list[tuple]:
    """Where an epoch ended for somebody before its last message, and nobody said so."""
    return [
        (name, place, tops[name, place.epoch])
        for each in followers
        for name, place in each.ended
        if place.seq < tops.get((name, place.epoch), 0)
    ]


def of_no_message(followers: Sequence[Follower]) -> tuple[int, int]:
    """All holes and repeats."""
    return sum(len(each.holes) for each in followers), sum(len(each.repeats) for each in followers)
