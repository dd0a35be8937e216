"""What a client may write on the wire, and what it is told at once."""

from collections.abc import Iterator

import pytest

from tests.server import Running, answer, handshake, running

CHUNKED = b"POST /api/tasks/submit HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def web() -> Iterator[Running]:
    with running("manage.py", "web") as server:
        yield server


def told(web: Running, request: bytes) -> tuple[int, dict]:
    client = web.connect()
    client.settimeout(8)
    client.sendall(request)
    return answer(client)


@pytest.mark.parametrize("size", [b"ffffffffffffffff", b"100001"])
def test_a_chunk_beyond_the_limit_is_refused_before_it_comes(web, size):
    status, problem = told(web, CHUNKED + size + b"\r\n")
    assert (status, problem["code"]) == (413, "body_too_large")


def test_what_stands_beside_the_sizes_of_chunks_counts(web):
    status, problem = told(web, CHUNKED + (b"1;" + b"a" * 1000 + b"\r\nx\r\n") * 1020 + b"40000\r\n")
    assert (status, problem["code"]) == (413, "body_too_large")


def test_a_body_of_plain_chunks_as_large_as_the_limit_arrives(web):
    chunks = (b"400\r\n" + b"x" * 1024 + b"\r\n") * 1024 + b"0\r\n\r\n"
    assert told(web, CHUNKED + chunks)[0] == 401


@pytest.mark.parametrize("target", ["http://localhost:8411/api/nothing?a=1", "HTTP://localhost/api/nothing"])
def test_a_target_in_absolute_form_is_its_path_on_its_host(web, target):
    status, problem = told(web, f"GET {target} HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n".encode())
    assert (status, problem["detail"]) == (404, "There is nothing at /api/nothing.")


def test_the_host_of_a_target_in_absolute_form_is_checked(web):
    status, problem = told(web, b"GET http://elsewhere.example/api/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (status, problem["code"]) == (400, "unknown_host")


def test_a_socket_where_there_is_none_is_told_from_one_that_may_not_enter(web):
    assert told(web, handshake("/ws/nothing"))[0] == 404
    foreign = handshake("/ws/realtime")[:-2] + b"Origin: https://elsewhere.example\r\n\r\n"
    assert told(web, foreign)[0] == 403
