"""What a client may send that reaches no consumer: pings, pongs, fragments, pieces of bodies."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from realtime.transports.servers import SERVERS
from tests.server import Running, answer, eventually, running, upgraded

TEXT, MORE, LAST, PING, PONG = 0x01, 0x00, 0x80, 0x89, 0x8A


@pytest.fixture(params=SERVERS)
def server(request) -> Iterator[Running]:
    with running("-m", "tests.realtime.transports_app", request.param) as process:
        yield process


def masked(opcode: int, text: bytes = b"") -> bytes:
    return bytes([opcode, 0x80 | len(text), 0, 0, 0, 0]) + text


def in_fragments(count: int, text: bytes = b"") -> bytes:
    return masked(TEXT, text) + masked(MORE, text) * (count - 2) + masked(LAST, text)


def send(client: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):  # reset, or no room left
        client.sendall(data)


def everything(client: socket.socket) -> bytes:
    seen = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(10_000):
            seen += piece
    return seen


def closing(code: int) -> bytes:
    return code.to_bytes(2, "big")


@pytest.mark.parametrize(
    "flood",
    [masked(PING, b"p" * 100) * 200, masked(PONG) * 200, in_fragments(60) * 4, in_fragments(65)],
    ids=["pings", "pongs that nobody asked for", "fragments", "a message of too many fragments"],
)
def test_a_flood_of_what_no_consumer_sees_is_closed_with_its_reason(server, flood):
    client = upgraded(server, "/echo")
    send(client, flood)
    assert closing(4013) in everything(client)
    assert server.json("/")["flooding"] == 1


def test_a_flood_without_end_is_answered_by_no_more_than_was_allowed(server):
    client = upgraded(server, "/echo")
    for _ in range(100):
        send(client, masked(PING, b"p" * 100) * 1000)
    assert everything(client).count(b"p" * 100) <= 200
    assert eventually(lambda: server.json("/")["open"] == 0)


def test_a_flooding_client_that_never_reads_costs_little_memory_and_goes(server):
    upgraded(server, "/echo").close()  # what the first client of a server costs, once, is not the flood's
    before = server.memory()
    client = upgraded(server, "/echo", receive_buffer=4096)
    for _ in range(1000):
        send(client, masked(PING, b"p" * 125) * 100)
    assert server.memory() - before < 4 << 20
    assert eventually(lambda: server.json("/")["open"] == 0)


def test_a_client_that_pings_now_and_then_and_sends_in_a_few_pieces_is_served(server):
    client = upgraded(server, "/echo")
    client.sendall(masked(PING, b"alive") * 20 + in_fragments(64, b"x"))
    seen = b""
    while b"\x81\x0264" not in seen:
        seen += client.recv(1000)
    assert seen.count(b"alive") == 20


def test_a_body_in_very_many_tiny_chunks_is_refused(server):
    client = server.connect()
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    send(client, head + b"1\r\nx\r\n" * 90_000)
    status, problem = answer(client)
    assert (status, problem["code"]) == (400, "chunks_too_small")


def test_a_chunked_body_of_small_pieces_is_taken(server):
    client = server.connect()
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    client.sendall(head + (b"40\r\n" + b"x" * 64 + b"\r\n") * 1400 + b"0\r\n\r\n")
    assert answer(client)[0] == 200


@pytest.mark.parametrize("name", SERVERS)
def test_more_connections_than_there_is_room_for_are_told_so_and_the_others_are_served(name):
    with running("-m", "tests.realtime.transports_app", name, TEST_FILES="30") as server:
        assert eventually(lambda: server.json("/")["connections"] == 1)
        sockets = [upgraded(server, "/echo") for _ in range(10)]
        idle = [server.connect() for _ in range(10)]  # each may need one more file
        status, problem = answer(server.connect())
        assert (status, problem["code"]) == (503, "too_many_connections")
        sockets.pop().close()
        idle.pop().close()
        assert eventually(lambda: server.get("/")[0] == 200)
        assert server.json("/")["refused"]["too_many_connections"] >= 1


@pytest.mark.parametrize("name", SERVERS)
def test_a_socket_takes_the_room_of_one_file_and_what_may_have_a_body_that_of_two(name):
    with running("-m", "tests.realtime.transports_app", name, TEST_FILES="30") as server:
        assert eventually(lambda: server.json("/")["connections"] == 1)
        there = [*(upgraded(server, "/echo") for _ in range(28)), server.connect()]
        assert answer(server.connect())[0] == 503
        assert len(there) == 29


def test_a_body_that_was_read_needs_no_file_while_its_answer_is_made(server):
    assert eventually(lambda: server.json("/")["connections"] == 1)
    before = server.json("/objects")["files"]
    client = server.connect()
    client.sendall(b"POST /read-and-stay HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n" + b"x" * 90_000)
    assert eventually(lambda: server.json("/")["connections"] == 2)
    assert eventually(lambda: server.json("/objects")["files"] == before + 1)  # its own
