"""The gate's promises, over real connections to a real `manage.py web` with two threads and a queue of two."""

import json
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from tests.server import Running, answer, eventually, running

MEGABYTE = 1 << 20
THREADS, QUEUE = 2, 2
SMALL = {
    "DJANGO_SETTINGS_MODULE": "tests.finstage.web_settings",
    "FINSTAGE_HTTP_THREADS": str(THREADS),
    "FINSTAGE_HTTP_QUEUE": str(QUEUE),
    "FINSTAGE_HTTP_BODY_BYTES": "100000",
    "FINSTAGE_HTTP_BODY_SECONDS": "1",
    "FINSTAGE_HTTP_ANSWER_SECONDS": "3",
    "FINSTAGE_HTTP_ANSWER_BYTES": str(32 * MEGABYTE),
}


@pytest.fixture
def web() -> Iterator[Running]:
    with running("manage.py", "web", **SMALL) as server:
        yield server


def ask(web: Running, path: str, head: str = "", **options) -> socket.socket:
    """Send a request and read nothing of its answer."""
    client = web.connect(**options)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode())
    return client


def abort(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def is_idle(web: Running) -> bool:
    return web.gauge("finstage_gate_running") == 0 and web.gauge("finstage_gate_waiting") == 0


def block(web: Running, seconds: float = 60) -> list[socket.socket]:
    """Take every thread and every place in the queue; one route alone may not."""
    clients = [ask(web, f"/blocked{each}?seconds={seconds}") for each in ("", "/too")]
    assert eventually(lambda: web.gauge("finstage_gate_running") == THREADS)
    clients += [ask(web, f"/blocked?seconds={seconds}") for _ in range(QUEUE)]
    assert eventually(lambda: web.gauge("finstage_gate_waiting") == QUEUE)
    return clients


def test_downloads_that_clients_abort_hold_no_thread(web):
    for _ in range(3 * THREADS):
        client = ask(web, "/large", receive_buffer=4096)
        client.recv(100)
        abort(client)
    assert web.get("/body")[0] == 200
    assert eventually(lambda: is_idle(web))


def test_slow_readers_hold_no_thread_and_little_memory(web):
    web.get("/large")
    before = web.memory()
    readers = []
    for number in range(3 * THREADS):
        readers.append(ask(web, "/large", receive_buffer=4096))
        assert eventually(lambda: web.json("/counts")["visits"] == number + 2)  # noqa: B023
    assert eventually(lambda: is_idle(web))
    assert web.memory() - before < 30 * MEGABYTE  # of 96
    assert web.in_kernel() < len(readers) * MEGABYTE // 4  # which would keep as much again
    assert len(readers[0].recv(100)) == 100


def test_a_slow_reader_gets_the_whole_answer(web):
    client = ask(web, "/large", "Connection: close\r\n", receive_buffer=4096)
    time.sleep(1)
    received = bytearray()
    while piece := client.recv(MEGABYTE):
        received += piece
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    assert b"content-length: 16777216" in head.lower()
    assert body == b"x" * 16 * MEGABYTE


def test_endless_answers_end_when_their_clients_leave(web):
    clients = [ask(web, path) for path in ("/endless", "/endless/too")]
    assert eventually(lambda: web.gauge("finstage_gate_running") == THREADS)
    for client in clients:
        abort(client)
    assert eventually(lambda: web.json("/counts")["left"] == THREADS)


def test_work_in_the_queue_is_not_begun_for_a_client_that_left(web):
    clients = block(web, seconds=2)
    for client in clients[THREADS:]:
        client.close()
    assert eventually(lambda: web.gauge("finstage_gate_waiting") == 0)
    assert eventually(lambda: is_idle(web))
    assert web.json("/counts")["visits"] == THREADS


def test_what_exceeds_the_queue_gets_503_at_once(web):
    clients = block(web)
    status, headers, body = web.get("/body")
    assert status == 503
    assert headers["content-type"] == "application/problem+json"
    assert int(headers["retry-after"]) > 0
    assert json.loads(body)["code"] == "busy"
    assert len(clients) == THREADS + QUEUE


def test_one_route_leaves_room_for_the_others_however_many_ask_for_it(web):
    clients = [ask(web, "/blocked") for _ in range(THREADS + QUEUE)]
    assert eventually(lambda: web.gauge("finstage_gate_waiting") == QUEUE)
    assert web.get("/body")[0] == 200
    assert web.gauge("finstage_gate_running") == THREADS / 2
    assert clients


@pytest.mark.parametrize("path", ["/health/live", "/metrics", "/static/favicon.svg"])
def test_what_needs_no_thread_answers_while_every_thread_is_taken(web, path):
    clients = block(web)
    assert web.get(path)[0] == 200
    assert len(clients) == THREADS + QUEUE


def test_a_view_that_takes_too_long_is_answered_for(web):
    status, _, body = web.get("/blocked?seconds=4")
    assert (status, json.loads(body)["code"]) == (503, "timeout")


def test_slow_bodies_hold_no_thread(web):
    clients = [web.connect() for _ in range(3 * THREADS)]
    for client in clients:
        client.sendall(b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nbegin")
    assert web.get("/body")[0] == 200
    assert [answer(client)[0] for client in clients] == [408] * 3 * THREADS


def test_a_short_body_reaches_no_view(web):
    client = web.connect()
    client.sendall(b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nshort")
    client.shutdown(socket.SHUT_WR)
    status, problem = answer(client)
    assert (status, problem["code"]) == (400, "short_body")
    assert web.json("/counts")["visits"] == 0


def test_a_body_over_the_limit_is_refused(web):
    client = web.connect()
    client.sendall(b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100001\r\n\r\n" + b"x" * 100_001)
    status, problem = answer(client)
    assert (status, problem["code"], problem["status"]) == (413, "body_too_large", 413)
    assert web.json("/counts")["visits"] == 0


def test_a_body_within_the_limit_arrives_whole(web):
    client = web.connect()
    client.sendall(b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50_000)
    time.sleep(0.2)
    client.sendall(b"x" * 50_000)
    assert client.recv(10_000).endswith(b"100000")


@pytest.mark.parametrize("path", ["/half", "/lying", "/large?bytes=40000000"])
def test_an_answer_that_is_not_whole_is_an_error_instead(web, path):
    status, _, body = web.get(path)
    assert (status, json.loads(body)["code"]) == (500, "internal_error")
    assert eventually(lambda: is_idle(web))


def test_a_head_request_gets_the_length_and_no_body(web):
    client = web.connect()
    client.sendall(b"HEAD /large?bytes=1000 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    received = b""
    while piece := client.recv(10_000):
        received += piece
    assert b"content-length: 1000" in received.lower()
    assert received.endswith(b"\r\n\r\n")


def test_a_requests_id_comes_back_and_a_harmful_one_is_replaced(web):
    assert web.get("/counts", **{"X-Request-ID": "trace-1"})[1]["x-request-id"] == "trace-1"
    made = web.get("/counts", **{"X-Request-ID": "<script>"})[1]["x-request-id"]
    assert made
    assert "<" not in made


def test_requests_are_counted_by_route_and_not_by_path(web):
    web.get("/numbers/12345/")
    text = web.get("/metrics")[2].decode()
    assert 'finstage_requests_total{method="GET",route="numbers/<int:pk>/",status="200"} 1.0' in text
    assert "12345" not in text
    assert "finstage_request_duration_seconds_bucket" in text
    assert "finstage_system_cpu_percent" in text
