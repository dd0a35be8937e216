"""Indicators beyond those that everybody gets: live from the first who asks to a while after the last."""

import asyncio
import json
import urllib.request

import pytest
from django.conf import settings

from analysis.indicators import catalogue
from market import bars
from monitoring import metrics
from monitoring import redis as connection
from monitoring.loops import Loop
from realtime import held, messages, streams, wanted
from realtime.feed import extras, opened
from realtime.hub import Hub
from realtime.places import LATEST
from realtime.streams import Position
from tests.realtime.event_reader import Reader
from tests.realtime.test_consumer import open_socket
from tests.realtime.test_feed import play as play_sessions
from tests.realtime.test_feed import replay, source_row, stop  # noqa: F401
from tests.realtime.test_hub import connect, play, until

pytestmark = [pytest.mark.django_db, pytest.mark.db]
STREAM = "indicators:AAPL/sma_3"


def want(*names: str, ago: int = 0) -> None:
    now = connection.client().time()[0]
    connection.client().zadd(connection.key("wanted"), dict.fromkeys(names, now - ago))


def latest(stream: str = STREAM) -> dict | None:
    text = connection.client().hget(connection.key("stream", "state", stream), "latest")
    return text and json.loads(text)


def mean(sessions: int = 3) -> float:
    return sum(bar.close for bar in bars.history("AAPL")[-sessions:]) / sessions


@pytest.fixture
def often(monkeypatch) -> None:
    monkeypatch.setattr(opened, "LOOK_SECONDS", 0.0)


@pytest.mark.usefixtures("often")
def test_an_indicator_that_somebody_wants_moves_with_the_sessions_beside_those_of_everybody(replay):  # noqa: F811
    feed, batches = replay("2012-09-04")
    want(STREAM)
    play_sessions(feed, batches, "2012-09-10")
    told = latest()
    assert (told["stream"], told["symbol"], told["interval"], told["is_final"]) == (STREAM, "AAPL", "1d", True)
    assert told["values"] == {"sma_3": {"sma": pytest.approx(mean())}}
    assert latest("indicators:AAPL")["values"].keys() == catalogue.DEFAULTS.keys()
    kept = [json.loads(text) for text in streams.kept(STREAM, 100)]
    assert [each["session_date"] for each in kept][-2:] == ["2012-09-07", "2012-09-10"]
    assert all(each["is_final"] for each in kept)  # what forms is told, and not kept


@pytest.mark.usefixtures("often")
def test_it_says_at_once_what_it_is_as_of_the_last_price(replay):  # noqa: F811
    feed, batches = replay("2012-09-04")
    play_sessions(feed, batches, "2012-09-06")
    want(STREAM)
    assert latest() is None
    feed._rows.catch_up(Loop("a test"))
    assert latest()["values"] == {"sma_3": {"sma": pytest.approx(mean())}}
    assert streams.kept(STREAM, 10) == []  # nobody missed it


@pytest.mark.usefixtures("often")
def test_what_nobody_wants_any_more_is_told_no_more(replay):  # noqa: F811
    feed, batches = replay("2012-09-04")
    want(STREAM, "indicators:AAPL/rsi_5")
    play_sessions(feed, batches, "2012-09-05")
    want(STREAM, ago=int(wanted.CLOSE_SECONDS) + 1)
    play_sessions(feed, batches, "2012-09-07")
    assert latest() is None
    assert latest("indicators:AAPL/rsi_5")["session_date"] == "2012-09-07"
    assert STREAM not in wanted.names()


@pytest.mark.usefixtures("often")
def test_what_breaks_of_what_one_wants_costs_nothing_that_everybody_gets(replay, monkeypatch):  # noqa: F811
    feed, batches = replay("2012-09-04")
    want(STREAM)
    play_sessions(feed, batches, "2012-09-05")
    monkeypatch.setattr(feed._rows._bars.extras.summary, "tick", lambda quotes: 1 / 0)
    play_sessions(feed, batches, "2012-09-07")
    assert latest("indicators:AAPL")["session_date"] == latest("bars:AAPL")["session_date"] == "2012-09-07"
    assert feed._loop.skipped == 0


@pytest.mark.usefixtures("often")
def test_one_symbol_that_breaks_costs_the_others_nothing(replay, monkeypatch):  # noqa: F811
    feed, batches = replay("2012-09-04")
    want("indicators:AAPL/sma_3", "indicators:IBM/sma_3")
    play_sessions(feed, batches, "2012-09-05")
    live, seen = feed._rows._bars.extras, {}
    tick = live.summary.tick

    def but_ibm(quotes: list) -> list:
        seen.update({quote.ticker: quote for quote in quotes})
        return 1 / 0 if any(quote.ticker == "IBM" for quote in quotes) else tick(quotes)

    monkeypatch.setattr(live.summary, "tick", but_ibm)
    play_sessions(feed, batches, "2012-09-07")
    told = live.moved([seen["IBM"], seen["AAPL"]])
    assert [message.stream for message in told] == [STREAM]


@pytest.mark.usefixtures("often")
def test_many_symbols_are_opened_a_few_at_a_time(replay, monkeypatch):  # noqa: F811
    monkeypatch.setattr(extras, "OPENED_A_LOOK", 1)
    feed, batches = replay("2012-09-04")
    play_sessions(feed, batches, "2012-09-04")
    want(*(f"indicators:{ticker}/sma_3" for ticker in ("AAPL", "MSFT", "IBM")))
    for count in (1, 2, 3, 3):
        feed._rows.catch_up(Loop("a test"))
        assert len(feed._rows._bars.extras._wanted) == count


