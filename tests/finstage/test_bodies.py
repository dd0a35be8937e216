"""Forms that cost a parser more than their size: they cost nobody else anything, and their own thread little."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.forms import DEAR, post
from tests.server import Running, running

LONG_SECONDS = 5.0  # on a busy machine; `make chaos web` looks closer
CHEAP_SECONDS, DEAR_SECONDS = 0.4, 1.5  # of computing, for one of these bodies
ASKING_SECONDS = 0.002  # of computing, to say that one is alive
# With a cookie Django looks for the form's token, and so reads the form.
COOKIE = f"Cookie: csrftoken={'a' * 32}\r\n"


@pytest.fixture(scope="module")
def web() -> Iterator[Running]:
    with running("manage.py", "web") as server:
        server.get("/admin/login/")
        yield server


class Watch(threading.Thread):
    """Another client that asks whether the server is alive, all the time. longest: what it waited, in seconds."""

    def __init__(self, web: Running):
        super().__init__()
        self._web, self._is_over, self.longest, self.asked = web, threading.Event(), 0.0, 0

    def run(self) -> None:
        while not self._is_over.wait(0.01):
            began = time.monotonic()
            assert self._web.get("/health/live")[0] == 200
            self.longest, self.asked = max(self.longest, time.monotonic() - began), self.asked + 1

    def __enter__(self) -> "Watch":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()


def status_of(client: socket.socket) -> int:
    return int(client.recv(100).split()[1])


@pytest.mark.parametrize("name", DEAR)
def test_a_form_that_is_dear_to_parse_delays_nobody_where_nobody_reads_it(web, name):
    client, before = web.connect(), web.cpu()
    with Watch(web) as watch:
        client.sendall(post("/nothing/here", *DEAR[name]))
        assert status_of(client) in (403, 404, 431)
    assert web.cpu() - before - watch.asked * ASKING_SECONDS < CHEAP_SECONDS
    assert watch.longest < LONG_SECONDS


@pytest.mark.parametrize("name", DEAR)
def test_a_form_that_is_dear_to_parse_is_cheap_for_the_thread_that_reads_it_and_for_everybody(web, name):
    client, before = web.connect(), web.cpu()
    with Watch(web) as watch:
        client.sendall(post("/admin/login/", *DEAR[name], head=COOKIE))
        assert status_of(client) in (400, 403, 431)
    assert web.cpu() - before - watch.asked * ASKING_SECONDS < DEAR_SECONDS
    assert watch.longest < LONG_SECONDS


def test_forms_that_are_dear_to_parse_in_every_thread_leave_the_server_alive(web):
    clients = [web.connect() for _ in range(8)]
    with Watch(web) as watch:
        for number, client in enumerate(clients):
            path = ("/admin/login/", "/nothing/", "/tasks/", "/")[number % 4]
            client.sendall(post(path, *DEAR["many headers of semicolons"], head=COOKIE))
        assert {status_of(client) for client in clients} <= {400, 403, 404}
    assert watch.asked > 5
    assert watch.longest < LONG_SECONDS


def test_a_type_longer_than_any_is_refused_before_it_is_parsed(web):
    status, headers, _ = web.get("/api/v2/symbols/", Accept="a" + ";" * 5000)
    assert status == 431
    assert headers["content-type"] == "application/problem+json"
