"""`/ws/realtime` over real sockets: the real server, the tests' database, and a client of the `websockets` library."""

import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client as Browser
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from market import quotes
from market.models import Symbol
from realtime import asked, messages, streams

pytestmark = pytest.mark.django_db(transaction=True)
TICKERS = ["^GSPC", "005930.KS", "AAPL", "GC=F"]


@pytest.fixture
def tracked() -> list[Symbol]:
    rows = [
        Symbol(ticker=ticker, name=ticker, exchange="XNAS", currency="USD", time_zone="America/New_York")
        for ticker in TICKERS
    ]
    return Symbol.objects.bulk_create(rows)


@contextmanager
def open_socket(live_web, **options) -> Iterator["Conversation"]:
    with connect(f"{live_web.ws_url}/ws/realtime", **options) as socket:
        conversation = Conversation(socket)
        conversation.until("connected")
        yield conversation


class Conversation:
    """A client that asks and is answered; `tests.spoken` holds both against the schema."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def send(self, action: dict | str | bytes) -> None:
        self.socket.send(json.dumps(action) if isinstance(action, dict) else action)

    def hear(self, seconds: float = 60) -> dict:
        return json.loads(self.socket.recv(seconds))

    def until(self, kind: str) -> dict:
        while (message := self.hear())["type"] != kind:
            pass
        return message

    def ask(self, action: dict | str | bytes, kind: str) -> dict:
        self.send(action)
        return self.until(kind)


def publish_price(quote, ticker: str, price: float) -> int:
    return streams.publish([messages.price(quote(ticker, price))]).numbers[0]


def test_a_new_client_is_told_who_it_is_and_the_protocol(live_web):
    with connect(f"{live_web.ws_url}/ws/realtime") as socket:
        hello = json.loads(socket.recv(60))
    assert hello["type"] == "connected"
    assert hello["protocol"] == 1


def test_a_subscriber_gets_the_snapshot_and_then_every_price(live_web, tracked, quote):
    publish_price(quote, "AAPL", 100)
    with open_socket(live_web) as client:
        answer = client.ask(
            {"action": "subscribe", "type": "prices", "symbols": ["aapl"], "mode": "every", "id": 7}, "subscribed"
        )
        assert (answer["id"], answer["subscriptions"]) == (7, ["prices:AAPL"])
        assert answer["snapshot"][0]["current_price"] == 100
        first = answer["streams"]["prices:AAPL"]["seq"]
        for price in (101, 102, 103):
            publish_price(quote, "AAPL", price)
        heard = [client.until("price_update") for _ in range(3)]
        assert [(one["seq"], one["current_price"]) for one in heard] == [(first + n, 100 + n) for n in (1, 2, 3)]


@pytest.mark.parametrize("ticker", TICKERS)
def test_any_ticker_that_yahoo_writes_has_a_stream(live_web, tracked, quote, ticker):
    with open_socket(live_web) as client:
        client.ask({"action": "subscribe", "type": "prices", "symbols": [ticker]}, "subscribed")
        publish_price(quote, ticker, 5)
        assert client.until("price_update")["symbol"] == ticker


def test_a_client_that_reconnects_gets_what_it_missed(live_web, tracked, quote):
    subscribe = {"action": "subscribe", "type": "prices", "symbols": ["AAPL"], "mode": "every"}
    with open_socket(live_web) as client:
        place = client.ask(subscribe, "subscribed")["streams"]["prices:AAPL"]
    missed = [publish_price(quote, "AAPL", price) for price in (1, 2, 3)]
    with open_socket(live_web) as client:
        since = {"prices:AAPL": {"epoch": place["epoch"], "seq": place["seq"]}}
        assert client.ask({**subscribe, "since": since}, "subscribed")["streams"]["prices:AAPL"]["recovered"]
        assert [client.until("price_update")["seq"] for _ in missed] == missed


def test_an_unsubscribed_client_hears_no_more(live_web, tracked, quote):
    with open_socket(live_web) as client:
        client.ask({"action": "subscribe", "type": "prices", "symbols": ["*"]}, "subscribed")
        left = client.ask({"action": "unsubscribe", "type": "prices", "symbols": ["AAPL"]}, "unsubscribed")
        assert left["streams"] == ["prices:AAPL"]
        assert "prices:AAPL" not in left["subscriptions"]
        publish_price(quote, "AAPL", 1)
        publish_price(quote, "GC=F", 2)
        assert client.until("price_update")["symbol"] == "GC=F"


def test_what_is_unknown_is_named_also_where_streams_are_given_up(live_web, tracked):
    with open_socket(live_web) as client:
        client.ask({"action": "subscribe", "type": "prices", "symbols": ["AAPL"]}, "subscribed")
        asked = {"action": "unsubscribe", "type": "all", "symbols": ["NOPE", "GC=F", "aapl"], "id": 7}
        error = client.ask(asked, "error")
        assert client.hear()["streams"] == ["prices:AAPL"]
        assert (error["code"], error["symbols"], error["id"]) == ("unknown_symbol", ["NOPE"], 7)
        assert client.ask({"action": "unsubscribe", "type": "all", "symbols": ["NOPE"]}, "error")["symbols"] == ["NOPE"]
        assert client.ask({"action": "ping"}, "pong")  # and nothing between


def test_current_prices_are_answered_with_null_for_none(live_web, tracked, quote):
    quotes.keep([quote("AAPL", 12.5)])
    with open_socket(live_web) as client:
        answer = client.ask({"action": "get_current_prices", "symbols": ["AAPL", "GC=F"]}, "current_prices")
    assert answer["prices"]["AAPL"]["current_price"] == 12.5
    assert answer["prices"]["GC=F"] is None


def test_updates_of_one_flush_come_in_one_frame_for_who_asks(live_web, tracked, quote):
    with open_socket(live_web) as client:
        client.ask({"action": "configure", "batch": True}, "configured")
        client.ask({"action": "subscribe", "type": "prices", "symbols": ["*"]}, "subscribed")
        streams.publish([messages.price(quote(ticker, 3)) for ticker in TICKERS])
        assert [one["symbol"] for one in client.until("price_updates")["updates"]] == TICKERS


def test_an_unknown_symbol_fails_alone_and_is_named_before_the_answer(live_web, tracked):
    with open_socket(live_web) as client:
        asked = {"action": "subscribe", "type": "prices", "symbols": ["AAPL", "XYZ1", "GC=F"], "id": "a"}
        error = client.ask(asked, "error")
        assert (error["code"], error["symbols"], error["id"]) == ("unknown_symbol", ["XYZ1"], "a")
        answer = client.hear()
        assert (answer["type"], answer["id"]) == ("subscribed", "a")
        assert answer["subscriptions"] == ["prices:AAPL", "prices:GC=F"]
        error = client.ask({"action": "get_current_prices", "symbols": ["AAPL", "XYZ1"]}, "error")
        assert (error["symbols"], list(client.hear()["prices"])) == (["XYZ1"], ["AAPL"])


def test_where_no_symbol_is_known_they_are_named_and_nothing_changes(live_web, tracked):
    with open_socket(live_web) as client:
        client.ask({"action": "subscribe", "type": "prices", "symbols": ["AAPL"]}, "subscribed")
        error = client.ask({"action": "subscribe", "type": "prices", "symbols": ["XYZ2", "XYZ1"], "id": "a"}, "error")
        assert (error["code"], error["symbols"], error["id"]) == ("unknown_symbol", ["XYZ2", "XYZ1"], "a")
        held = client.ask({"action": "subscribe", "type": "system"}, "subscribed")["subscriptions"]
        many = [f"XYZ{number:03}" for number in range(120)]
        error = client.ask({"action": "subscribe", "type": "prices", "symbols": many}, "error")
    assert held == ["prices:AAPL", "system"]
    assert error["symbols"] == many
    assert error["message"].startswith("Not tracked here: XYZ000, XYZ001, XYZ002, XYZ003, XYZ004 and 115 more. Log in")


@pytest.mark.parametrize(("count", "names"), [(5, "A, B, C, D, E."), (6, "A, B, C, D, E and 1 more.")])
def test_so_many_unknown_symbols_are_named_and_the_rest_is_counted(count, names):
    assert str(asked.refusal(list("ABCDEF"[:count]))).startswith(f"Not tracked here: {names} ")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x00\x01", "binary"),
        ("", "empty"),
        ("{", "malformed"),
        ('{"action":"ping","action":"ping"}', "duplicate_key"),
        ('{"action":"ping","id":NaN}', "not_a_number"),
        ("[" * 100, "too_deep"),
        ("x" * 100_000, "oversized"),
        ('{"action":"dispatch"}', "unknown_action"),
    ],
)
def test_a_bad_frame_gets_its_typed_error_and_the_socket_lives_on(live_web, frame, code):
    with open_socket(live_web) as client:
        assert client.ask(frame, "error")["code"] == code
        assert client.ask({"action": "ping", "id": 1}, "pong")["id"] == 1


def test_too_many_messages_are_refused_and_then_closed(live_web):
    with open_socket(live_web) as client:
        with contextlib.suppress(ConnectionClosed):  # before all is sent, where this machine is slow
            for _ in range(200):
                client.send({"action": "ping"})
        with pytest.raises(ConnectionClosed) as closed:
            client.until("never")
    assert closed.value.rcvd.code == 4013


@pytest.mark.parametrize(
    ("origin", "fix"),
    [
        ("https://evil.example", "start the web with CSRF_TRUSTED_ORIGINS=https://evil.example"),
        ("null", "serve it from an address"),
    ],
)
def test_a_page_of_another_site_gets_no_socket(live_web, origin, fix):
    with pytest.raises(InvalidStatus) as refused, connect(f"{live_web.ws_url}/ws/realtime", origin=origin):
        pass
    assert refused.value.response.status_code == 403
    assert fix in live_web.log.read_text()
    assert "CSRF_TRUSTED_ORIGINS=null" not in live_web.log.read_text()  # the web would not start with it


def test_staff_streams_are_for_staff(live_web, tracked):
    with open_socket(live_web) as client:
        assert client.ask({"action": "subscribe", "type": "jobs"}, "error")["code"] == "staff_only"


def test_ones_own_alerts_are_joined_while_logged_in_and_nobody_else_hears_them(live_web, tracked):
    user = get_user_model().objects.create_user("alice")
    browser = Browser()
    browser.force_login(user)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    options = {"origin": f"http://127.0.0.1:{live_web.port}", "additional_headers": {"Cookie": cookie}}
    with open_socket(live_web, **options) as alice, open_socket(live_web) as stranger:
        assert "alerts:@me" in alice.ask({"action": "subscribe", "type": "alerts"}, "subscribed")["subscriptions"]
        assert (
            "alerts:@me" not in stranger.ask({"action": "subscribe", "type": "alerts"}, "subscribed")["subscriptions"]
        )
        body = messages.encode(
            {"type": "system_status", "stream": "alerts:@me", "message": "x", "timestamp": "2012-09-04T00:00:00Z"}
        )
        streams.publish([messages.Message(f"alerts:@{user.pk}", body, keep=True, conflate=False)])
        assert alice.until("system_status")["seq"] == 1
        assert stranger.ask({"action": "ping"}, "pong")


def test_a_cookie_without_our_own_origin_is_nobodys(live_web, tracked):
    user = get_user_model().objects.create_user("alice")
    browser = Browser()
    browser.force_login(user)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    with open_socket(live_web, additional_headers={"Cookie": cookie}) as client:
        assert "alerts:@me" not in client.ask({"action": "subscribe", "type": "alerts"}, "subscribed")["subscriptions"]
