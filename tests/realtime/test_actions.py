"""What a client may ask beyond a price: other intervals and indicators, what nobody tells yet, and the past."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client as Browser

from market import quotes
from market.models import Symbol
from monitoring import heartbeats
from realtime import messages, naming, streams
from realtime.kinds import KINDS
from tests.realtime.test_consumer import open_socket, publish_price
from tests.server import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tracked() -> list[Symbol]:
    rows = [
        Symbol(ticker=ticker, name=ticker, exchange="XNAS", currency="USD", time_zone="America/New_York")
        for ticker in ("AAPL", "BTC/USD")
    ]
    return Symbol.objects.bulk_create(rows)


def subscribe(type: str, *symbols: str, **more) -> dict:
    return {"action": "subscribe", "type": type, **({"symbols": list(symbols)} if symbols else {}), **more}


# What nobody tells yet


@pytest.mark.parametrize("type", ["news"])
def test_a_type_that_nobody_publishes_yet_says_so_and_is_held(live_web, tracked, type):
    with open_socket(live_web) as client:
        answer = client.ask(subscribe(type, "AAPL"), "subscribed")
        assert (answer["published"], answer["streams"][f"{type}:AAPL"]["published"]) == (False, False)
        assert answer["subscriptions"] == [f"{type}:AAPL"]
        assert "published" not in client.ask(subscribe("prices", "AAPL"), "subscribed")


def test_metrics_are_for_staff_and_not_published_yet(live_web):
    get_user_model().objects.create_user("staff", password="x", is_staff=True)
    browser = Browser()
    browser.login(username="staff", password="x")
    with open_socket(live_web) as client:
        assert client.ask(subscribe("metrics"), "error")["code"] == "staff_only"
    cookie = {"Cookie": f"sessionid={browser.cookies['sessionid'].value}", "Origin": live_web.url}
    with open_socket(live_web, additional_headers=cookie) as client:
        assert client.ask(subscribe("metrics"), "subscribed")["streams"]["metrics"]["published"] is False


@pytest.mark.parametrize("action", ["subscribe", "unsubscribe"])
def test_symbols_of_a_type_that_has_none_are_not_dropped_without_a_word(live_web, tracked, action):
    with open_socket(live_web) as client:
        error = client.ask({"action": action, "type": "system", "symbols": ["AAPL"], "id": 1}, "error")
        assert (error["code"], error["id"]) == ("invalid", 1)
        assert "leave symbols out" in error["message"]
        assert client.ask(subscribe("system", "*"), "subscribed")["subscriptions"] == ["system"]


def test_all_is_what_is_published(live_web, tracked):
    with open_socket(live_web) as client:
        told = client.ask(subscribe("all", "AAPL"), "subscribed")["subscriptions"]
    published = [kind for kind in KINDS.values() if kind.is_published and not kind.for_staff]
    assert told == sorted(kind.of("AAPL") if kind.by_symbol else kind.name for kind in published)


def test_news_of_no_symbol_comes_with_all_of_it(live_web, tracked):
    with open_socket(live_web) as client:
        assert client.ask(subscribe("news"), "subscribed")["subscriptions"] == [
            "news:*market", "news:AAPL", "news:BTC%2FUSD",
        ]  # fmt: skip


# Intervals and indicators


def test_streams_of_an_interval_and_of_an_indicator_have_the_names_of_the_contract(live_web, tracked):
    with open_socket(live_web) as client:
        client.ask(subscribe("bars", "AAPL", interval="5m"), "subscribed")
        client.ask(subscribe("bars", "AAPL", interval="1d"), "subscribed")
        client.ask(subscribe("indicators", "AAPL", "btc/usd", indicators=["sma_100", "sma_20"]), "subscribed")
        answer = client.ask(subscribe("indicators", "AAPL", interval="5m", indicators=["sma_100"]), "subscribed")
    assert answer["subscriptions"] == [
        "bars:AAPL", "bars:AAPL@5m", "indicators:AAPL", "indicators:AAPL/sma_100", "indicators:AAPL@5m/sma_100",
        "indicators:BTC%2FUSD", "indicators:BTC%2FUSD/sma_100",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "is_published"),
    [
        ({"interval": "5m"}, True),
        ({"interval": "1wk"}, False),
        ({"indicators": ["sma_100"]}, True),
        ({"indicators": ["sma_20"]}, True),
        ({"indicators": ["macd_12_26_9"]}, True),
        ({"indicators": ["all"]}, True),
        ({"interval": "5m", "indicators": ["sma_100"]}, True),
    ],
)
def test_an_interval_or_indicator_says_whether_anybody_tells_of_it(live_web, tracked, more, is_published):
    with open_socket(live_web) as client:
        answer = client.ask(subscribe("indicators", "AAPL", **more), "subscribed")
    assert answer.get("published", True) is is_published


def test_within_a_day_a_recording_has_nothing_to_tell(live_web, tracked):
    def told() -> bool:
        with open_socket(live_web) as client:
            asked = [subscribe(type, "AAPL", interval="5m") for type in ("bars", "indicators")]
            are_told = {client.ask(each, "subscribed").get("published", True) for each in asked}
        return are_told.pop() if len(are_told) == 1 else None

    for source, is_told in (("replay", False), ("yahoo", True)):
        heartbeats.beat("feed", source=source)
        assert eventually(lambda: told() is is_told, seconds=5)  # noqa: B023


@pytest.mark.parametrize(
    "asked",
    [
        subscribe("prices", "AAPL", interval="5m"),
        subscribe("all", "AAPL", interval="5m"),
        subscribe("bars", "AAPL", indicators=["sma_100"]),
        subscribe("bars", "AAPL", interval="7m"),
        subscribe("indicators", "AAPL", indicators=["sma_1"]),
        subscribe("indicators", "AAPL", indicators=["sma_100", "magic_12_26_9"]),
        subscribe("indicators", "AAPL", indicators=["sma_0100"]),
        subscribe("indicators", "AAPL", indicators=["sma_100\n"]),
        subscribe("indicators", "AAPL", indicators=["../x"]),
        subscribe("indicators", "AAPL", indicators=[]),
        {"action": "unsubscribe", "type": "prices", "interval": "5m"},
    ],
)
def test_what_says_nothing_about_the_type_is_refused_and_not_dropped(live_web, tracked, asked):
    with open_socket(live_web) as client:
        assert client.ask({**asked, "id": 5}, "error").items() >= {"code": "invalid", "id": 5}.items()


def test_what_everybody_gets_is_that_of_the_interval(live_web, tracked):
    with open_socket(live_web) as client:
        asked = subscribe("indicators", "AAPL", interval="5m", indicators=["vwap_20", "vwapsession"])
        assert client.ask(asked, "subscribed")["subscriptions"] == ["indicators:AAPL@5m", "indicators:AAPL@5m/vwap_20"]
        left = client.ask({"action": "unsubscribe", "type": "indicators", "indicators": ["vwap_20"]}, "unsubscribed")
        assert left["subscriptions"] == ["indicators:AAPL@5m"]


def test_an_indicator_that_there_is_not_is_refused_with_what_may_have_been_meant(live_web, tracked):
    with open_socket(live_web) as client:
        refused = client.ask(subscribe("indicators", "AAPL", indicators=["smaa_100"]), "error")
        assert "There is no indicator 'smaa_100' (did you mean sma" in refused["message"]
        assert "/api/v2/technical-analysis/catalogue" in refused["message"]
        told = client.ask(subscribe("indicators", "AAPL", indicators=["all"]), "subscribed")
    assert told["subscriptions"] == ["indicators:AAPL"]


def test_a_client_may_hold_fifty_indicators_of_its_own(live_web, tracked):
    many = [f"sma_{period}" for period in range(100, 100 + naming.MAX_EXTRA)]
    with open_socket(live_web) as client:
        client.ask(subscribe("indicators", "AAPL", indicators=many), "subscribed")
        asked = subscribe("indicators", "AAPL", indicators=["sma_99", "sma_20"], id=4)
        assert client.ask(asked, "error").items() >= {"code": "too_many_indicators", "id": 4}.items()
        held = client.ask(subscribe("system"), "subscribed")["subscriptions"]
    assert len(held) == naming.MAX_EXTRA + 1  # a refused request changed nothing


def test_each_word_of_an_unsubscription_makes_it_less(live_web, tracked):
    with open_socket(live_web) as client:
        client.ask(subscribe("indicators", "AAPL", "BTC/USD", indicators=["sma_20", "sma_100", "rsi_9"]), "subscribed")
        client.ask(subscribe("indicators", "AAPL", interval="5m"), "subscribed")
        ended = lambda **words: client.ask(  # noqa: E731
            {"action": "unsubscribe", "type": "indicators", **words}, "unsubscribed"
        )["streams"]
        assert ended(symbols=["BTC/USD"], indicators=["rsi_9"]) == ["indicators:BTC%2FUSD/rsi_9"]
        assert ended(symbols=["AAPL"], interval="5m") == ["indicators:AAPL@5m"]
        assert ended(indicators=["sma_100"]) == ["indicators:AAPL/sma_100", "indicators:BTC%2FUSD/sma_100"]
        assert ended() == ["indicators:AAPL", "indicators:AAPL/rsi_9", "indicators:BTC%2FUSD"]


# The past


def history(client, **more) -> list[float]:
    answer = client.ask({"action": "get_history", "symbol": "AAPL", **more}, "history")
    assert answer["symbol"] == "AAPL"
    return [told["current_price"] for told in answer["prices"]]


def test_the_last_prices_that_were_told_come_newest_last(live_web, tracked, quote):
    for price in range(1, 61):
        publish_price(quote, "AAPL", price)
    with open_socket(live_web) as client:
        assert history(client) == list(range(11, 61))
        assert history(client, limit=2, id="h") == [59, 60]
        answer = client.ask({"action": "get_history", "symbol": "aapl", "limit": 1, "id": 9}, "history")
    assert (answer["id"], answer["prices"][0]["type"], answer["prices"][0]["seq"]) == (9, "price_update", 60)


def test_before_what_is_kept_come_the_snapshots_and_no_price_twice(live_web, tracked, quote):
    at = datetime(2012, 9, 4, 14, tzinfo=UTC)
    made = [
        quote(
            "AAPL",
            float(n),
            as_of=at + timedelta(microseconds=400 * n),
            received_at=at + timedelta(microseconds=400 * n),
        )
        for n in range(1, 11)
    ]
    quotes.store(made)
    streams.publish([messages.price(each) for each in made[5:]])
    with open_socket(live_web) as client:
        assert history(client, limit=8) == list(range(3, 11))
        assert history(client, limit=1000) == list(range(1, 11))


def test_without_a_kept_history_the_snapshots_tell(live_web, tracked, quote):
    quotes.store([quote("AAPL", 5.0, previous_close=4.0)])
    with open_socket(live_web) as client:
        answer = client.ask({"action": "get_history", "symbol": "AAPL"}, "history")
    [told] = answer["prices"]
    assert (told["current_price"], told["change_percent"], told["source"]) == (5.0, 25.0, "replay")
    assert not {"seq", "open", "market_state"} & told.keys()


def test_nothing_was_told_yet_is_an_empty_list(live_web, tracked):
    with open_socket(live_web) as client:
        assert history(client) == []


@pytest.mark.parametrize("limit", [0, 1001, "5", 2.5])
def test_a_limit_that_can_not_be_is_refused(live_web, tracked, limit):
    with open_socket(live_web) as client:
        assert client.ask({"action": "get_history", "symbol": "AAPL", "limit": limit}, "error")["code"] == "invalid"


def test_a_history_of_all_symbols_is_refused_and_the_socket_stays(live_web, tracked):
    with open_socket(live_web) as client:
        error = client.ask({"action": "get_history", "symbol": "*", "id": 3}, "error")
        assert (error["code"], error["id"]) == ("invalid", 3)
        assert client.ask({"action": "get_history", "symbol": "AAPL"}, "history")["prices"] == []


def test_a_history_of_an_unknown_symbol_is_an_error_that_names_it(live_web, tracked):
    with open_socket(live_web) as client:
        error = client.ask({"action": "get_history", "symbol": "NOPE", "id": 2}, "error")
    assert (error["code"], error["symbols"], error["id"]) == ("unknown_symbol", ["NOPE"], 2)


def test_a_thousand_prices_come_in_one_answer_and_ten_of_those_cost_no_socket(live_web, tracked, quote):
    streams.publish([messages.price(quote("AAPL", 100 + price)) for price in range(1000)])
    with open_socket(live_web, max_size=None) as client:
        for _ in range(10):
            client.send({"action": "get_history", "symbol": "AAPL", "limit": 1000})
        for _ in range(10):
            assert len(client.until("history")["prices"]) == 1000


def test_every_one_of_too_many_requests_is_refused_by_its_id(live_web):
    with open_socket(live_web) as client:
        for number in range(36):
            client.send({"action": "ping" if number % 10 else "fly", "id": number})
        told = [client.hear()]
        while told[-1].get("id") != 35:
            told.append(client.hear())
    assert [each["id"] for each in told if each["type"] != "service_status"] == list(range(36))
    assert sum(each.get("code") == "rate_limited" for each in told) > 10
