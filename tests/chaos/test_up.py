"""Parts of a running Finstage are killed while a client listens."""

import json
import random
import threading
import time

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.tree import PARTS, Up

pytestmark = pytest.mark.chaos
KILLS = 15
STREAM = "prices:AAPL"
ACTION = {"action": "subscribe", "type": "prices", "symbols": ["AAPL"], "mode": "every"}


class Listener(threading.Thread):
    """A client that always comes back where it was cut off, and counts what it was not told of."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.url, self.stop = f"ws://127.0.0.1:{port}/ws/realtime", threading.Event()
        self.place: dict | None = None
        self.heard = self.connections = 0
        self.gaps: list[dict] = []
        self.holes: list[tuple] = []

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                with connect(self.url, open_timeout=2) as socket:
                    self.connections += 1
                    self._listen(socket)
            except (OSError, ConnectionClosed, TimeoutError):
                time.sleep(0.1)

    def _listen(self, socket) -> None:
        since = {"since": {STREAM: self.place}} if self.place else {}
        socket.send(json.dumps({**ACTION, **since}))
        while not self.stop.is_set():
            try:
                self._take(json.loads(socket.recv(0.5)))
            except TimeoutError:
                continue

    def _take(self, message: dict) -> None:
        match message:
            case {"type": "subscribed", "streams": streams} if self.place is None:
                self.place = {name: streams[STREAM][name] for name in ("epoch", "seq")}
            case {"type": "epoch", "stream": stream, "epoch": epoch, "seq": seq} if stream == STREAM:
                self.place = {"epoch": epoch, "seq": seq}
            case {"type": "gap", "stream": stream, "epoch": epoch, "to": to} if stream == STREAM:
                self.gaps.append(message)
                self.place = {"epoch": epoch, "seq": to}
            case {"type": "price_update", "seq": seq}:
                if seq != self.place["seq"] + 1:
                    self.holes.append((self.place["seq"], seq))
                self.place["seq"] = seq
                self.heard += 1


def told(name: str, counted: object) -> None:
    print(f"{name:<60} {counted}")  # noqa: T201 - `make chaos` shows it


def test_a_client_hears_every_price_or_is_told_of_the_gap_whatever_is_killed(tmp_path):
    chance = random.Random(7)
    up = Up(tmp_path / "var", FINSTAGE_REPLAY_SESSION_SECONDS="2")
    up.wait_until_moving()
    listener = Listener(up.port)
    listener.start()
    for _ in range(KILLS):
        time.sleep(chance.uniform(1, 3))
        victims = chance.sample(sorted(PARTS), chance.choice([1, 1, 2]))
        for part in [up.parts()[name] for name in victims]:
            part.kill()
        up.wait(lambda: up.parts().keys() == PARTS)
        up.wait_until_moving()
    up.process.kill()
    up.process.wait()
    again = Up(up.var, port=up.port, FINSTAGE_REPLAY_SESSION_SECONDS="2")
    again.wait_until_moving()
    before = listener.heard
    again.wait(lambda: listener.heard > before + 10)
    listener.stop.set()
    again.end()
    told("kills, of one or two parts", f"{KILLS} and of `up` itself")
    told("prices heard, connections", f"{listener.heard}, {listener.connections}")
    told("gaps that were told", listener.gaps)
    told("holes that were not told (expected none)", listener.holes)
    assert not listener.holes


def test_for_a_minute_of_forced_reconnects_no_price_is_missing(tmp_path):
    up = Up(tmp_path / "var", FINSTAGE_REPLAY_SESSION_SECONDS="4")
    up.wait_until_moving()
    listener = Listener(up.port)
    listener.start()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        time.sleep(6)
        up.parts()["web"].kill()
        up.wait(up.ready)
    heard = listener.heard
    listener.stop.set()
    up.end()
    told("prices heard, connections", f"{heard}, {listener.connections}")
    told("gaps, holes (expected none)", f"{listener.gaps}, {listener.holes}")
    assert heard > 10
    assert not listener.holes
    assert not listener.gaps
