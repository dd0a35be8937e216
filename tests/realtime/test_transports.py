"""The server's promises about sockets and slow clients, over real connections."""

import contextlib
import json
import signal
import socket
import time
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from realtime.transports.servers import SERVERS
from realtime.transports.uvicorn import frames
from tests.server import Running, answer, eventually, frame, handshake, running, upgraded

MEGABYTE = 1 << 20
PING, CLOSE = 0x9, 0x8
CHUNK = b"4000\r\n" + b"x" * 16384 + b"\r\n"
HANDSHAKE = handshake("/echo")


@pytest.fixture(params=SERVERS)
def server(request) -> Iterator[Running]:
    with running("-m", "tests.realtime.transports_app", request.param) as process:
        yield process


def socket_to(server: Running, path: str, **options):
    return connect(f"ws://127.0.0.1:{server.port}{path}", proxy=None, max_size=None, **options)


def test_raw_frames_keep_their_place_among_ordinary_ones_and_pongs(server):
    with socket_to(server, "/mixed", ping_interval=0.03) as client:
        seen = [int(client.recv()) for _ in range(600)]
        with pytest.raises(ConnectionClosed) as closed:
            client.recv()
    assert seen == list(range(600))
    assert closed.value.rcvd.code == 4000
    assert server.json("/")["closing"]


def test_a_raw_write_after_the_close_is_not_sent(server):
    client = upgraded(server, "/closing")
    seen = b""
    with contextlib.suppress(ConnectionResetError):  # the close is not answered here
        while piece := client.recv(1000):
            seen += piece
    assert seen == bytes([0x88, 2]) + (4000).to_bytes(2, "big")


def test_a_raw_write_before_the_socket_is_accepted_is_an_error(server):
    with socket_to(server, "/echo"):
        assert server.json("/")["refused_early"]


def test_a_client_that_does_not_read_what_the_hub_writes_is_dropped_as_slow(server):
    before = server.memory()
    clients = [upgraded(server, "/flood", receive_buffer=4096) for _ in range(4)]
    assert eventually(lambda: server.json("/")["slow"] == 4)
    assert server.memory() - before < 24 * MEGABYTE  # unbounded, the four floods are 48 MB
    assert eventually(lambda: server.json("/")["open"] == 0)
    assert len(clients) == 4


def test_a_client_that_does_not_read_what_is_sent_plainly_goes_and_costs_little_memory(server):
    before = server.memory()
    clients = [upgraded(server, "/flood-plainly", receive_buffer=4096) for _ in range(4)]
    most = 0
    while server.json("/")["open"]:
        most = max(most, server.memory() - before)
    assert most < 24 * MEGABYTE
    assert len(clients) == 4


def test_a_client_that_sends_faster_than_it_is_handled_waits_and_loses_nothing(server):
    before = server.memory()
    client = upgraded(server, "/slow")
    client.settimeout(1)
    sent, pending = 0, b""
    try:
        while sent < 2_000_000:
            pending = b"".join(frame(b"%0100d" % (sent + number)) for number in range(1000))
            client.sendall(pending)
            sent += 1000
    except TimeoutError:
        pass
    assert 1000 < sent < 2_000_000  # it had to wait
    assert server.memory() - before < 8 * MEGABYTE
    server.get("/release")
    assert eventually(lambda: len(server.json("/")["received"]) >= sent, seconds=60)
    assert server.json("/")["inbox"] <= 64
    received = server.json("/")["received"]
    assert received == list(range(len(received)))


def test_a_frame_over_the_protocols_limit_reaches_the_consumer_and_a_huge_one_is_closed(server):
    with socket_to(server, "/echo") as client:
        client.send("x" * 100_000)
        assert client.recv() == "100000"
        client.send("x" * 300_000)
        assert json.loads(client.recv())["code"] == "oversized"
        with pytest.raises(ConnectionClosed) as closed:
            client.recv()
    assert closed.value.rcvd.code == 1009


def test_compression_is_not_negotiated(server):
    with socket_to(server, "/echo", compression="deflate") as client:
        assert "Sec-WebSocket-Extensions" not in client.response.headers


def test_a_silent_client_is_asked_now_and_then_and_closed_and_one_that_answers_is_not(server):
    silent = upgraded(server, "/echo")
    with socket_to(server, "/echo", ping_interval=None) as alive:
        heard = opcodes(silent)
        alive.send("hello")
        assert alive.recv() == "5"
    assert heard in ([PING, CLOSE], [PING, PING, CLOSE])


def opcodes(client: socket.socket) -> list[int]:
    """Of all frames that came until the close, which has to say why."""
    seen, found = b"", []
    while CLOSE not in found:
        while (head := frames.first(seen)) is None or len(seen) < head.whole:
            seen += client.recv(1000)
        found.append(head.opcode)
        frame, seen = seen[: head.whole], seen[head.whole :]
    assert (4014).to_bytes(2, "big") in frame
    return found


@pytest.mark.parametrize("pieces", [[HANDSHAKE + frame(b"hello")], [HANDSHAKE, frame(b"hello")]])
def test_what_follows_the_handshake_at_once_is_read_as_frames(server, pieces):
    client = server.connect()
    for piece in pieces:
        client.sendall(piece)
    seen = b""
    while not seen.endswith(b"\x81\x015"):
        seen += client.recv(1000)
    assert b" 101 " in seen


def test_a_client_that_sends_too_much_before_it_is_accepted_is_dropped(server):
    client = server.connect()
    client.sendall(handshake("/late"))
    client.sendall(frame(b"x" * 100) * 1000)
    with contextlib.suppress(ConnectionResetError):
        assert client.recv(1000) == b""


def test_an_answer_that_nobody_reads_is_given_up(server):
    client = server.connect(receive_buffer=4096)
    client.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    time.sleep(7)
    received = 0
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(MEGABYTE):
            received += len(piece)
    assert received < 12 * MEGABYTE


def test_an_answer_is_handed_over_as_fast_as_it_is_read(server):
    before = server.memory()
    client = server.connect(receive_buffer=4096)
    client.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    time.sleep(1)
    assert server.memory() - before < 4 * MEGABYTE  # of 12
    received = 0
    while piece := client.recv(MEGABYTE):
        received += len(piece)
    assert received > 12 * MEGABYTE


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 5_000_000,
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK * 20,
    ],
    ids=["by its length", "while all of it is sent", "by counting"],
)
def test_a_body_over_the_limit_is_refused_while_it_arrives(server, request_bytes):
    client = server.connect()
    client.sendall(request_bytes)
    status, problem = answer(client)
    assert (status, problem["code"]) == (413, "body_too_large")
    assert server.json("/")["requests"] == 1  # this one alone


def test_a_slow_body_is_refused(server):
    client = server.connect()
    client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nbegin")
    status, problem = answer(client)
    assert (status, problem["code"]) == (408, "body_timeout")


def test_a_slow_head_is_refused(server):
    client = server.connect()
    client.sendall(b"GET / HTTP/1.1\r\nHost: ")
    assert answer(client)[0] == 408


def test_a_short_body_is_refused_and_reaches_nobody(server):
    client = server.connect()
    client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nshort")
    client.shutdown(socket.SHUT_WR)
    status, problem = answer(client)
    assert (status, problem["code"]) == (400, "short_body")
    assert server.json("/")["requests"] == 1


def test_sigterm_says_goodbye_to_the_application_and_closes_sockets_with_the_codes_meaning(server):
    with socket_to(server, "/echo") as client:
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=30)
    assert closed.value.rcvd.code == 4012
    assert server.process.wait(30) == 0
    assert "goodbye" in server.log.read_text()
