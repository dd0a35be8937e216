"""Tickets and keys on `/ws/realtime`, over real sockets and the real server."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from websockets.exceptions import ConnectionClosed

from finstage.access import tickets
from finstage.access.tokens import Token
from finstage.models import ApiKey
from realtime.messages import CLOSE
from tests.conftest import LiveWeb, shared_database
from tests.finstage.access.conftest import Script, bearer, in_days
from tests.finstage.test_original import Script as LoggedIn
from tests.realtime.test_consumer import Conversation, open_socket
from tests.server import running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
WITHIN = 5.0
ALERTS, JOBS = {"action": "subscribe", "type": "alerts"}, {"action": "subscribe", "type": "jobs"}


def authenticate(client: Conversation, token: str) -> dict:
    return client.ask({"action": "authenticate", "token": token, "id": 7}, "authenticated")


def refused(client: Conversation, action: dict) -> dict:
    return client.ask(action, "error")


def closing(client: Conversation) -> int:
    """The code of its close; what it is told before goes by."""
    while True:
        try:
            client.hear(30)
        except ConnectionClosed as closed:
            return closed.rcvd.code


def ticket_of(script) -> str:
    answer = script.post("/api/v2/realtime/ticket")
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(answer.json()) == {"ticket", "expires_at"}
    return answer.json()["ticket"]


def test_a_socket_may_say_later_who_it_is_and_holds_what_they_may(live_web, apple, alice, make):
    with open_socket(live_web) as client:
        assert client.ask(ALERTS, "subscribed")["subscriptions"] == ["alerts:AAPL"]
        assert refused(client, JOBS)["code"] == "staff_only"
        assert authenticate(client, make(alice)[1]) == {"type": "authenticated", "user": "alice", "id": 7}
        assert "alerts:@me" in client.ask(ALERTS, "subscribed")["subscriptions"]
        assert "jobs" in client.ask(JOBS, "subscribed")["subscriptions"]


def test_a_key_may_come_with_the_handshake(live_web, apple, alice, make):
    key = make(alice)[1]
    for headers in (bearer(key), {"X-API-Key": key}):
        with open_socket(live_web, additional_headers=headers) as client:
            assert client.until("authenticated")["user"] == "alice"
            assert "jobs" in client.ask(JOBS, "subscribed")["subscriptions"]


@pytest.mark.parametrize("headers", [bearer("wrong"), {"X-API-Key": ""}, {"Authorization": "Token x"}])
def test_a_wrong_key_in_the_handshake_is_told_so_and_closed(live_web, headers):
    with open_socket(live_web, additional_headers=headers) as client:
        assert client.until("error")["code"] == "invalid_token"
        assert closing(client) == CLOSE["invalid_token"]


def test_a_ticket_works_once(live_web, script, apple, alice, make):
    ticket = ticket_of(script(make(alice)[1]))
    with open_socket(live_web) as first, open_socket(live_web) as second:
        assert authenticate(first, ticket)["user"] == "alice"
        assert refused(second, {"action": "authenticate", "token": ticket})["code"] == "invalid_token"
        assert closing(second) == CLOSE["invalid_token"]


def test_of_many_who_show_a_ticket_at_once_one_comes_in(db):
    text, _ = tickets.make(tickets.Holder(tickets.KEY, "1"))
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda _: tickets.redeem(Token.read(text)), range(64)))
    assert sum(each is not None for each in found) == 1


def test_a_ticket_is_over_after_30_s(redis):
    tickets.make(tickets.Holder(tickets.KEY, "1"))
    [place] = redis.keys("finstage:ticket:*")
    assert 28 <= redis.ttl(place) <= 30


def test_a_ticket_of_a_login_ends_with_the_login(live_web, apple, alice):
    with LoggedIn(live_web.url, alice) as page, open_socket(live_web) as client:
        authenticate(client, ticket_of(page))
        client.ask(JOBS, "subscribed")
        Session.objects.all().delete()
        ended = client.until("unsubscribed")
        assert (ended["streams"], ended["reason"]) == (["jobs"], "rights_ended")


@pytest.mark.parametrize(
    ("scopes", "change", "lost"),
    [
        (("read", "staff"), {"revoked_at": in_days(0)}, {"jobs", "alerts:@me"}),
        (("read", "staff"), {"expires_at": in_days(0)}, {"jobs", "alerts:@me"}),
        (("read", "staff"), {"may_read": False}, {"jobs", "alerts:@me"}),
        (("read", "staff"), {"may_staff": False}, {"jobs"}),
    ],
)
def test_what_a_key_loses_its_open_sockets_lose_within_5_s(live_web, apple, alice, make, scopes, change, lost):
    row, key = make(alice, *scopes)
    with open_socket(live_web) as client:
        authenticate(client, key)
        client.ask(ALERTS, "subscribed")
        client.ask(JOBS, "subscribed")
        began = time.monotonic()
        ApiKey.objects.filter(pk=row.pk).update(**change)
        ended = client.until("unsubscribed")
        assert time.monotonic() - began < WITHIN
        assert (set(ended["streams"]), ended["reason"]) == (lost, "rights_ended")
        assert "alerts:AAPL" in ended["subscriptions"]


def test_what_a_key_gains_its_open_sockets_may_at_once(live_web, apple, alice, make):
    row, key = make(alice, "read")
    with open_socket(live_web) as client:
        assert "log in with a staff account" in refused(client, JOBS)["message"]
        authenticate(client, key)
        told = refused(client, JOBS)
        assert (told["code"], "the scope staff" in told["message"]) == ("staff_only", True)
        assert told["message"].endswith("this one has read.")
        ApiKey.objects.filter(pk=row.pk).update(may_staff=True)
        assert "jobs" in client.ask(JOBS, "subscribed")["subscriptions"]


def test_a_key_that_may_not_read_lets_nobody_in(live_web, alice, make):
    with open_socket(live_web) as client:
        assert refused(client, {"action": "authenticate", "token": make(alice, "write")[1]})["code"] == "invalid_token"


def test_another_key_takes_what_was_the_others(live_web, apple, alice, bob, make):
    with open_socket(live_web) as client:
        authenticate(client, make(alice)[1])
        client.ask(ALERTS, "subscribed")
        client.ask(JOBS, "subscribed")
        client.send({"action": "authenticate", "token": make(bob)[1]})
        assert set(client.until("unsubscribed")["streams"]) == {"jobs", "alerts:@me"}
        assert client.until("authenticated")["user"] == "bob"
        assert "alerts:@me" in client.ask(ALERTS, "subscribed")["subscriptions"]


def test_wrong_keys_on_requests_and_sockets_are_limited_together(live_web, script, bob, make):
    from_here = script()
    while from_here.get("/api/v2/symbols/", headers=bearer("x")).status_code != 429:
        pass
    with open_socket(live_web) as client:
        told = refused(client, {"action": "authenticate", "token": make(bob)[1]})
        assert (told["code"], 0 < told["retry_after"] <= 60) == ("rate_limited", True)


@pytest.fixture
def closed_web(django_db_setup) -> Iterator[LiveWeb]:
    """One where reading needs a login."""
    with running("manage.py", "web", FINSTAGE_MARKET_DATA_OPEN="false", **shared_database()) as web:
        yield LiveWeb(web.port, web.process, web.log)


def test_where_reading_needs_a_login_a_socket_has_10_s_to_say_whose_it_is(closed_web, apple, bob, make):
    row, key = make(bob)
    with open_socket(closed_web) as nobody, open_socket(closed_web) as somebody:
        began = time.monotonic()
        assert authenticate(somebody, key)["user"] == "bob"
        with Script(closed_web.url, "wrong") as wrong:
            while wrong.get("/api/v2/symbols/").status_code != 429:
                pass
        with open_socket(closed_web, additional_headers=bearer(make(bob)[1])) as unheard:
            assert unheard.until("error")["code"] == "rate_limited"
            assert nobody.until("error")["code"] == "login_required"
            assert closing(nobody) == CLOSE["authentication_timeout"]
            assert 9 < time.monotonic() - began < 15
            assert closing(unheard) == CLOSE["authentication_timeout"]
        assert somebody.ask(ALERTS, "subscribed")["subscriptions"] == ["alerts:@me", "alerts:AAPL"]
        ApiKey.objects.filter(pk=row.pk).update(revoked_at=timezone.now())
        assert closing(somebody) == CLOSE["invalid_token"]
