"""What every server of ours does alike with a request and a socket, over real connections."""

import contextlib
import hashlib
import json
import socket
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from realtime.transports.servers import SERVERS
from tests.server import Running, answer, eventually, frame, handshake, running, upgraded

APP = ("-m", "tests.realtime.transports_app")
GET = b"GET /what-came HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /what-came HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module", params=SERVERS)
def server(request) -> Iterator[Running]:
    with running(*APP, request.param) as process:
        yield process


def sent(server: Running, *pieces: bytes) -> socket.socket:
    client = server.connect()
    for piece in pieces:
        client.sendall(piece)
    return client


def came(server: Running, *pieces: bytes) -> dict:
    status, told = answer(sent(server, *pieces))
    assert status == 200
    return told


BODY = bytes(range(256)) * 350  # beyond what is kept in memory, and below the limit
PIECES = [BODY[at : at + 999] for at in range(0, len(BODY), 999)]
CHUNKS = b"".join(b"%x;why=not\r\n" % len(piece) + piece + b"\r\n" for piece in PIECES)


@pytest.mark.parametrize(
    "pieces",
    [
        [POST + b"Content-Length: %d\r\n\r\n" % len(BODY), BODY[:7], BODY[7:]],
        [POST + b"Transfer-Encoding: chunked\r\n\r\n", CHUNKS[:5], CHUNKS[5:] + b"0\r\nTrailer: x\r\n\r\n"],
    ],
    ids=["by its length", "in chunks"],
)
def test_a_body_reaches_the_application_whole(server, pieces):
    told = came(server, *pieces)
    assert (told["size"], told["digest"]) == (len(BODY), hashlib.sha256(BODY).hexdigest())


def test_what_stands_beside_the_chunks_counts_too(server):
    chunk = b"1;" + b"x" * 1000 + b"\r\na\r\n"
    client = sent(server, POST + b"Transfer-Encoding: chunked\r\n\r\n", chunk * 300)
    assert answer(client)[1]["code"] == "body_too_large"


def test_a_large_request_behind_a_small_chunked_one_is_no_part_of_it(server):
    first = POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
    second = POST + b"Connection: close\r\nContent-Length: 90000\r\n\r\n" + b"y" * 90_000
    received = read_all(sent(server, first + second))
    assert [size in received for size in (b'"size": 1,', b'"size": 90000,')] == [True, True]


