"""A subscription to what nobody collects yet starts it, over real sockets and streams of events."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from django.test import Client as Browser
from django.utils import timezone

from finstage.access import keys
from finstage.models import ApiKey
from market.models import DataSource, Symbol
from market.sources import adding, negatives
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import endings
from monitoring.jobs.running import body
from monitoring.jobs.running.context import Current
from monitoring.models import AuditEntry, Job
from realtime import messages, streams
from tests.market.conftest import hold, wire  # noqa: F401 - fixtures
from tests.market.test_api_adding import META
from tests.market.yahoo_charts import made_chart
from tests.realtime.event_reader import Reader
from tests.realtime.test_consumer import Conversation, open_socket

pytestmark = pytest.mark.django_db(transaction=True)
ZZIB = {"action": "subscribe", "type": "prices", "symbols": ["zzib"], "id": 7}


@pytest.fixture
def login(live_web, hold) -> Callable[..., dict]:  # noqa: F811
    """login(name): what a page's socket shows of somebody who is logged in."""
    hold("yahoo")

    def made(name: str = "adds", **user) -> dict:
        browser = Browser()
        browser.force_login(get_user_model().objects.create_user(name, **user))
        return {
            "additional_headers": {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"},
            "origin": live_web.url,
        }

    return made


def look_for_one() -> None:
    """As a worker does with the next job."""
    [job] = claims.claim(uuid.uuid4(), 1, timezone.now())
    endings.write([ending for ending in [body.run(Current(job))] if ending])


def knows(wire, ticker: str) -> None:  # noqa: F811
    wire.charts[ticker] = made_chart("IBM", **META, symbol=ticker)


def asked() -> int:
    return Job.objects.filter(name=adding.JOB).count()


def refusal(client: Conversation, *symbols: str, type: str = "prices") -> dict:
    return client.ask({"action": "subscribe", "type": type, "symbols": list(symbols)}, "error")


def test_what_the_source_knows_is_started_and_told_on_the_same_subscription(live_web, login, wire, quote):  # noqa: F811
    knows(wire, "ZZIB")
    with open_socket(live_web, **login()) as client:
        answer = client.ask(ZZIB, "subscribed")
        assert (answer["id"], answer["starting"], answer["streams"]) == (7, ["ZZIB"], {})
        look_for_one()
        there = client.until("subscribed")
        assert (there["id"], there["subscriptions"], "starting" in there) == (7, ["prices:ZZIB"], False)
        streams.publish([messages.price(quote("ZZIB", 12.5))])
        assert client.until("price_update")["current_price"] == 12.5
    assert AuditEntry.objects.get(action=adding.ACT).target == "ZZIB"


def test_the_others_of_a_subscription_do_not_wait_for_it(live_web, login, apple, quote):
    with open_socket(live_web, **login()) as client:
        while not client.ask({**ZZIB, "symbols": ["AAPL"]}, "subscribed")["streams"]:
            pass  # the server's list of what is collected is of a moment ago
        answer = client.ask({**ZZIB, "symbols": ["AAPL", "ZZIB"]}, "subscribed")
        assert (list(answer["streams"]), answer["starting"]) == (["prices:AAPL"], ["ZZIB"])
        streams.publish([messages.price(quote("AAPL", 99))])
        assert client.until("price_update")["symbol"] == "AAPL"


def test_a_class_of_shares_comes_by_the_name_that_the_source_has_for_it(live_web, login, wire):  # noqa: F811
    knows(wire, "ZZIB-B")
    with open_socket(live_web, **login()) as client:
        assert client.ask({**ZZIB, "symbols": ["zzib.b"]}, "subscribed")["starting"] == ["ZZIB.B"]
        look_for_one()
        assert client.until("subscribed")["subscriptions"] == ["prices:ZZIB-B"]


def test_what_the_source_does_not_know_is_refused_with_what_was_meant(live_web, login, wire, apple):  # noqa: F811
    with open_socket(live_web, **login()) as client:
        client.ask({**ZZIB, "symbols": ["AAPK"]}, "subscribed")
        look_for_one()
        error = client.until("error")
        assert (error["id"], error["code"], error["symbols"]) == (7, "unknown_symbol", ["AAPK"])
        assert "Did you mean AAPL?" in error["message"]
        refused = refusal(client, "AAPK")  # Yahoo said so a moment ago: it is not asked, and nothing is counted
        assert (refused["code"], "does not know it" in refused["message"]) == ("unknown_symbol", True)
    assert (asked(), len(wire.requests)) == (1, 1)


def test_where_the_source_cannot_be_asked_that_is_what_is_said(live_web, login):
    with open_socket(live_web, **login()) as client:
        client.ask(ZZIB, "subscribed")
        Job.objects.update(state=Job.State.FAILED, lane=None, error_code="upstream_down")
        error = client.until("error")
    assert (error["code"], error["symbols"], "upstream_down" in error["message"]) == ("not_started", ["ZZIB"], True)


def test_asked_twice_by_a_socket_a_page_and_a_form_it_is_one_job_and_counts_once(live_web, login, client):
    shown = login()
    client.force_login(get_user_model().objects.get(username="adds"))
    with open_socket(live_web, **shown) as first, open_socket(live_web, **shown) as second:
        for socket in (first, second, first):
            assert socket.ask(ZZIB, "subscribed")["starting"] == ["ZZIB"]
        form = client.post("/api/v2/symbols/", {"symbol": "ZZIB"}, "application/json")
        assert form.json()["task_id"] == str(Job.objects.get().pk)
    assert AuditEntry.objects.filter(action=adding.ACT).count() == 1


def test_two_clicks_at_once_are_one_job(login):
    login()
    user, together = get_user_model().objects.get(), threading.Barrier(4)

    def click(_: int) -> uuid.UUID:
        together.wait()
        try:
            return adding.ask("ZZIB", user).job
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(click, range(4)))) == 1
    assert (asked(), AuditEntry.objects.filter(action=adding.ACT).count()) == (1, 1)