def test_a_name_that_nothing_makes_is_not_wanted():
    want("indicators:AAPL/macd_12", "indicators:AAPL/sma_0", "indicators:AAPL@5m/sma_3", "bars:AAPL", "x:A/b", STREAM)
    assert extras._by_ticker(wanted.names()).keys() == {"AAPL"}
    assert extras._by_ticker(wanted.names())["AAPL"].keys() == {"sma_3"}


@pytest.mark.usefixtures("often")
def test_who_comes_back_to_one_that_was_closed_is_told_of_the_gap(replay):  # noqa: F811
    feed, batches = replay("2012-09-04")
    want(STREAM)
    play_sessions(feed, batches, "2012-09-05")
    epoch, [*_, (seq, _)] = streams.history(STREAM)
    want(STREAM, ago=int(wanted.CLOSE_SECONDS) + 1)
    play_sessions(feed, batches, "2012-09-07")

    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await hub.subscribe(client, {STREAM: LATEST}, {STREAM: Position(epoch, seq)})
        await until(lambda: socket.said("gap"))
        assert (socket.said("gap")["stream"], socket.said("gap")["reason"]) == (STREAM, "epoch_changed")

    play(scenario)


# The web process


def test_a_held_one_is_said_to_be_wanted_for_as_long_as_it_is_held(monkeypatch):
    monkeypatch.setattr(held, "SAY_SECONDS", 0.2)
    monkeypatch.setattr(wanted, "CLOSE_SECONDS", 1.0)

    async def are(names: list[str]) -> None:
        async with asyncio.timeout(10):
            while await asyncio.to_thread(wanted.names) != names:
                await asyncio.sleep(0.05)

    async def scenario(hub: Hub) -> None:
        client, _ = connect(hub)
        names = [STREAM, "indicators:AAPL/macd_1", "bars:AAPL"]
        await hub.want(names)
        await hub.subscribe(client, dict.fromkeys(names, LATEST), {})
        await are([STREAM])
        await asyncio.sleep(2.5)
        await are([STREAM])
        hub.unsubscribe(client, [STREAM], messages.ASKED)
        await are([])

    play(scenario)


@pytest.mark.django_db(transaction=True)
def test_where_all_together_hold_too_many_the_next_is_refused_whole_and_told_when_to_come_again(live_web, apple):
    want(*(f"indicators:T{number}/sma_3" for number in range(settings.LIVE_INDICATORS - 1)))
    ask = {"action": "subscribe", "type": "indicators", "symbols": ["AAPL"]}
    with open_socket(live_web) as client:
        refused = client.ask({**ask, "indicators": ["sma_3", "sma_4"], "id": 8}, "error")
        assert (refused["code"], refused["id"], refused["retry_after"]) == ("no_room", 8, wanted.CLOSE_SECONDS)
        assert client.ask({**ask, "indicators": ["sma_3"]}, "subscribed")["subscriptions"] == [STREAM]
        assert client.ask({**ask, "indicators": ["sma_7"]}, "error")["code"] == "no_room"
    with open_socket(live_web) as other:  # what is made already has room
        assert other.ask({**ask, "indicators": ["sma_3"]}, "subscribed")["subscriptions"] == [STREAM]
    with Reader(live_web, "symbols=AAPL&types=indicators&indicators=sma_6") as reader:
        assert (reader.status, reader.answer.headers["Retry-After"]) == (503, "60")
    with urllib.request.urlopen(f"{live_web.url}/metrics") as answer:
        assert "finstage_indicators_refused_total 3.0" in answer.read().decode()


def test_of_too_many_that_are_held_the_rest_is_counted(settings):
    settings.LIVE_INDICATORS = 2
    want(*(f"indicators:T{number}/sma_3" for number in range(5)))
    assert (len(wanted.names()), metrics.INDICATORS_LEFT_OUT.collect()[0].samples[0].value) == (2, 3)


def test_who_comes_later_gets_what_was_told_last(replay, often):  # noqa: F811
    feed, batches = replay("2012-09-04")
    want(STREAM)
    play_sessions(feed, batches, "2012-09-05")

    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await hub.subscribe(client, {STREAM: LATEST}, {})
        await until(lambda: socket.said("subscribed"))
        assert socket.said("subscribed")["snapshot"][0]["stream"] == STREAM

    play(scenario)


def test_what_nobody_reads_of_them_is_forgotten():
    streams.publish([messages.Message(name, b'{"n":1}', keep=False, conflate=True) for name in (STREAM, "bars:AAPL")])
    ttl = lambda name: connection.client().ttl(connection.key("stream", "state", name))  # noqa: E731
    assert (0 < ttl(STREAM) <= 300, ttl("bars:AAPL")) == (True, -1)
    streams.renew([STREAM])
    assert 0 < ttl(STREAM) <= 300

    async def scenario(hub: Hub) -> None:
        connection.client().persist(connection.key("stream", "state", STREAM))
        client, _ = connect(hub)
        await hub.subscribe(client, {STREAM: LATEST}, {})
        assert 0 < ttl(STREAM) <= 300

    play(scenario)
