"""Clients that do not read, and what they cost: bounded memory, and nobody else's time."""

import asyncio
import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from websockets.sync.client import connect

from realtime import messages
from realtime.messages import Message
from tests.chaos import stream_ground
from tests.chaos.jobs_ground import quantile, report
from tests.chaos.scale import times
from tests.chaos.stream_ground import SYMBOLS, Follower, Publisher, alert, all_answered, following
from tests.server import Running, eventually, frame, upgraded

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]
STALLED, HEALTHY = 100, 200
MB = 1 << 20
ROOM_BYTES = 4096  # that a client gives the kernel to receive
PADDING = "x" * 100  # as prices have
WIDE = "x" * 16_000  # of prices that shall not all fit into the kernel's buffers
ALL = frame(b'{"action":"subscribe","type":"prices","symbols":["*"],"mode":"every"}')
AS_LONG_AS_IT_TAKES = {"quiet_seconds": 8, "stalled_seconds": 25, "padding": PADDING}
SOON_TOO_MUCH = {"quiet_seconds": 1, "stalled_seconds": 8, "padding": "x" * 2000}
TICKS, ALERTS, SLEEP_SECONDS = 500, 200, 10


def busy_streams(padding: str) -> Iterator[list[Message]]:
    """Twenty prices a batch."""
    for number in itertools.count():
        yield [_padded(SYMBOLS[(number * 20 + place) % len(SYMBOLS)], number, padding) for place in range(20)]


def _padded(ticker: str, number: int, padding: str) -> Message:
    body = {"type": "price_update", "symbol": ticker, "current_price": number, "sent": time.monotonic(), "x": padding}
    return Message(f"prices:{ticker}", messages.encode(body), keep=True, conflate=True)


@dataclass
class Cost:
    before: float  # p99 in seconds, of those that read
    beside: float
    grown: int  # bytes, at most
    closed: int  # of those that do not read


async def stall(
    web: Running, stalled: int, healthy: int, *, quiet_seconds: int, stalled_seconds: int, padding: str
) -> Cost:
    url = stream_ground.url(web)
    asked = {"action": "subscribe", "type": "prices"}
    followers = [Follower(url, [asked | {"symbols": [SYMBOLS[n % 100]]}]) for n in range(healthy)]
    async with following(followers):
        await all_answered(followers)
        with Publisher(busy_streams(padding), every_seconds=0.02):
            await asyncio.sleep(2)
            before = await waits(followers, quiet_seconds)
            size, grown = web.memory(), 0
            silent = await asyncio.to_thread(connect_silently, web, stalled)
            found: list[float] = []
            for _ in range(stalled_seconds):
                found += await waits(followers, 1)
                grown = max(grown, web.memory() - size)
        closed = sum(map(has_ended, silent))
        for client in silent:
            client.close()
    return Cost(quantile(before, 0.99), quantile(found, 0.99), grown, closed)


async def waits(followers: list[Follower], seconds: float) -> list[float]:
    for each in followers:
        each.waits.clear()
    await asyncio.sleep(seconds)
    return [wait for each in followers for wait in each.waits]


def connect_silently(web: Running, count: int) -> list[socket.socket]:
    found = []
    for _ in range(count):
        client = upgraded(web, "/ws/realtime", receive_buffer=ROOM_BYTES)
        client.sendall(ALL)
        found.append(client)
    return found


def has_ended(client: socket.socket) -> bool:
    """Whether the server has closed it: what it was sent before comes first."""
    client.settimeout(1)
    try:
        while client.recv(1 << 16):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def test_who_never_reads_costs_bounded_memory_and_nobodys_time(server):
    stalled, healthy = times(STALLED), times(HEALTHY)
    with stream_ground.web(server) as web:
        cost = asyncio.run(stall(web, stalled, healthy, **AS_LONG_AS_IT_TAKES))
        left = eventually(lambda: web.gauge("finstage_websocket_connections") == 0, seconds=30)
    report(
        "clients that never read",
        f"{stalled} with all of 100 symbols in mode every, 1,000 prices a second, beside {healthy} that read",
        "150 MB more at most, p99 of the others 50 ms longer at most, each closed, none left",
        f"{cost.grown / MB:.0f} MB more, p99 {cost.before * 1000:.0f} → {cost.beside * 1000:.0f} ms, "
        f"{cost.closed} closed"
        f"{'' if left else ', some left'}",
    )
    assert cost.grown < 150 * MB
    assert cost.beside < cost.before + 0.05
    assert cost.closed == stalled
    assert left


def test_without_a_slow_closing_who_never_reads_is_not_closed(server):
    with stream_ground.web(server, "slow_closing") as web:
        assert asyncio.run(stall(web, 4, 2, **SOON_TOO_MUCH)).closed == 0


# Who stalls and then reads again


def sleep_and_read_again(web: Running) -> tuple[list[tuple], list[int], int | None]:
    """What came of prices (symbol, number) and of alerts after a sleep, and the code where it was closed."""
    own = socket.socket()
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM_BYTES)
    own.connect(("127.0.0.1", web.port))
    with connect(stream_ground.url(web), sock=own, max_queue=1, compression=None) as client:
        for kind in ("prices", "alerts"):
            client.send(json.dumps({"action": "subscribe", "type": kind, "symbols": SYMBOLS[:3]}))
        answered = 0
        while answered < 2:
            answered += json.loads(client.recv(30))["type"] == "subscribed"
        publishing = threading.Thread(target=publish_all)
        publishing.start()
        publishing.join()
        prices, alerts = [], []
        while len(alerts) < ALERTS * 3 or {ticker for ticker, number in prices if number == TICKS - 1} != set(
            SYMBOLS[:3]
        ):
            message = json.loads(client.recv(30))
            if message["type"] == "alert":
                alerts.append((message["symbol"], message["seq"]))
            elif message["type"] == "price_update":
                prices.append((message["symbol"], message["current_price"]))
    return prices, alerts, client.close_code


def publish_all() -> None:
    began = time.monotonic()
    for number in range(TICKS):
        batch = [_padded(ticker, number, WIDE) for ticker in SYMBOLS[:3]]
        batch += [alert(ticker, number) for ticker in SYMBOLS[:3] if number < ALERTS]
        stream_ground.streams.publish(batch)
        time.sleep(max(0.0, began + number * SLEEP_SECONDS / TICKS - time.monotonic()))


def test_who_sleeps_and_reads_again_has_the_newest_prices_and_every_alert_in_order(server):
    with stream_ground.web(server) as web:
        prices, alerts, _ = sleep_and_read_again(web)
    late = [number for _, number in prices]
    report(
        "a client that sleeps and reads again",
        f"{SLEEP_SECONDS} s, {TICKS} prices and {ALERTS} alerts of each of three symbols meanwhile",
        "every alert in order, the newest price of each, and few of those between",
        f"{len(alerts)} alerts, {len(prices)} prices",
    )
    for ticker in SYMBOLS[:3]:
        assert [seq for symbol, seq in alerts if symbol == ticker] == list(range(1, ALERTS + 1))
        assert [number for symbol, number in prices if symbol == ticker][-1] == TICKS - 1
    assert len(late) < TICKS
