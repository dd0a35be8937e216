"""The stream under a server that is none of ours and has no raw port: uvicorn as it comes."""

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from realtime import messages, streams
from tests.conftest import LiveWeb, serving
from tests.server import frame, handshake

pytestmark = pytest.mark.django_db(transaction=True)
STOCK = ("-m", "uvicorn", "finstage.asgi:application", "--ws", "websockets-sansio", "--log-level", "warning")
MEGABYTE = 1 << 20
EVERY = {"action": "subscribe", "type": "prices", "symbols": ["AAPL"], "mode": "every"}


@pytest.fixture(scope="module")
def web(django_db_setup, tmp_path_factory) -> Iterator[LiveWeb]:
    with serving(tmp_path_factory.mktemp("plain") / "log", *STOCK) as process:
        yield process


@contextlib.contextmanager
def subscribed(web: LiveWeb, action: dict) -> Iterator[ClientConnection]:
    with connect(f"{web.ws_url}/ws/realtime", proxy=None) as client:
        client.send(json.dumps(action))
        until(client, "subscribed")
        yield client


def until(client: ClientConnection, kind: str) -> dict:
    while (message := json.loads(client.recv(60)))["type"] != kind:
        pass
    return message


def publish(quote, count: int) -> None:
    for first in range(0, count, 500):
        numbers = range(first, min(first + 500, count))
        streams.publish([messages.price(quote("AAPL", 100 + number)) for number in numbers])


def prices(client: ClientConnection, count: int) -> list[int]:
    return [until(client, "price_update")["seq"] for _ in range(count)]


def test_every_message_comes_once_and_in_order(web, apple, quote):
    with subscribed(web, EVERY) as client:
        publish(quote, 3000)
        heard = prices(client, 3000)
    assert heard == list(range(heard[0], heard[0] + 3000))


def test_what_is_asked_for_in_batches_comes_in_batches(web, apple, quote):
    with subscribed(web, EVERY) as client:
        client.send('{"action": "configure", "batch": true}')
        until(client, "configured")
        publish(quote, 100)
        sizes = []
        while sum(sizes) < 100:
            sizes.append(len(until(client, "price_updates")["updates"]))
    assert max(sizes) > 20


def test_a_client_is_told_why_before_it_is_closed(web):
    with connect(f"{web.ws_url}/ws/realtime", proxy=None) as client:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(200):
                client.send('{"action": "ping"}')
        heard = []
        with contextlib.suppress(ConnectionClosed):
            heard += map(json.loads, iter(client.recv, None))
    assert (client.close_code, client.close_reason) == (4013, "too many requests")
    assert [message["code"] for message in heard if message["type"] == "error"].count("rate_limited") > 20


def test_clients_that_do_not_read_cost_little_and_delay_nobody(web, apple, quote):
    before, said = memory(web), web.log.read_text()
    stuck = [stuck_client(web) for _ in range(8)]
    with subscribed(web, EVERY) as healthy:
        for _ in range(12):
            publish(quote, 2000)
            heard = prices(healthy, 2000)
            assert heard == list(range(heard[0], heard[0] + 2000))
    assert memory(web) - before < 32 * MEGABYTE  # unbounded, eight times 24,000 messages are 80 MB
    for client in stuck:
        client.close()
    assert "ERROR" not in web.log.read_text().removeprefix(said)


def test_clients_that_leave_while_they_are_sent_to_are_no_errors(web, apple, quote):
    before = web.log.read_text()
    for _ in range(10):
        with subscribed(web, EVERY) as client:
            publish(quote, 500)
            client.socket.close()
    with subscribed(web, EVERY) as other:
        publish(quote, 10)
        prices(other, 10)
    assert "ERROR" not in web.log.read_text().removeprefix(before)


def stuck_client(web: LiveWeb):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", web.port))
    client.sendall(handshake("/ws/realtime"))
    text = json.dumps(EVERY).encode()
    client.sendall(frame(text))
    return client


def memory(web: LiveWeb) -> int:
    return int(Path(f"/proc/{web.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
