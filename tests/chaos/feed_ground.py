"""The ground that the feed of a live source is broken on: Yahoo's stub, feeds that may be killed, and a client."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from websockets.sync.client import connect

from tests.chaos.jobs_ground import Ground, Process, until
from tests.market.yahoo_wire import Wire
from tests.server import Running

PATIENCE_SECONDS = 40
EVERY_SECONDS = 0.05  # between two prices of the source
OPENED_AT = datetime(2013, 3, 1, 15, tzinfo=UTC)
CENTS = 10_000  # the first price


@contextmanager
def feed(ground: Ground, wire: Wire, without: str = "") -> Iterator[Process]:
    """One that plays."""
    started = start_feed(ground, wire, without)
    try:
        until(lambda: is_listened_to(wire), PATIENCE_SECONDS, started)
        yield started
    finally:
        started.kill()


def is_listened_to(wire: Wire) -> bool:
    return any("AAPL" in asked for asked in list(wire.sockets.values()))


def start_feed(ground: Ground, wire: Wire, without: str = "") -> Process:
    own = {"FINSTAGE_SOURCE": "yahoo", "FINSTAGE_VAR": str(ground.folder / "feed"), "FINSTAGE_YAHOO_RATE": "1000"}
    own |= {"CHAOS_WITHOUT": without, **wire.environment}
    return ground.start("feed", "-m", "tests.chaos.stream_weakened", **own)


@contextmanager
def frozen(ground: Ground) -> Iterator[None]:
    os.kill(ground.mariadb.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(ground.mariadb.pid, signal.SIGCONT)


def tick(wire: Wire, cents: int) -> None:
    at = int(OPENED_AT.timestamp() * 1000) + tick.number
    tick.number += 1000
    wire.tick("AAPL", price=cents / 100, open_price=CENTS / 100, time=at, quote_type=8, market_hours=1)


tick.number = 0


class Ear(threading.Thread):
    """A client that hears every price of Apple's, when it came, and all else."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.came: dict[int, float] = {}  # by the price in cents
        self.seqs: list[int] = []
        self.told: list[dict] = []
        self.is_over = self.is_ready = False
        self._url = f"ws://127.0.0.1:{port}/ws/realtime"

    def run(self) -> None:
        with connect(self._url) as socket:
            for kind in ("bars", "indicators", "alerts", "prices"):
                mode = {"mode": "every"} if kind == "prices" else {}
                socket.send(json.dumps({"action": "subscribe", "type": kind, "symbols": ["AAPL"], **mode}))
            while not self.is_over:
                try:
                    self._take(json.loads(socket.recv(0.2)), time.monotonic())
                except TimeoutError:
                    continue

    def _take(self, message: dict, now: float) -> None:
        self.told.append(message)
        self.is_ready |= message["type"] == "subscribed" and "prices:AAPL" in message["streams"]
        if message["type"] == "price_update":
            self.came[round(message["current_price"] * 100)] = now
            self.seqs.append(message["seq"])

    def of(self, kind: str) -> list[dict]:
        return [message for message in list(self.told) if message["type"] == kind]


@contextmanager
def listening(web: Running) -> Iterator[Ear]:
    ear = Ear(web.port)
    ear.start()
    try:
        until(lambda: ear.is_ready, PATIENCE_SECONDS)
        yield ear
    finally:
        ear.is_over = True
        ear.join()


def waits(sent: dict[int, float], came: dict[int, float]) -> list[float]:
    """How long each price was waited for, or a newer one that took its place."""
    left, found = sorted(came.items()), []
    for cents, at in sorted(sent.items()):
        while left and left[0][0] < cents:
            left.pop(0)
        found.append(min((came_at for _, came_at in left), default=time.monotonic()) - at)
    return found


def standing_by(ground: Ground, wire: Wire, without: str = "") -> Process:
    started = start_feed(ground, wire, without)
    until(lambda: "this one stands by" in started.log.read_text(), PATIENCE_SECONDS, started)
    return started


class Market(threading.Thread):
    """A price of Apple's every now and then, each a cent above the one before."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(daemon=True)
        self.sent: dict[int, float] = {}
        self._wire, self._over = wire, threading.Event()

    def __enter__(self) -> "Market":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            cents = CENTS + len(self.sent)
            self.sent[cents] = time.monotonic()
            tick(self._wire, cents)


def repeats_and_holes(ear: Ear) -> tuple[int, int]:
    """Of the numbers of prices that were heard, from first to last."""
    numbers = set(ear.seqs)
    return len(ear.seqs) - len(numbers), ear.seqs[-1] + 1 - ear.seqs[0] - len(numbers)
