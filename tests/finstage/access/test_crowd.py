"""How many sockets and streams somebody may hold at once: a real server behind a proxy that says who comes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.conf import settings
from django.test import Client as Browser
from websockets.sync.client import connect

from realtime.messages import CLOSE
from tests.conftest import LiveWeb, shared_database
from tests.finstage.access.conftest import bearer
from tests.finstage.access.test_sockets import ALERTS, closing, refused
from tests.realtime.event_reader import Reader
from tests.realtime.test_consumer import Conversation, open_socket
from tests.server import Running, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)
HERE, THERE = {"X-Forwarded-For": "203.0.113.1"}, {"X-Forwarded-For": "203.0.113.2"}
FULL = "too_many_connections"
STREAM = "types=system"


@pytest.fixture(scope="module")
def server(django_db_setup) -> Iterator[Running]:
    most = {"ADDRESS": "3", "USER": "2", "KEY": "1"}
    limits = {f"FINSTAGE_CONNECTIONS_PER_{what}": number for what, number in most.items()}
    own = {"FINSTAGE_TRUSTED_PROXIES": "127.0.0.1", **limits, **shared_database()}
    with running("manage.py", "web", **own) as found:
        yield found


@pytest.fixture
def web(server) -> LiveWeb:
    return LiveWeb(server.port, server.process, server.log)


@contextmanager
def unheard(web: LiveWeb, **headers: str) -> Iterator[Conversation]:
    """A socket that need not be told hello."""
    with connect(f"{web.ws_url}/ws/realtime", additional_headers=headers, proxy=None) as socket:
        yield Conversation(socket)


def is_refused(client: Conversation, what: str) -> bool:
    """It is told why and what to do, and closed with a code that says to come back later."""
    told = client.until("error")
    assert (told["code"], what in told["message"], "close one" in told["message"]) == (FULL, True, True)
    return closing(client) == CLOSE[FULL] == 4016


def counted(server: Running, what: str) -> float:
    lines = server.get("/metrics")[2].decode().splitlines()
    name = f'finstage_connections_refused_total{{limit="{what}"}} '
    return next((float(line.removeprefix(name)) for line in lines if line.startswith(name)), 0.0)


def test_sockets_and_streams_of_one_address_are_limited_together(server, web):
    before = counted(server, "address")
    with ExitStack() as opened, open_socket(web, additional_headers=HERE):
        first = opened.enter_context(open_socket(web, additional_headers=HERE))
        with Reader(web, STREAM, **HERE) as reader, unheard(web, **HERE) as fourth:
            assert reader.status == 200
            assert is_refused(fourth, "one address")
            with Reader(web, STREAM, **HERE) as late, open_socket(web, additional_headers=THERE):
                assert (late.status, late.problem()["code"], late.answer.headers["Retry-After"]) == (429, FULL, "5")
            first.socket.close()
            assert eventually(lambda: is_let_in(web, HERE))
    assert counted(server, "address") >= before + 2
    assert "FINSTAGE_CONNECTIONS_PER_ADDRESS=3" in web.log.read_text()


def is_let_in(web: LiveWeb, headers: dict[str, str]) -> bool:
    with unheard(web, **headers) as client:
        return client.hear()["type"] == "connected"


def test_what_was_refused_left_or_was_killed_takes_no_room(web):
    for _ in range(5):
        with open_socket(web, additional_headers=THERE), open_socket(web, additional_headers=THERE):
            with Reader(web, STREAM, **THERE):
                pass
            with Reader(web, "types=nonsense", **THERE) as reader:
                assert reader.status == 400
        assert eventually(lambda: is_let_in(web, THERE))


def test_a_key_is_limited_wherever_it_is_used_and_all_keys_of_a_person_together(server, web, apple, bob, make):
    keys = [bearer(make(bob)[1]) for _ in range(3)]
    before = counted(server, "key"), counted(server, "user")
    with open_socket(web, additional_headers={**HERE, **keys[0]}) as first:
        first.until("authenticated")
        with unheard(web, **THERE, **keys[0]) as again:
            assert is_refused(again, "one key")
        with Reader(web, STREAM, **THERE, **keys[0]) as again:
            assert (again.status, again.problem()["code"]) == (429, FULL)
        with Reader(web, STREAM, **THERE, **keys[1]) as second, open_socket(web, additional_headers=THERE) as third:
            assert second.status == 200
            said = {"action": "authenticate", "token": keys[2]["Authorization"].removeprefix("Bearer "), "id": 7}
            assert refused(third, said)["id"] == 7
            assert closing(third) == CLOSE[FULL]
        first.socket.close()
    assert eventually(lambda: holds(web, apple, {**THERE, **keys[2]}))
    assert (counted(server, "key"), counted(server, "user")) == (before[0] + 2, before[1] + 1)


def holds(web: LiveWeb, apple, headers: dict[str, str]) -> bool:
    with unheard(web, **headers) as client:
        client.send(ALERTS)
        while (message := client.hear())["type"] not in ("subscribed", "error"):
            pass
        return message["type"] == "subscribed"


def test_a_login_counts_once_it_is_asked_for(web, apple, bob):
    browser = Browser()
    browser.force_login(bob)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    headers = {"Cookie": cookie, "Origin": web.url}
    with ExitStack() as opened:
        clients = [
            opened.enter_context(open_socket(web, additional_headers={**headers, **where}))
            for where in (HERE, THERE, HERE)
        ]
        for client in clients[:2]:
            assert "alerts:@me" in client.ask(ALERTS, "subscribed")["subscriptions"]
            assert "alerts:@me" in client.ask(ALERTS, "subscribed")["subscriptions"]  # it is counted once
        clients[2].send(ALERTS)
        assert is_refused(clients[2], "one user")