def test_a_client_that_waits_to_be_told_to_go_on_is_told(server):
    client = sent(server, POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert client.recv(1000).startswith(b"HTTP/1.1 100")
    client.sendall(b"hello")
    assert answer(client)[1]["size"] == 5


def test_path_query_and_headers_are_as_they_were_sent(server):
    told = came(server, GET.replace(b"/what-came", b"/what%2Dcame?a=%20b") + b"X-One: 1\r\nX-One: 2\r\n\r\n")
    assert (told["path"], told["query"]) == ("/what-came", "a=%20b")
    assert [value for name, value in told["headers"] if name == "x-one"] == ["1", "2"]


def test_the_host_of_an_absolute_target_is_the_one_that_counts(server):
    told = came(server, GET.replace(b"/what-came", b"http://other.example/what-came") + b"\r\n")
    assert told["path"] == "/what-came"
    assert [value for name, value in told["headers"] if name == "host"] == ["other.example"]


def test_a_header_that_another_spelling_could_pass_for_reaches_nobody(server):
    told = came(server, GET + b"X_Forwarded_For: 1.2.3.4\r\nX-Real: 1\r\n\r\n")
    assert [name for name, _ in told["headers"]] == ["host", "x-real"]


def test_a_connection_serves_one_request_after_another_until_it_says_close(server):
    client = sent(server)
    for _ in range(3):
        client.sendall(GET + b"\r\n")
        assert answer(client)[0] == 200
    client.sendall(GET + b"Connection: close\r\n\r\n")
    assert answer(client)[0] == 200
    assert client.recv(10) == b""


def test_a_request_by_head_is_answered_without_a_body(server):
    client = sent(server, GET.replace(b"GET", b"HEAD") + b"Connection: close\r\n\r\n")
    received = read_all(client)
    assert received.startswith(b"HTTP/1.1 200")
    assert received.endswith(b"\r\n\r\n")


def test_an_application_that_fails_is_an_answer_and_one_in_the_middle_breaks_it_off(server):
    status, problem = answer(sent(server, GET.replace(b"/what-came", b"/fail") + b"\r\n"))
    assert (status, problem["code"]) == (500, "internal_error")
    client = sent(server, GET.replace(b"/what-came", b"/half") + b"\r\n")
    assert len(read_all(client).partition(b"\r\n\r\n")[2]) < 100


def read_all(client: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(1000):
            received += piece
    return received


def test_an_application_that_stays_when_its_client_leaves_is_ended(server):
    before = server.json("/").get("ended", 0)
    sent(server, GET.replace(b"/what-came", b"/stay") + b"\r\n").close()
    assert eventually(lambda: server.json("/").get("ended", 0) == before + 1)


def test_what_stands_in_an_address_is_in_no_log(server):
    server.get("/what-came?ticket=secret-of-a-request")
    upgraded(server, "/echo?ticket=secret-of-a-socket").close()
    answer(sent(server, b"GET /?ticket=secret-of-a-refusal HTTP/1.1\r\n\r\n"))
    assert "secret" not in server.log.read_text()


@pytest.mark.parametrize("name", SERVERS)
def test_an_answer_that_does_not_begin_and_a_connection_that_asks_nothing_end(name):
    with running(*APP, name, TEST_ANSWER_SECONDS="1", TEST_IDLE_SECONDS="3") as server:
        idle = server.connect()
        status, problem = answer(sent(server, GET.replace(b"/what-came", b"/stay") + b"\r\n"))
        assert (status, problem["code"]) == (503, "timeout")
        assert idle.recv(10) == b""


# Sockets


def closed(server: Running, path: str, *frames: bytes) -> tuple[int, str, list[str]]:
    """How the server closes: its code, its reason, and what it said before."""
    with connect(f"ws://127.0.0.1:{server.port}{path}", proxy=None, ping_interval=None) as client:
        for each in frames:
            client.socket.sendall(each)
        said = []
        with pytest.raises(ConnectionClosed) as ended:
            said += iter(lambda: client.recv(60), None)
    return ended.value.rcvd.code, ended.value.rcvd.reason, said


def test_a_close_has_its_reason(server):
    assert closed(server, "/with-reason")[:2] == (4013, "too many")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (bytes([0x81, 0x82, 0, 0, 0, 0]) + b"\xff\xfe", 1007),
        (b"\x81\x02hi", 1002),
        (bytes([0xC1, 0x80, 0, 0, 0, 0]), 1002),
        (bytes([0x83, 0x80, 0, 0, 0, 0]), 1002),
        (bytes([0x80, 0x80, 0, 0, 0, 0]), 1002),
        (bytes([0x09, 0x80, 0, 0, 0, 0]), 1002),
        (b"\x89\xff" + (1 << 40).to_bytes(8, "big") + bytes(4) + b"x" * 1000, 1002),
    ],
    ids=[
        *("no UTF-8", "not masked", "a reserved bit", "an unknown opcode", "a continuation of nothing", "half a ping"),
        "an endless ping",
    ],
)
def test_what_is_no_frame_is_closed_with_the_protocols_code(server, sent, code):
    assert closed(server, "/echo", sent)[0] == code


def test_a_message_that_is_too_large_in_pieces_is_told_so(server):
    head = (200_000).to_bytes(8, "big") + bytes(4)
    pieces = [b"\x01\xff" + head + b"x" * 200_000, b"\x80\xff" + head + b"x" * 200_000]
    code, _, said = closed(server, "/echo", *pieces)
    assert code == 1009
    assert json.loads(said[-1])["code"] == "oversized"


def test_a_message_is_heard_however_it_is_cut(server):
    client = upgraded(server, "/echo")
    for byte in frame(b"hello") * 3:
        client.sendall(bytes([byte]))
    seen = b""
    while seen.count(b"\x81\x015") < 3:
        seen += client.recv(100)


@pytest.mark.parametrize("name", SERVERS)
def test_a_connection_that_has_lasted_long_enough_is_asked_to_come_again(name):
    with running(*APP, name, TEST_LIFETIME="1") as server:
        assert closed(server, "/echo")[0] == 4015


@pytest.mark.parametrize("name", SERVERS)
def test_a_socket_that_is_not_accepted_in_time_is_refused(name):
    with running(*APP, name, TEST_ACCEPT_SECONDS="1") as server:
        status, problem = answer(sent(server, handshake("/never")))
    assert (status, problem["code"]) == (403, "refused")


def test_what_is_too_large_behind_a_close_is_no_error(server):
    before = server.log.read_text()
    client = upgraded(server, "/with-reason")
    client.recv(100)
    client.sendall(b"\x81\xff" + (300_000).to_bytes(8, "big") + bytes(4) + b"x" * 1000)
    assert read_all(client) == b""
    assert "ERROR" not in server.log.read_text().removeprefix(before)
