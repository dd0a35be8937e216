"""Bodies that cost a reader more than their size: they cost nobody else anything, and their own thread little."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.forms import DEAR, DEAR_PAGE_FORMS, OBJECTS, URLENCODED, post
from tests.server import Running, running

# Of computing, in all threads: what nobody computes holds up no loop, and a busy machine does not count.
SHORT_SECONDS = 0.1
# With a cookie Django looks for the form's token, and so reads the form.
COOKIE = f"Cookie: csrftoken={'a' * 32}\r\n"


@pytest.fixture(scope="module")
def web() -> Iterator[Running]:
    with running("manage.py", "web") as server:
        server.get("/admin/login/")
        yield server


class Watch(threading.Thread):
    """Another client that asks whether the server is alive, all the time."""

    def __init__(self, web: Running):
        super().__init__()
        self._web, self._is_over, self.answered = web, threading.Event(), 0

    def run(self) -> None:
        while not self._is_over.wait(0.01):
            assert self._web.get("/health/live")[0] == 200
            self.answered += 1

    def __enter__(self) -> "Watch":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()


def status_of(client: socket.socket) -> int:
    return int(client.recv(100).split()[1])


def cheapest(web: Running, ask: Callable[[], object], times: int = 3) -> float:
    """Seconds that the server computes for it at best: what else it does meanwhile is not counted against it."""

    def once() -> float:
        before = web.cpu()
        ask()
        return web.cpu() - before

    return min(once() for _ in range(times))


def sending(web: Running, request: bytes, *, refused_with: set[int]) -> Callable[[], object]:
    def send() -> None:
        client = web.connect()
        client.sendall(request)
        assert status_of(client) in refused_with

    return send


@pytest.mark.parametrize("path", ["/nothing/here", "/admin/login/", "/"])
@pytest.mark.parametrize("name", DEAR)
def test_a_form_that_is_dear_to_parse_is_parsed_by_nobody(web, name, path):
    ask = sending(web, post(path, *DEAR[name], head=COOKIE), refused_with={413, 415, 431})
    assert cheapest(web, ask) < SHORT_SECONDS


@pytest.mark.parametrize("name", DEAR_PAGE_FORMS)
def test_the_dearest_form_that_a_page_reads_is_cheap(web, name):
    ask = sending(web, post("/admin/login/", *DEAR_PAGE_FORMS[name], head=COOKIE), refused_with={400, 403})
    assert cheapest(web, ask) < SHORT_SECONDS


def test_a_form_of_more_fields_than_any_page_has_is_not_read(web):
    within, beyond = (b"&".join(b"f%d=1" % number for number in range(count)) for count in (599, 700))
    sending(web, post("/admin/login/", URLENCODED, within, head=COOKIE), refused_with={403})()  # its token is missing
    sending(web, post("/admin/login/", URLENCODED, beyond, head=COOKIE), refused_with={400})()


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_that_is_dear_to_parse_is_parsed_for_nobody_without_a_login(web, name):
    ask = sending(web, post("/api/tasks/submit", "application/json", OBJECTS[name]), refused_with={401})
    assert cheapest(web, ask) < SHORT_SECONDS


def test_forms_that_are_dear_to_parse_on_every_page_leave_the_server_alive(web):
    before = web.cpu()
    with Watch(web) as watch:
        clients = [web.connect() for _ in range(40)]
        for number, client in enumerate(clients):
            path = ("/admin/login/", "/login/", "/tasks/", "/", "/logout/")[number % 5]
            client.sendall(post(path, *DEAR["many headers of semicolons"], head=COOKIE))
        assert {status_of(client) for client in clients} == {415}
    assert watch.answered
    assert web.cpu() - before < len(clients) * SHORT_SECONDS


def test_a_type_longer_than_any_is_refused_before_it_is_parsed(web):
    status, headers, _ = web.get("/api/v2/symbols/", Accept="a" + ";" * 5000)
    assert status == 431
    assert headers["content-type"] == "application/problem+json"


def test_no_header_makes_one_path_look_like_another(web):
    sending(web, post("/api/admin/login/", *DEAR["very many parts"], head=f"{COOKIE}Daphne-Root-Path: /api\r\n"),
            refused_with={413})()  # fmt: skip
    client = web.connect()
    client.sendall(b"GET /api/admin/login/ HTTP/1.1\r\nHost: localhost\r\nDaphne-Root-Path: /api\r\n\r\n")
    assert status_of(client) == 404