def test_four_people_at_once_are_one_job_and_each_counts_once(login):
    login()
    make = get_user_model().objects.create_user
    people, together = [make(f"adds {number}") for number in range(4)], threading.Barrier(4)

    def click(person) -> uuid.UUID:
        together.wait()
        try:
            return adding.ask("ZZIB", person).job
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(click, people))) == 1
    counted = AuditEntry.objects.filter(action=adding.ACT).values_list("actor", flat=True)
    assert (asked(), sorted(counted)) == (1, [person.pk for person in people])


def test_two_people_who_subscribe_to_the_same_are_both_told(live_web, login, wire):  # noqa: F811
    knows(wire, "ZZTWO")
    with open_socket(live_web, **login("one")) as one, open_socket(live_web, **login("other")) as other:
        for client in (one, other):
            assert client.ask({**ZZIB, "symbols": ["ZZTWO"]}, "subscribed")["starting"] == ["ZZTWO"]
        look_for_one()
        assert {client.until("subscribed")["subscriptions"][0] for client in (one, other)} == {"prices:ZZTWO"}
    assert asked() == 1


def test_a_guest_is_told_what_was_meant_and_what_to_do(live_web, login, apple):
    with open_socket(live_web) as client:
        error = refusal(client, "AAPK")
    assert error["code"] == "unknown_symbol"
    assert "Did you mean AAPL? Log in" in error["message"]
    assert not asked()


def test_beyond_so_many_a_day_it_is_unknown_and_says_when_there_is_room(live_web, login):
    shown = login()
    user = get_user_model().objects.get()
    AuditEntry.objects.bulk_create([AuditEntry(actor=user, actor_name="adds", action=adding.ACT) for _ in range(19)])
    with open_socket(live_web, **shown) as client:
        answer = client.ask({**ZZIB, "symbols": ["ZA", "ZB", "ZC"]}, "error")
        assert (answer["code"], answer["symbols"]) == ("unknown_symbol", ["ZB", "ZC"])
        assert "20 symbols within a day" in answer["message"]
        assert "room again in 23 h 59 min" in answer["message"]
        assert client.until("subscribed")["starting"] == ["ZA"]
    assert asked() == 1


def test_a_flood_of_invented_symbols_is_a_bounded_number_of_questions(live_web, login):
    with open_socket(live_web, **login()) as client:
        names = [f"ZZ{number}" for number in range(500)]
        error = client.ask({**ZZIB, "symbols": names}, "error")
        assert (len(error["symbols"]), len(client.until("subscribed")["starting"])) == (480, 20)
        assert refusal(client, *names[100:])["code"] == "unknown_symbol"
    assert asked() == 20


