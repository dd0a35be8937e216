"""`/api/v2/stream/` over real connections, through both servers."""

import threading
import time
import urllib.request
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator

import jsonschema
import pytest
from django.contrib.auth import get_user_model
from django.test import Client as Browser

from finstage.access import keys
from finstage.models import ApiKey
from market.models import Symbol
from realtime import messages, streams
from realtime.kinds import ALERTS, BARS, SYSTEM
from realtime.messages import Message
from realtime.sse import marks
from realtime.sse.cursor import OF_MANY
from realtime.streams import Position
from realtime.transports.servers import SERVERS
from tests.conftest import LiveWeb, serving
from tests.realtime.event_reader import Reader
from tests.server import eventually

pytestmark = pytest.mark.django_db(transaction=True)
VALID = jsonschema.Draft202012Validator({"$defs": messages.schema()["$defs"], "anyOf": messages.schema()["anyOf"]})


@pytest.fixture(scope="module", params=SERVERS)
def web(request, django_db_setup, tmp_path_factory) -> Iterator[LiveWeb]:
    with serving(tmp_path_factory.mktemp("web") / "log", "manage.py", "web", "--server", request.param) as running:
        yield running


@pytest.fixture
def apple(web, apple):
    """As the server sees it too, which looks for new symbols only now and then."""

    def is_known() -> bool:
        with Reader(web, "symbols=AAPL&types=prices") as reader:
            return reader.status == 200

    assert eventually(is_known)
    return apple


def publish(quote, price: float) -> int:
    return streams.publish([messages.price(quote("AAPL", price))]).numbers[0]


def kept(stream: str, number: int) -> Message:
    """A message that must not be lost."""
    body = messages.encode({"type": "alert", "stream": stream, "message": str(number)})
    return Message(stream, body, keep=True, conflate=False)


def test_a_reader_gets_the_same_messages_as_a_socket(web, apple, quote):
    publish(quote, 100)
    with Reader(web, "symbols=aapl&types=prices&mode=every") as reader:
        assert (reader.status, reader.answer.headers["Content-Type"]) == (200, "text/event-stream")
        answer = reader.until("subscribed")
        assert (answer["subscriptions"], answer["snapshot"][0]["current_price"]) == (["prices:AAPL"], 100)
        assert 1000 <= reader.retry <= 3000
        told = [publish(quote, price) for price in (101, 102)]
        heard = [reader.until("price_update") for _ in told]
    assert [(each["seq"], each["current_price"]) for each in heard] == list(zip(told, (101, 102), strict=True))
    for each in (answer, *heard):
        VALID.validate(each)


def test_a_reader_that_is_killed_twenty_times_misses_nothing(web, apple, quote):
    """Two streams whose messages must not be lost, and one id that says where it is in both."""
    most, done = 600, threading.Event()
    names = [ALERTS.of("AAPL"), SYSTEM.name]
    first = [streams.publish([kept(name, 0)]).numbers[0] for name in names]

    def tell() -> None:
        for number in range(1, most):
            streams.publish([kept(name, number) for name in names])
            done.wait(0.003)

    heard: dict[str, list[int]] = {name: [] for name in names}
    with Reader(web, "symbols=AAPL&types=alerts,system") as reader:
        reader.until("subscribed")
        mark = reader.last
    telling = threading.Thread(target=tell)
    telling.start()
    for number in range(21):
        mark = follow(web, mark, heard, number % 9 if number < 20 else None, [at + most - 1 for at in first])
    telling.join()
    for name, at in zip(names, first, strict=True):
        assert heard[name] == list(range(at + 1, at + most))


def follow(web: LiveWeb, mark: str, heard: dict[str, list[int]], messages: int | None, last: list[int]) -> str:
    """Read on from a mark, so many messages or to the last one of each stream."""
    with Reader(web, "symbols=AAPL&types=alerts,system", mark) as reader:
        states = reader.until("subscribed")["streams"]
        assert all(state["recovered"] for state in states.values())
        while messages is None or messages > 0:
            message = reader.next()
            if message.get("seq") is None:
                assert message["type"] != "gap"
                continue
            heard[message["stream"]].append(message["seq"])
            messages = messages and messages - 1
            if messages is None and [each[-1:] for each in heard.values()] == [[each] for each in last]:
                break
        return reader.last


