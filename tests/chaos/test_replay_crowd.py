"""As many replays as a process takes, each as fast as it may go: they cost those that hear live prices little time."""

import asyncio
import itertools
import json
import selectors
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime

import numpy as np
import pytest

from market import bars
from market.prices import Bar, midnight
from realtime.messages import Message
from tests.chaos import stream_ground
from tests.chaos.jobs_ground import quantile, report
from tests.chaos.scale import times
from tests.chaos.stream_ground import SYMBOLS, Follower, Publisher, all_answered, following, price
from tests.server import Running, frame, upgraded

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]
REPLAYS, LIVE = 50, 1000
SECONDS = 12
PLAYED = SYMBOLS[:10]  # 120 messages a session: as many in a second as a replay may tell
MARK = b'"replay":true'
DAYS = np.busday_offset(np.datetime64("2008-01-01"), np.arange(400), roll="forward").tolist()
ROOM = {
    "FINSTAGE_REPLAYS_PER_USER": "1000",
    "FINSTAGE_REPLAYS_PER_PROCESS": str(REPLAYS),
    "FINSTAGE_CONNECTIONS_PER_ADDRESS": "0",
}


def bar(ticker: str, place: int, day: date) -> Bar:
    open = 100.0 + place % 37
    return Bar(ticker, "1d", midnight(day), open, open + 2, open - 1, open + 1, 1000, True, "replay", datetime.now(UTC))


def live_prices() -> Iterator[list[Message]]:
    """Twenty a batch."""
    for number in itertools.count():
        yield [price(SYMBOLS[(number * 20 + place) % len(SYMBOLS)], number) for place in range(20)]


class Players(threading.Thread):
    """Clients that play the same year, and read all that they are told as fast as it comes."""

    def __init__(self, web: Running, count: int) -> None:
        super().__init__(daemon=True)
        days = {"start": str(DAYS[0]), "end": str(DAYS[-1])}
        asked = frame(json.dumps({"action": "replay", "symbols": PLAYED, **days, "speed": 100_000}).encode())
        self.heard, self.tails, self.over = {}, {}, threading.Event()
        for _ in range(count):
            client = upgraded(web, "/ws/realtime")
            client.sendall(asked)
            self.heard[client] = 0
            while not self.heard[client]:  # so many at once would be refused: what they play is read first
                self._read(client)

    def run(self) -> None:
        with selectors.DefaultSelector() as reading:
            for client in self.heard:
                reading.register(client, selectors.EVENT_READ)
            while not self.over.is_set():
                for key, _ in reading.select(0.2):
                    self._read(key.fileobj)

    def _read(self, client: socket.socket) -> None:
        came = client.recv(1 << 18)
        assert came  # or it was closed
        data = self.tails.get(client, b"") + came
        self.heard[client] += data.count(MARK)
        self.tails[client] = data[-len(MARK) + 1 :]


async def waits(followers: list[Follower], seconds: float) -> list[float]:
    for each in followers:
        each.waits.clear()
    await asyncio.sleep(seconds)
    return [wait for each in followers for wait in each.waits]


async def beside(web: Running, replays: int, live: int) -> tuple[list[float], list[float], Players, float]:
    """How long live prices take, without the replays and beside them; and who played, for how many seconds."""
    asked = {"action": "subscribe", "type": "prices"}
    followers = [Follower(stream_ground.url(web), [asked | {"symbols": [SYMBOLS[n % 100]]}]) for n in range(live)]
    async with following(followers):
        await all_answered(followers)
        with Publisher(live_prices(), every_seconds=0.1):
            await waits(followers, 4)  # all are warm
            before = await waits(followers, SECONDS)
            players = await asyncio.to_thread(Players, web, replays)
            players.start()
            told = sum(players.heard.values())
            found = await waits(followers, SECONDS)
            told = sum(players.heard.values()) - told
            players.over.set()
            await asyncio.to_thread(players.join)
            for client in players.heard:
                client.close()
    return before, found, players, told / SECONDS


def test_replays_cost_those_that_hear_live_prices_little_time(server):
    replays, live = times(REPLAYS), times(LIVE)
    bars.upsert([bar(ticker, place, day) for ticker in PLAYED for place, day in enumerate(DAYS)])
    with stream_ground.web(server, **ROOM) as web:
        before, found, players, rate = asyncio.run(beside(web, replays, live))
    was, became = quantile(before, 0.99), quantile(found, 0.99)
    report(
        "replays beside clients that hear live prices",
        f"{replays} replays of {len(PLAYED)} symbols at speed 100,000 in one process, beside {live} live clients",
        "p99 of the live prices 50 ms longer at most, and every replay goes on",
        f"p99 {was * 1000:.0f} → {became * 1000:.0f} ms of {len(before)} and {len(found)} prices; "
        f"{rate:,.0f} replayed messages/s, {min(players.heard.values())} to {max(players.heard.values())} each",
    )
    assert min(players.heard.values()) > len(PLAYED) * 12
    assert became < was + 0.05


def test_without_turns_they_cost_those_more_the_more_of_them_there_are(server):
    bars.upsert([bar(ticker, place, day) for ticker in PLAYED for place, day in enumerate(DAYS)])
    with stream_ground.web(server, "turns", **ROOM) as web:
        before, found, *_ = asyncio.run(beside(web, REPLAYS, 20))
    assert quantile(found, 0.99) > quantile(before, 0.99) + 0.05