def test_of_the_staff_too_a_subscription_starts_so_many_at_once(live_web, login):
    with open_socket(live_web, **login(is_staff=True)) as client:
        error = client.ask({**ZZIB, "symbols": [f"ZZ{number}" for number in range(21)]}, "error")
    assert (error["symbols"], "at once" in error["message"]) == (["ZZ20"], True)


@pytest.mark.parametrize(("scopes", "starts"), [([ApiKey.READ], False), ([ApiKey.READ, ApiKey.WRITE], True)])
def test_a_key_starts_symbols_where_it_may_write(live_web, login, scopes, starts):
    login()
    row, key = keys.make(get_user_model().objects.get(), "a script", scopes, None)
    with open_socket(live_web, additional_headers={"Authorization": f"Bearer {key}"}) as client:
        answer = client.ask(ZZIB, "subscribed" if starts else "error")
        assert answer.get("starting") == (["ZZIB"] if starts else None)
        assert starts or "scope write" in answer["message"]
    assert [entry.via for entry in AuditEntry.objects.filter(action=adding.ACT)] == [row.prefix] * starts


def test_who_gives_it_up_while_it_is_looked_for_is_not_given_it(live_web, login, wire):  # noqa: F811
    knows(wire, "ZZIB")
    knows(wire, "ZZIC")
    with open_socket(live_web, **login()) as client:
        client.ask({**ZZIB, "symbols": ["ZZIB", "ZZIC"]}, "subscribed")
        client.ask({"action": "unsubscribe", "type": "prices", "symbols": ["zzib"]}, "unsubscribed")
        look_for_one()
        look_for_one()
        assert client.until("subscribed")["subscriptions"] == ["prices:ZZIC"]
        assert client.ask({"action": "ping"}, "pong")


def test_what_was_stopped_is_collected_again_by_who_subscribes(live_web, login, apple):
    Symbol.objects.filter(pk=apple.pk).update(is_active=False)
    with open_socket(live_web, **login()) as client:
        assert client.ask({**ZZIB, "symbols": ["AAPL"]}, "subscribed")["starting"] == ["AAPL"]
        look_for_one()
        assert client.until("subscribed")["subscriptions"] == ["prices:AAPL"]


def test_a_stream_of_events_of_a_page_of_ours_starts_it_too(live_web, login, wire, quote):  # noqa: F811
    knows(wire, "ZZIB")
    cookie = login()["additional_headers"]["Cookie"]
    with Reader(live_web, "symbols=ZZIB&types=prices", Cookie=cookie, **{"Sec-Fetch-Site": "same-origin"}) as reader:
        assert reader.until("subscribed")["starting"] == ["ZZIB"]
        look_for_one()
        assert reader.until("subscribed")["subscriptions"] == ["prices:ZZIB"]
        streams.publish([messages.price(quote("ZZIB", 5))])
        assert reader.until("price_update")["symbol"] == "ZZIB"


@pytest.mark.parametrize("site", ["cross-site", "none", ""])
def test_a_link_that_somebody_follows_starts_nothing(live_web, login, site):
    cookie = login()["additional_headers"]["Cookie"]
    with Reader(live_web, "symbols=ZZLINK&types=prices", Cookie=cookie, **{"Sec-Fetch-Site": site}) as reader:
        assert (reader.status, reader.problem()["code"]) == (404, "unknown_symbol")
    assert not asked()


def test_a_recording_starts_nothing(live_web, login, settings):
    shown = login()
    DataSource.objects.update(name="replay")
    with open_socket(live_web, **shown) as client:
        assert "a recording" in refusal(client, "ZZREC")["message"]
    assert not asked()


def test_what_the_source_denied_a_moment_ago_makes_no_job_in_a_form_either(live_web, login, client):
    login()
    client.force_login(get_user_model().objects.get())
    negatives.unknown("yahoo").note("ZZIB")
    answer = client.post("/api/v2/symbols/", {"symbol": "ZZIB"}, "application/json")
    assert (answer.status_code, answer.json()["code"], asked()) == (404, "unknown_symbol", 0)
