"""Whatever stands in a request's head is answered in the shape of every other error, and counted."""

from collections.abc import Iterator

import pytest

from realtime.transports.servers import SERVERS
from tests.server import Running, answer, handshake, running

HOST = b"Host: localhost\r\n"
GET, POST = b"GET / HTTP/1.1\r\n" + HOST, b"POST / HTTP/1.1\r\n" + HOST
UPGRADE = handshake("/echo")


@pytest.fixture(params=SERVERS, scope="module")
def server(request) -> Iterator[Running]:
    with running("-m", "tests.realtime.transports_app", request.param) as process:
        yield process


REFUSED = {
    "a path without end": (b"GET /" + b"a" * 20_000, 414, "uri_too_long"),
    "a long path": (b"GET /" + b"a" * 17_000 + b" HTTP/1.1\r\n", 414, "uri_too_long"),
    "a long header": (GET + b"A: " + b"b" * 20_000, 431, "head_too_large"),
    "long headers": (GET + (b"A: " + b"b" * 100 + b"\r\n") * 200, 431, "head_too_large"),
    "many headers": (GET + b"A: b\r\n" * 600 + b"\r\n", 431, "head_too_large"),
    "no request": (b"HELLO\r\n\r\n", 400, "bad_request_line"),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400, "bad_request_line"),
    "HTTP/3.7": (b"GET / HTTP/3.7\r\n" + HOST + b"\r\n", 505, "http_version_not_supported"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\r\n", 400, "bad_request_line"),
    "raw bytes in the path": ("GET /한 HTTP/1.1\r\n".encode() + HOST + b"\r\n", 400, "bad_request_line"),
    "a zero in the path": (b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad_request"),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400, "bad_host"),
    "two hosts": (GET + HOST + b"\r\n", 400, "bad_host"),
    "a header without colon": (GET + b"Foo\r\n\r\n", 400, "bad_header"),
    "a space before the colon": (GET + b"Foo : a\r\n\r\n", 400, "bad_request"),
    "a folded header": (GET + b"Foo: a\r\n b\r\n\r\n", 400, "bad_header"),
    "a zero in a header": (GET + b"Foo: a\x00b\r\n\r\n", 400, "bad_request"),
    "a control character": (GET + b"Foo: a\x0bb\r\n\r\n", 400, "bad_request"),
    "a length of many digits": (POST + b"Content-Length: " + b"1" * 5000 + b"\r\n\r\n", 413, "body_too_large"),
    "a negative length": (POST + b"Content-Length: -1\r\n\r\n", 400, "invalid_content_length"),
    "two lengths": (POST + b"Content-Length: 1\r\n" * 2 + b"\r\n", 400, "ambiguous_length"),
    "a length and chunks": (
        POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "ambiguous_length",
    ),
    "chunks in HTTP/1.0": (
        b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n", 400, "ambiguous_length",
    ),
    "another encoding": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501, "unknown_transfer_encoding"),
    "a bad chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "bad_request"),
    "an upgrade with a body": (
        UPGRADE.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\nabc"), 400, "bad_handshake",
    ),
    "an upgrade without a key": (UPGRADE.replace(b"Sec-WebSocket-Key", b"X-Key"), 400, "bad_handshake"),
    "an upgrade to an older protocol": (UPGRADE.replace(b"Version: 13", b"Version: 7"), 400, "bad_handshake"),
    "an upgrade by POST": (UPGRADE.replace(b"GET", b"POST"), 405, "method_not_allowed"),
    "an upgrade to a strange subprotocol": (
        UPGRADE.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: \xed\x95\x9c\r\n\r\n"), 400, "bad_handshake",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "status", "code"), REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_be_read_is_answered_with_a_reason_counted_and_closed(server, sent, status, code):
    before = server.json("/")["refused"].get(code, 0)
    client = server.connect()
    client.sendall(sent)
    told, problem = answer(client)
    assert (told, problem["status"], problem["code"]) == (status, status, code)
    assert client.recv(100) == b""
    assert server.json("/")["refused"][code] == before + 1


def test_what_follows_a_refused_request_on_its_connection_reaches_nobody(server):
    before = server.json("/")["requests"]
    client = server.connect()
    client.sendall(b"GET / HTTP/1.1\r\n\r\n" + GET + b"\r\n")
    assert answer(client)[0] == 400
    assert client.recv(100) == b""
    assert server.json("/")["requests"] == before + 1


def test_a_refusal_waits_for_the_answers_before_it(server):
    client = server.connect()
    client.sendall(GET + b"\r\n" + GET + b"\r\nHELLO\r\n\r\n")
    received = b""
    while piece := client.recv(100_000):
        received += piece
    assert [line.split()[1] for line in received.split(b"HTTP/1.1")[1:] for line in [b"x" + line]] == [
        b"200", b"200", b"400",
    ]  # fmt: skip


def test_a_refused_request_keeps_its_id_and_one_by_head_gets_no_body(server):
    client = server.connect()
    client.sendall(b"GET / HTTP/1.1\r\nX-Request-ID: trace-1\r\n\r\n")
    assert answer(client)[1]["request_id"] == "trace-1"
    client = server.connect()
    client.sendall(b"HEAD / HTTP/1.1\r\n\r\n")
    received = b""
    while piece := client.recv(1000):
        received += piece
    assert received.startswith(b"HTTP/1.1 400")
    assert received.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("name", SERVERS)
def test_refusals_stand_in_the_log_and_a_hundred_of_one_kind_are_few_lines(name):
    with running("-m", "tests.realtime.transports_app", name) as server:
        for _ in range(100):
            client = server.connect()
            client.sendall(b"GET / HTTP/3.7\r\n\r\n")
            answer(client)
        assert 1 <= server.log.read_text().count("refused 127.0.0.1: 505") <= 5


def test_requests_in_a_row_on_one_connection_are_answered_one_by_one_and_delay_nobody(server):
    client = server.connect()
    client.sendall((GET + b"\r\n") * 400)
    assert server.get("/")[0] == 200
    received = b""
    while received.count(b"HTTP/1.1 200") < 400:
        received += client.recv(100_000)