def test_a_reader_of_many_streams_misses_nothing_at_whatever_event_it_is_killed(web):
    """Its id stands at some events only, which it is told; what comes twice has the same number."""
    row = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    tickers = [f"M{number}" for number in range(150)]
    Symbol.objects.bulk_create(Symbol(ticker=ticker, name="M", **row) for ticker in tickers)
    names, query = list(map(ALERTS.of, tickers)), f"types=alerts&symbols={','.join(tickers)}"
    assert eventually(lambda: refused_for(web, query) is None)
    for name in names:  # one by one: each has an epoch of its own
        streams.publish([kept(name, 0)])
    with Reader(web, query) as reader:
        heard = {name: [state["seq"]] for name, state in reader.until("subscribed")["streams"].items()}
        mark = reader.last
        assert reader.comments == [OF_MANY]
    told = {name: seq for name, [seq] in heard.items()}
    for events in [*range(40), None]:
        some = names[(events or 0) % 17 :: 17]
        numbers = streams.publish([kept(name, 0) for name in some]).numbers
        told |= dict(zip(some, numbers, strict=True))
        mark = read_on(web, query, mark, heard, told, events)
    assert heard == {name: list(range(seqs[0], told[name] + 1)) for name, seqs in heard.items()}


def read_on(web: LiveWeb, query: str, mark: str, heard: dict, told: dict, events: int | None) -> str:
    """Read so many events more, or all that were told."""
    with Reader(web, query, mark) as reader:
        while events != 0 and {name: seqs[-1] for name, seqs in heard.items()} != told:
            message, events = reader.next(), None if events is None else events - 1
            assert message["type"] != "gap"
            if "seq" in message and message["seq"] > heard[message["stream"]][-1]:
                heard[message["stream"]].append(message["seq"])
        return reader.last


def refused_for(web: LiveWeb, query: str) -> str | None:
    with Reader(web, query) as reader:
        return None if reader.status == 200 else reader.problem()["code"]


def test_what_can_not_be_had_again_is_told_as_a_gap(web, apple):
    name = ALERTS.of("AAPL")
    streams.publish([kept(name, 0)])
    with Reader(web, "symbols=AAPL&types=alerts") as reader:
        reader.until("subscribed")
    streams.renew([name])
    streams.publish([kept(name, 1)])
    with Reader(web, "symbols=AAPL&types=alerts", reader.last) as again:
        assert again.until("gap")["reason"] == "epoch_changed"
        place = marks.read(again.last)[name]
    with Reader(web, "symbols=AAPL&types=alerts", again.last) as third:
        assert third.until("subscribed")["streams"][name]["recovered"]
    assert place.seq == 1


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("symbols=NONE&types=prices", 404, "unknown_symbol"),
        ("types=prices", 400, "invalid_symbols"),
        ("types=alerts,bars", 400, "invalid_symbols"),
        ("symbols=AAPL&types=prizes", 400, "unknown_type"),
        ("symbols=AAPL&type=prices", 400, "invalid_parameters"),
        ("symbols=AAPL&symbols=FB", 400, "invalid_parameters"),
        ("symbols=", 400, "invalid_symbols"),
        ("symbols=AAPL&types=prices&interval=5m", 400, "invalid"),
        ("symbols=AAPL&types=indicators&indicators=SMA", 400, "invalid_indicators"),
        ("symbols=AAPL&types=indicators&indicators=sma_1", 400, "invalid_indicators"),
        ("symbols=AAPL&types=prices,indicators&indicators=magic_5", 400, "invalid_indicators"),
        ("symbols=AAPL&mode=all", 400, "invalid_mode"),
        ("symbols=AAPL&types=bars&interval=2m", 400, "invalid_interval"),
        ("symbols=%FF", 400, "malformed"),
        ("symbols=" + "A" * 9000, 400, "oversized"),
        ("types=jobs", 403, "staff_only"),
        ("symbols=AAPL&types=system", 400, "invalid"),
    ],
)
def test_what_can_not_be_answered_is_a_problem_before_anything_begins(web, apple, query, status, code):
    with Reader(web, query) as reader:
        assert reader.answer.headers["Content-Type"] == "application/problem+json"
        assert reader.answer.headers["RateLimit-Policy"].startswith('"address"')
        problem = reader.problem()
    assert (reader.status, problem["status"], problem["code"]) == (status, status, code)
    assert "subscribe." not in problem["detail"]
    assert "{" not in problem["detail"]  # how a socket would say it
    assert not problem["detail"].startswith("type must")


def test_unknown_symbols_among_known_ones_are_told_first(web, apple):
    with Reader(web, "symbols=NONE,AAPL&types=prices") as reader:
        assert reader.until("error")["symbols"] == ["NONE"]
        assert reader.until("subscribed")["subscriptions"] == ["prices:AAPL"]


