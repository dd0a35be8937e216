"""The real servers behind buffers of 64 KB, as a slow network has them: loopback's own would hide it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from websockets.sync.client import connect

from market.models import Symbol
from realtime import messages, streams
from realtime.transports.servers import SERVERS
from tests.conftest import shared_database

pytestmark = pytest.mark.django_db(transaction=True)
SYMBOLS = 950
OF_ALL = 5 * SYMBOLS + 1  # prices, bars, indicators, signals and alerts of each, and the system's


@pytest.fixture(params=SERVERS)
def port(request) -> Iterator[int]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32 * 1024)  # accepted ones have it too
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        number = listener.fileno()
        command = [sys.executable, "manage.py", "web", "--fd", str(number), "--server", request.param]
        web = subprocess.Popen(command, env={**os.environ, **shared_database()}, pass_fds=[number])
        try:
            yield listener.getsockname()[1]
        finally:
            web.terminate()
            web.wait(30)


@pytest.mark.made_up
def test_a_first_answer_of_megabytes_arrives_whole_and_what_follows_too(port, quote):
    names = [f"S{number}" for number in range(SYMBOLS)]
    rows = [{"name": "x", "exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}] * SYMBOLS
    Symbol.objects.bulk_create([Symbol(ticker=name, **row) for name, row in zip(names, rows, strict=True)])
    prices = [messages.price(quote(name, 100)) for name in names]
    large = [messages.encode({"type": "bar", "stream": f"bars:{name}", "x": "x" * 900}) for name in names]
    bars = [messages.Message(f"bars:{name}", body, True, False) for name, body in zip(names, large, strict=True)]
    for found in (prices, bars):
        streams.publish(found)
    with narrow(port) as client:
        client.send(json.dumps({"action": "subscribe", "type": "all", "id": 1}))
        shown, state, pieces = 0, {}, 0
        while True:
            message = json.loads(client.recv(30))
            assert message["type"] != "error", message
            if message["type"] != "subscribed":
                continue
            pieces += 1
            shown += len(message["snapshot"])
            state |= message["streams"]
            if "subscriptions" in message:
                break
        assert (shown, len(state), len(message["subscriptions"])) == (2 * SYMBOLS, OF_ALL, OF_ALL)
        assert pieces > 10
        streams.publish([messages.price(quote("S7", 101))])
        while (message := json.loads(client.recv(30)))["type"] != "price_update":
            pass
        assert message["current_price"] == 101


def narrow(port: int):
    """A client whose own buffer is small too."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    line.connect(("127.0.0.1", port))
    # The server starts behind its socket, which takes a busy machine more than the client's own ten seconds.
    return connect(f"ws://127.0.0.1:{port}/ws/realtime", sock=line, compression=None, open_timeout=60)
