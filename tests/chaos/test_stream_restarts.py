"""A web process that is told to stop while hundreds listen, and clients that come and go without a word."""

import asyncio
import socket
import struct

import pytest

from realtime import messages
from tests import valkey
from tests.chaos import stream_ground
from tests.chaos.jobs_ground import report
from tests.chaos.scale import times
from tests.chaos.stream_ground import (
    SYMBOLS,
    Follower,
    Publisher,
    all_answered,
    caught_up,
    following,
    in_turn,
    of_no_message,
    prices_and_alerts,
)
from tests.server import Running, eventually, frame, upgraded

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]
CLIENTS, NAMES = 500, SYMBOLS[:10]
COMERS, WARM = 20_000, 3_000
MB = 1 << 20
RESET = struct.pack("ii", 1, 0)


async def stop_and_start(server: valkey.Server, clients: int, without: str = "") -> tuple[list[Follower], list[tuple]]:
    followers = []
    with stream_ground.web(server, without) as web:
        url = stream_ground.url(web)
        followers = [Follower(url, prices_and_alerts([NAMES[n % 10]], [NAMES[n % 10]])) for n in range(clients)]
        async with following(followers):
            await all_answered(followers)
            with Publisher(in_turn(NAMES), every_seconds=0.02):
                await asyncio.sleep(2)
                web.process.terminate()
                await asyncio.to_thread(web.process.wait, 60)
                with stream_ground.web(server, without, port=web.port):
                    await asyncio.sleep(0.5)
                    await all_answered(followers)
                    await asyncio.sleep(2)
                    behind = await caught_up_after(followers)
    return followers, behind


async def caught_up_after(followers: list[Follower]) -> list[tuple]:
    """Who is not within a moment of what is published; it goes on meanwhile."""
    behind = await caught_up(followers, 5)
    return [each for each in behind if each[2].epoch != each[1].epoch or each[2].seq - each[1].seq > 20]


def test_a_web_process_that_is_told_to_stop_loses_nobody_a_message(server):
    clients = times(CLIENTS)
    followers, behind = asyncio.run(stop_and_start(server, clients))
    holes, repeats = of_no_message(followers)
    told = [[each for each in one.told if each["type"] == "server_shutdown"] for one in followers]
    after = {each[0]["retry_after"] for each in told if each}
    codes = sum(one.closed[messages.CLOSE["server_shutdown"]] > 0 for one in followers)
    report(
        "a web process that is told to stop",
        f"SIGTERM with {clients} clients, 100 messages a second, another one on the same port",
        "each told server_shutdown with a pause of its own and closed with 4012, each back, 0 holes, 0 repeats",
        f"{sum(map(bool, told))} told, {len(after)} pauses, {codes} closed so, "
        f"{sum(one.connections > 1 for one in followers)} back, {holes} holes, {repeats} repeats, {len(behind)} behind",
    )
    assert all(len(each) == 1 for each in told)
    assert codes == clients
    assert len(after) > min(clients, 100) / 2
    assert (holes, repeats, behind) == (0, 0, [])
    assert not any(one.gaps for one in followers)


def test_without_a_farewell_nobody_is_told_that_a_web_process_stops(server):
    followers, _ = asyncio.run(stop_and_start(server, 5, "farewell"))
    assert not any(each["type"] == "server_shutdown" for one in followers for each in one.told)


def test_twenty_thousand_who_come_and_go_leave_nothing(server):
    count = times(COMERS)
    with stream_ground.web(server) as web:
        come_and_go(web, times(WARM))
        sizes = [web.memory()]
        for _ in range(4):
            come_and_go(web, count // 4)
            sizes.append(web.memory())
        left = eventually(lambda: web.gauge("finstage_websocket_connections") == 0, seconds=30)
        now = int(web.gauge("finstage_websocket_connections"))
    growth = (sizes[-1] - sizes[1]) / 3 / (count / 4) * 5000 / MB
    report(
        "clients that come, subscribe and are reset",
        f"{count} connections, half of them ended by a close and half by a reset",
        "no client left in the hub, and less than 1 MB a 5,000 after the first",
        f"{now} left, {growth:.2f} MB a 5,000 ({', '.join(f'{size / MB:.0f}' for size in sizes)} MB)",
    )
    assert left
    assert growth < 1


def come_and_go(web: Running, count: int) -> None:
    asked = frame(messages.encode({"action": "subscribe", "type": "prices", "symbols": NAMES}))
    for number in range(count):
        client = upgraded(web, "/ws/realtime")
        client.sendall(asked)
        if number % 2:
            client.recv(1000)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.close()