def test_more_streams_than_an_id_can_say_are_refused(web):
    row = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    Symbol.objects.bulk_create(Symbol(ticker=f"T{number}", name="T", **row) for number in range(60))
    assert eventually(lambda: refused_for(web, "symbols=*") == "too_many_symbols")


def squeezed(text: bytes) -> str:
    squeezing = zlib.compressobj(9, wbits=marks.RAW_DEFLATE)
    return marks.VERSION + urlsafe_b64encode(squeezing.compress(text) + squeezing.flush()).decode().rstrip("=")


@pytest.mark.parametrize(
    "mark",
    [
        "1", "1.", "2.AAAA", "1.AAAA", "x" * 13_000, "1.\u00fc", "1.====", "1.A",
        squeezed(b"prices:AAPL\te"), squeezed(b"prices:AAPL\te\t-1"), squeezed(b"prices:AAPL\te\t" + b"9" * 30),
        squeezed(b"\xff\te\t1"), squeezed(b"a\te\t1\n" * 300), squeezed(b"a" * 5_000_000),
        marks.written({"prices:AAPL": Position("e", 1)})[:-2],
    ],
)  # fmt: skip
def test_an_id_that_is_none_of_ours_is_refused(web, apple, mark):
    with Reader(web, "symbols=AAPL&types=prices", mark) as reader:
        assert (reader.status, reader.problem()["code"]) == (400, "invalid")


def test_an_id_of_streams_that_nobody_asks_for_changes_nothing(web, apple):
    row = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    Symbol.objects.create(ticker="FB", name="Facebook", **row)
    mark = marks.written({name: Position("e", 1) for name in ("jobs", "prices:FB", "nothing", "alerts:@1", "a:b:c")})
    with Reader(web, "symbols=AAPL&types=prices", mark) as reader:
        while (answer := reader.next())["type"] != "subscribed":
            assert answer["type"] != "renamed"
        assert answer["subscriptions"] == ["prices:AAPL"]
        assert marks.read(reader.last).keys() >= {"prices:AAPL"}


def test_a_mark_says_what_was_written():
    places = {
        BARS.of(f"A{number:03}.KS"): Position(f"{number:012x}", number**5) for number in range(marks.MOST_STREAMS)
    }
    mark = marks.written(places)
    assert marks.read(mark) == places
    assert len(mark) < marks.MOST_CHARACTERS


@pytest.mark.parametrize("name", SERVERS)
def test_a_reader_is_told_of_the_end_and_when_to_come_back(name, apple, tmp_path):
    with (
        serving(tmp_path / "log", "manage.py", "web", "--server", name) as web,
        Reader(web, "symbols=AAPL&types=alerts") as reader,
    ):
        reader.until("subscribed")
        web.process.terminate()
        told = reader.until("server_shutdown")
        assert reader.retry == round(1000 * told["retry_after"])
        assert reader.next() is None
        assert reader.comments[-1] == "4012 server shutdown"


def test_only_reading_by_get_is_answered(web, apple):
    for method in ("POST", "HEAD", "DELETE"):
        with Reader(web, "symbols=AAPL", method=method) as reader:
            assert (reader.status, reader.answer.headers["Allow"]) == (405, "GET, OPTIONS")


def test_a_page_of_another_origin_is_refused(web, apple):
    for origin in ("https://elsewhere.example", "null", "http://["):
        with Reader(web, "symbols=AAPL", Origin=origin) as reader:
            assert (reader.status, reader.problem()["code"]) == (403, "origin_not_allowed")
            assert reader.answer.headers["RateLimit"].startswith('"address"')


ASKS = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization,last-event-id"}


def test_a_page_of_another_origin_that_the_setting_names_may_send_a_key_and_where_it_was(apple, tmp_path, monkeypatch):
    """As a browser asks for it: first whether it may, then by GET; it may read why it was refused too."""
    page = "https://let.in.example"
    monkeypatch.setenv("CSRF_TRUSTED_ORIGINS", page)
    with serving(tmp_path / "log", "manage.py", "web") as web:
        with Reader(web, "", method="OPTIONS", Origin=page, **ASKS) as first:
            head = first.answer.headers
        assert (first.status, head["Access-Control-Allow-Origin"], head["Vary"]) == (204, page, "Origin")
        assert "GET" in head["Access-Control-Allow-Methods"]
        allowed = head["Access-Control-Allow-Headers"].lower()
        assert all(name in allowed for name in ("authorization", "x-api-key", "last-event-id"))
        with Reader(web, "types=system", Origin=page, Authorization="Bearer wrong") as refused:
            assert (refused.status, refused.answer.headers["Access-Control-Allow-Origin"]) == (401, page)
        with Reader(web, "types=system", Origin=page) as reader:
            assert (reader.status, reader.answer.headers["Access-Control-Allow-Origin"]) == (200, page)


