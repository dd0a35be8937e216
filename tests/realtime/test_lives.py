"""Connections come and go, and the server stays as it was: nothing is left behind, and no loop ends."""

import socket
import struct
import time
from collections.abc import Iterator

import pytest
from twisted.internet.error import ConnectionLost
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from realtime.transports import logs
from realtime.transports.daphne import failures
from realtime.transports.servers import SERVERS
from tests.server import Running, answer, eventually, handshake, running, upgraded

SOCKETS = 300
HALF = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nbegin"


@pytest.fixture(params=SERVERS)
def carrier(request) -> str:
    return request.param


@pytest.fixture
def server(carrier) -> Iterator[Running]:
    with running("-m", "tests.realtime.transports_app", carrier) as process:
        server_objects(process)
        yield process


def server_objects(server: Running) -> dict[str, int]:
    return server.json("/objects")


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def opened(server: Running, data: bytes) -> socket.socket:
    client = server.connect()
    client.sendall(data)
    return client


GOODBYE = bytes([0x88, 0x82, 0, 0, 0, 0]) + (1000).to_bytes(2, "big")


def said_goodbye(server: Running) -> None:
    client = upgraded(server, "/echo")
    client.sendall(GOODBYE)
    client.recv(100)
    client.close()


ENDS = {
    "a goodbye": said_goodbye,
    "a close": lambda server: upgraded(server, "/echo").close(),
    "a reset": lambda server: reset(upgraded(server, "/echo")),
    "before it is accepted": lambda server: opened(server, handshake("/late")).close(),
    "a handshake that fails": lambda server: answer(opened(server, handshake("/echo").replace(b"==", b"zz"))),
    "an application that ends": lambda server: upgraded(server, "/gone").recv(10),
    "half a request": lambda server: reset(opened(server, HALF)),
    "a request that is refused": lambda server: answer(opened(server, b"HELLO\r\n\r\n")),
    "nothing said": lambda server: server.connect().close(),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_connection_that_ends_leaves_nothing_behind(server, end):
    ENDS[end](server)
    assert eventually(lambda: server.json("/")["connections"] == 1)
    before = server_objects(server)
    for _ in range(SOCKETS):
        ENDS[end](server)
    assert eventually(lambda: is_as_before(before, server_objects(server)), seconds=30), server_objects(server)


@pytest.mark.parametrize("end", ["a goodbye", "a reset", "before it is accepted", "an application that ends"])
def test_a_socket_that_ends_is_gone_before_anybody_looks_for_circles(server, end):
    ENDS[end](server)
    server.get("/keep-circles")
    assert eventually(lambda: server.json("/")["connections"] == 1)
    before = of_sockets(server)
    for _ in range(50):
        ENDS[end](server)
    assert eventually(lambda: is_as_before(before, of_sockets(server)), seconds=30), of_sockets(server)


def of_sockets(server: Running) -> dict[str, int]:
    there = server.json("/unswept")
    return {name: there[name] for name in ("BoundedSocket", "Inbox", "RawPort", "Bucket", "Life")}


def is_as_before(before: dict[str, int], now: dict[str, int]) -> bool:
    return all(now[name] <= count + 5 for name, count in before.items())


def test_after_sockets_that_came_and_went_a_half_sent_request_is_still_refused_in_time(server):
    for _ in range(20):
        upgraded(server, "/echo").close()
    client = opened(server, HALF)
    assert answer(client)[0] == 408


def test_a_connection_that_cannot_be_looked_at_is_dropped_told_and_the_others_are_looked_after(server):
    broken = upgraded(server, "/broken")
    half = opened(server, HALF)
    assert answer(half)[0] == 408
    assert is_gone(broken)
    assert eventually(lambda: server.json("/").get("ended") == 1)  # its application
    assert eventually(lambda: server.json("/")["connections"] == 1)
    log = server.log.read_text()
    assert log.count("ZeroDivisionError: division by zero") == 1
    assert "connections: skipped" in log


def is_gone(client: socket.socket) -> bool:
    try:
        return client.recv(100) == b""
    except ConnectionResetError:
        return True


def test_a_socket_whose_application_has_ended_is_closed(server):
    client = upgraded(server, "/gone")
    assert (1011).to_bytes(2, "big") in client.recv(100)


def test_what_breaks_beneath_us_is_in_the_log_and_a_hundred_of_it_are_few_lines(server, carrier):
    server.get("/break-down")
    assert eventually(lambda: "pop from empty list" in server.log.read_text())
    if carrier == "daphne":
        assert eventually(lambda: "ZeroDivisionError" in server.log.read_text())
    assert server.log.read_text().count("Traceback") == (2 if carrier == "daphne" else 1)


def test_connections_that_are_lost_are_no_errors(server):
    before = server.log.read_text()
    for _ in range(20):
        reset(upgraded(server, "/echo"))
        reset(opened(server, HALF))
        reset(opened(server, b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    time.sleep(1)
    assert server.get("/")[0] == 200
    assert server.log.read_text() == before


def test_a_lost_connection_that_twisted_or_asyncio_tells_of_is_no_error_and_anything_else_is(caplog):
    for error in (ConnectionLost(), ConnectionResetError()):
        failures.of_twisted({"log_level": LogLevel.critical, "log_format": "lost", "log_failure": Failure(error)})
        logs.of_asyncio({"message": "lost", "exception": error}, failures.LOST)
    assert not caplog.records
    logs.of_asyncio({"message": "broken", "exception": KeyError("why")}, failures.LOST)
    assert "broken" in caplog.text