def test_a_page_of_an_origin_that_no_setting_names_may_not_even_ask(web):
    with Reader(web, "", method="OPTIONS", Origin="https://elsewhere.example", **ASKS) as reader:
        assert (reader.status, reader.problem()["code"]) == (403, "origin_not_allowed")
        assert "Access-Control-Allow-Origin" not in reader.answer.headers


def test_a_page_that_is_let_in_may_read_what_it_gets(web, apple):
    with Reader(web, "symbols=AAPL&types=prices", Origin=web.url) as reader:
        assert reader.answer.headers["Access-Control-Allow-Origin"] == web.url
        assert reader.answer.headers["Vary"] == "Origin"
    with Reader(web, "symbols=AAPL&types=prices") as reader:
        assert "Access-Control-Allow-Origin" not in reader.answer.headers


def test_a_wrong_key_is_a_401_and_a_right_one_has_what_its_owner_has(web, apple):
    staff = get_user_model().objects.create_user("alice", is_staff=True)
    with Reader(web, "types=jobs", Authorization="Bearer wrong") as reader:
        assert (reader.status, reader.problem()["code"]) == (401, "invalid_key")
        assert "invalid_token" in reader.answer.headers["WWW-Authenticate"]
        assert reader.answer.headers["RateLimit-Policy"].startswith('"address"')
    row, key = keys.make(staff, "a script", [ApiKey.READ, ApiKey.STAFF], None)
    with Reader(web, "types=jobs,alerts", Authorization=f"Bearer {key}") as reader:
        assert reader.answer.headers["RateLimit-Policy"].startswith('"')
        assert {"jobs", "alerts:@me"} <= set(reader.until("subscribed")["subscriptions"])
        began = time.monotonic()
        keys.revoke(row.pk)
        ended = reader.until("unsubscribed")
        assert (set(ended["streams"]), ended["reason"]) == ({"jobs", "alerts:@me"}, messages.RIGHTS_ENDED)
        assert time.monotonic() - began < 5
    with Reader(web, "types=jobs", Authorization=f"Bearer {key}") as reader:
        assert (reader.status, reader.problem()["code"]) in [(401, "revoked_key"), (401, "invalid_token")]


def test_a_key_without_the_scope_that_it_takes_is_told_which(web, apple):
    staff = get_user_model().objects.create_user("alice", is_staff=True)
    for scope, query, code in (
        (ApiKey.WRITE, "types=system", "missing_scope"),
        (ApiKey.READ, "types=jobs", "staff_only"),
    ):
        _, key = keys.make(staff, "a script", [scope], None)
        with Reader(web, query, Authorization=f"Bearer {key}") as reader:
            problem = reader.problem()
            assert (reader.status, problem["code"]) == (403, code)
            assert reader.answer.headers["RateLimit-Policy"].startswith('"key"')
        assert problem["detail"].endswith(f"has {scope}.")


def test_a_login_has_its_own_alerts_until_its_logout(web, apple):
    bob, browser = get_user_model().objects.create_user("bob"), Browser()
    browser.force_login(bob)
    with Reader(web, "types=alerts", Cookie=f"sessionid={browser.cookies['sessionid'].value}") as reader:
        assert "alerts:@me" in reader.until("subscribed")["subscriptions"]
        streams.publish([Message(ALERTS.of_user(bob.pk), b'{"type":"alert","stream":"alerts:@me"}', True, False)])
        assert reader.until("alert")["stream"] == "alerts:@me"
        assert "alerts:@me" in marks.read(reader.last)
        browser.logout()
        assert reader.until("unsubscribed")["streams"] == ["alerts:@me"]


def test_a_reader_that_takes_nothing_is_closed_and_leaves_nothing(web, apple, quote):
    big = messages.encode({"type": "alert", "stream": "alerts:AAPL", "message": "x" * 100_000})
    with Reader(web, "symbols=AAPL&types=alerts") as reader:
        reader.until("subscribed")
        for _ in range(120):
            streams.publish([Message("alerts:AAPL", big, keep=False, conflate=False)])
        assert eventually(lambda: open_streams(web) == 0, seconds=40)


def open_streams(web: LiveWeb) -> int:
    with Reader(web, "symbols=AAPL&types=alerts") as other:
        other.until("subscribed")
        return gauge(web) - 1


def gauge(web: LiveWeb) -> int:
    with urllib.request.urlopen(f"{web.url}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return int(float(next(line for line in lines if line.startswith("finstage_event_streams ")).split()[1]))
