"""What is told only while somebody holds it: whole from the first who comes, and never resumed over a hole in silence.

The web processes and their sockets are real, the feed is one of threads; its clock is that of a session long ago.
"""

import asyncio
import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client as Browser

from market import bars
from market.bars import forming
from market.calendars import sessions
from monitoring import heartbeats, redis
from realtime import alerts, held, wanted
from realtime.feed import Feed, awaited, opened, rows, waiting
from realtime.feed.opened import Opened
from realtime.hub import Hub, wanting
from realtime.kinds import BARS
from realtime.places import LATEST
from tests.conftest import LiveWeb, serving
from tests.market.test_forming import quote
from tests.realtime.event_reader import Reader
from tests.realtime.test_consumer import Conversation, open_socket
from tests.realtime.test_feed_lanes import Live, live, live_source, playing, stop, until  # noqa: F401
from tests.realtime.test_hub import connect, play
from tests.realtime.test_hub import until as until_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
DAY = sessions.before("XNAS", datetime.now(UTC).date() - timedelta(days=3))
OPENS = sessions.hours("XNAS", DAY)[0]
STREAM = "bars:AAPL@5m"
ASKED = {"action": "subscribe", "type": "bars", "symbols": ["AAPL"], "interval": "5m"}
LONG_SECONDS = 600.0


class Session:
    """A session whose prices the feed is told, one at a time; each has its rows when `tick` returns."""

    def __init__(self, source: Live, monkeypatch: pytest.MonkeyPatch) -> None:
        self._source, self.now = source, OPENS - timedelta(hours=1)
        session = self

        class Clock(datetime):
            @classmethod
            def now(cls, zone: object = None) -> datetime:
                return session.now

        monkeypatch.setattr(rows, "datetime", Clock)
        monkeypatch.setattr(waiting, "TOGETHER_SECONDS", 0.05)
        monkeypatch.setattr(rows, "EVERY_SECONDS", 0.05)

    def open(self) -> None:
        self._tell(9.0, market_state="pre")
        self.now = OPENS
        self.tick(5, 10.0)

    def tick(self, seconds: float, price: float) -> None:
        """So long after the last one."""
        self.now += timedelta(seconds=seconds)
        self._tell(price, previous_close=9.0, open=10.0)

    def close_bar(self) -> datetime:
        """Prices until the bar of five minutes is over and the next one forms; when the one that is over opened."""
        while (before := self._forming()) is None:
            self._go_on()
        while self._forming() in (None, before):
            self._go_on()
        return before

    def _go_on(self) -> None:
        self.tick(75, 10 + (self.now - OPENS).total_seconds() / 1000)

    def _forming(self) -> datetime | None:
        bar = forming.latest(["AAPL"], interval="5m")["AAPL"]
        return bar and bar.opened_at

    def _tell(self, price: float, **facts: object) -> None:
        self._source.tell(quote(self.now, price, session_date=DAY, **facts))
        until(lambda: (seen := alerts.seen().get("AAPL")) and seen.as_of == self.now, "its rows")


@pytest.fixture
def session(live, monkeypatch) -> Session:  # noqa: F811
    return Session(live, monkeypatch)


@pytest.fixture
def feed(live, stop, session) -> Iterator[Feed]:  # noqa: F811
    with playing(live, stop) as feed:
        session.open()
        yield feed


def state(stream: str = STREAM) -> dict[bytes, bytes]:
    return redis.client().hgetall(redis.key("stream", "state", stream))


def is_told(stream: str = STREAM) -> bool:
    return bool(redis.client().sismember(redis.key("wanted", "told"), stream))


def let_go(stream: str = STREAM) -> None:
    """Nobody has held it for a minute: the feed hears so, and it ends."""
    name = redis.key("wanted" if "/" in stream else "wanted:bars")
    until(lambda: redis.client().zadd(name, {stream: 1}, xx=True) is not None and not is_told(stream), "its end")


@contextmanager
def holding(web: LiveWeb, **more: object) -> Iterator[tuple[Conversation, dict]]:
    """A client that has subscribed, with its answer."""
    with open_socket(web) as client:
        yield client, client.ask({**ASKED, **more}, "subscribed")


def place(answer: dict) -> dict:
    return {name: answer["streams"][STREAM][name] for name in ("epoch", "seq")}


def heard_bar(client: Conversation, opened_at: datetime, state: str = "closed") -> dict:
    while (bar := client.until("bar"))["opened_at"] != f"{opened_at:%Y-%m-%dT%H:%M:%SZ}" or bar["state"] != state:
        pass
    return bar


def test_what_nobody_holds_is_formed_and_stored_and_not_told(feed, session):
    first = session.close_bar()
    assert [bar.opened_at for bar in bars.history("AAPL", interval="5m")] == [first, first + timedelta(minutes=5)]
    assert [state(f"bars:AAPL@{name}") for name in ("5m", "15m", "30m", "1h")] == [{}] * 4
    assert b"latest" in state("bars:AAPL")


def test_who_comes_first_has_the_bar_that_forms_in_the_answer_and_then_each_that_closes(feed, session, live_web):
    session.tick(20, 12.0)
    with holding(live_web) as (client, answer):
        [newest] = answer["snapshot"]
        [told] = Browser().get("/api/v2/symbols/AAPL/bars/", {"interval": "5m", "limit": 1}).json()["results"]
        assert {name: newest[name] for name in ("opened_at", "open", "high", "low", "close", "state", "version")} == {
            name: told[name] for name in ("opened_at", "open", "high", "low", "close", "state", "version")
        }
        assert (newest["state"], newest["high"], newest["seq"]) == ("forming", 12.0, answer["streams"][STREAM]["seq"])
        assert heard_bar(client, session.close_bar())["high"] == 12.0


def test_who_comes_first_after_the_session_has_the_bar_that_readers_see_as_the_last(feed, session, live_web):
    first = session.close_bar()
    feed._rows._within._forming.forget(["AAPL"])
    forming.drop("AAPL")
    with holding(live_web) as (_, answer):
        assert [(each["opened_at"], each["state"]) for each in answer["snapshot"]] == [
            (f"{first:%Y-%m-%dT%H:%M:%SZ}", "closed")
        ]


def test_a_bell_rings_for_who_comes_first(live, stop, session, live_web, monkeypatch):  # noqa: F811
    monkeypatch.setattr(opened, "LOOK_SECONDS", LONG_SECONDS)
    with playing(live, stop) as feed:
        session.open()
        with holding(live_web, interval="1d"):  # of a symbol that is held already
            until(lambda: "AAPL" in held.tickers(), "that it is")
            time.sleep(2 * awaited.LOOK_SECONDS)
            until(lambda: not feed._rows._opened.is_due(), "the last look")
            with holding(live_web) as (_, answer):
                assert [each["state"] for each in answer["snapshot"]] == ["forming"]


def test_who_comes_back_within_a_minute_has_all_that_came_meanwhile(feed, session, live_web):
    with holding(live_web) as (_, answer):
        had = place(answer)
    time.sleep(3 * opened.LOOK_SECONDS)  # who looked has seen that nobody holds it
    missed = [session.close_bar() for _ in range(2)]
    with holding(live_web, since={STREAM: had}) as (client, answer):
        assert (answer["streams"][STREAM]["epoch"], answer["streams"][STREAM]["recovered"]) == (had["epoch"], True)
        for opened_at in missed:
            heard_bar(client, opened_at)


def test_who_comes_back_after_it_was_closed_is_told_of_the_gap(feed, session, live_web):
    with holding(live_web) as (_, answer):
        had = place(answer)
    let_go()
    session.close_bar()
    with holding(live_web, since={STREAM: had}) as (client, answer):
        assert not answer["streams"][STREAM]["recovered"]
        gap = client.until("gap")
        assert (gap["stream"], gap["reason"], gap["from"]) == (STREAM, "epoch_changed", 0)
        assert gap["epoch"] == answer["streams"][STREAM]["epoch"] != had["epoch"]
        heard_bar(client, session.close_bar())


def test_an_event_reader_that_comes_back_hears_the_same(feed, session, live_web):
    query = "symbols=AAPL&types=bars&interval=5m"
    with Reader(live_web, query) as reader:
        assert reader.until("subscribed")["snapshot"][0]["state"] == "forming"
        closed = session.close_bar()
        while (bar := reader.until("bar"))["state"] != "closed":
            pass
        assert bar["opened_at"] == f"{closed:%Y-%m-%dT%H:%M:%SZ}"
        mark = reader.last
    closed = session.close_bar()
    with Reader(live_web, query, mark) as reader:
        assert reader.until("subscribed")["streams"][STREAM]["recovered"]
        assert reader.until("bar")["opened_at"] == f"{closed:%Y-%m-%dT%H:%M:%SZ}"
        mark = reader.last
    let_go()
    session.close_bar()
    with Reader(live_web, query, mark) as reader:
        assert reader.until("gap")["stream"] == STREAM


def test_what_one_process_lets_go_goes_on_for_another(feed, session, live_web, tmp_path):
    with (
        serving(tmp_path / "log", "manage.py", "web") as other,
        holding(other) as (client, answer),
    ):
        with holding(live_web):
            pass
        epoch = answer["streams"][STREAM]["epoch"]
        for _ in range(2):
            heard_bar(client, session.close_bar())
        assert state()[b"epoch"].decode() == epoch


def test_a_feed_that_takes_over_goes_on_with_what_is_held_and_ends_what_is_not(
    live,  # noqa: F811
    session,
    live_web,
):
    with playing(live, threading.Event()):
        session.open()
        with holding(live_web, interval="15m") as (_, answer):
            had = {name: answer["streams"]["bars:AAPL@15m"][name] for name in ("epoch", "seq")}
        keeper = open_socket(live_web)
        client = keeper.__enter__()
        epoch = client.ask(ASKED, "subscribed")["streams"][STREAM]["epoch"]
    redis.client().zrem(redis.key("wanted:bars"), "bars:AAPL@15m")
    with playing(live, threading.Event()):
        session.tick(60, 11.0)
        session.tick(60, 11.0)
        assert state()[b"epoch"].decode() == epoch
        assert state("bars:AAPL@15m")[b"epoch"].decode() != had["epoch"]
        with holding(live_web, interval="15m", since={"bars:AAPL@15m": had}) as (other, _):
            assert other.until("gap")["stream"] == "bars:AAPL@15m"
        session.close_bar()
        heard_bar(client, session.close_bar())
    keeper.__exit__(None, None, None)


def test_a_redis_that_forgets_who_holds_costs_no_bar(feed, session, live_web):
    with holding(live_web) as (client, answer):
        redis.client().delete(redis.key("wanted:bars"), redis.key("held"), redis.key("wanted", "told"))
        feed._rows._opened.hurry()
        heard_bar(client, session.close_bar())
        assert state()[b"epoch"].decode() == answer["streams"][STREAM]["epoch"]


def test_nobody_resumes_over_a_hole_in_silence_whenever_they_leave_and_come(feed, session, live_web):
    chance, had, closed, missed = random.Random(5), None, [], []
    for _ in range(12):
        since = {"since": {STREAM: had}} if had else {}
        with holding(live_web, **since) as (client, answer):
            has_gap = bool(had) and not answer["streams"][STREAM]["recovered"]
            assert not has_gap or client.until("gap")["epoch"] == answer["streams"][STREAM]["epoch"] != had["epoch"]
            for opened_at in [] if has_gap else missed:
                heard_bar(client, opened_at)
            missed, last = [], answer["streams"][STREAM]
            if chance.random() < 0.5:
                last = heard_bar(client, session.close_bar()) | {"epoch": last["epoch"]}
            had = {"epoch": last["epoch"], "seq": last["seq"]}
            closed.append(has_gap)
        if chance.random() < 0.5:
            let_go()
        missed = [session.close_bar() for _ in range(chance.randrange(3))]
    assert {True, False} == set(closed)


# What can't be timed over a socket


def test_a_symbol_that_is_renamed_is_told_by_its_new_ticker_at_once():
    now = redis.client().time()[0]
    redis.client().zadd(redis.key("wanted:bars"), {STREAM: now, "bars:IBM@5m": now})
    redis.client().zadd(redis.key("wanted"), {"indicators:AAPL/sma_3": now, "x:AAPL/y": now})
    feeds = Opened()
    feeds.look()
    for _ in range(2):
        feeds.rename("AAPL", "APPL")
        assert feeds.names == {"bars:APPL@5m", "bars:IBM@5m", "indicators:APPL/sma_3"}


def test_what_closed_while_the_first_came_is_told_before_what_forms(feed, session, monkeypatch):
    monkeypatch.setattr(opened, "LOOK_SECONDS", LONG_SECONDS)
    monkeypatch.setattr(awaited, "LOOK_SECONDS", LONG_SECONDS)
    feed._rows._opened.hurry()
    until(lambda: not feed._rows._opened.is_due(), "a last look")
    first = session.close_bar()
    now = redis.client().time()[0]
    redis.client().zadd(redis.key("wanted:bars"), {STREAM: now})
    feed._rows._opened.hurry()
    feed.waiting.wake()
    until(is_told, "it")
    [kept] = redis.client().xrange(redis.key("stream", "history", STREAM))
    told = [json.loads(kept[1][b"b"]), json.loads(state()[b"latest"])]
    assert [(bar["opened_at"], bar["state"]) for bar in told] == [
        (f"{first:%Y-%m-%dT%H:%M:%SZ}", "closed"),
        (f"{first + timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}", "forming"),
    ]


def test_who_is_still_there_when_it_ends_hears_of_a_gap_and_who_says_so_in_time_keeps_it():
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        await hub.subscribe(client, {STREAM: LATEST}, {})
        await until_in(lambda: not hub.holding._new)
        before = socket.said("subscribed")["streams"][STREAM]["epoch"]
        await until_in(lambda: redis.client().zscore(redis.key("wanted:bars"), STREAM))
        assert wanted.close({STREAM}) == set()
        redis.client().delete(redis.key("wanted:bars"))
        assert wanted.close({STREAM}) == {STREAM}
        await until_in(lambda: [each for each in socket.heard if each["type"] == "gap"])
        assert socket.said("gap")["stream"] == STREAM
        assert socket.said("epoch")["epoch"] != before

    play(scenario)


def test_a_redis_that_is_back_hears_what_is_held_before_it_is_asked_where_that_is(monkeypatch):
    monkeypatch.setattr(held, "SAY_SECONDS", LONG_SECONDS)
    score = lambda: redis.client().zscore(redis.key("wanted:bars"), STREAM)  # noqa: E731

    async def scenario(hub: Hub) -> None:
        client, _ = connect(hub)
        await hub.subscribe(client, {STREAM: LATEST}, {})
        await until_in(score)
        redis.client().delete(redis.key("wanted:bars"))
        redis.client().client_kill_filter(_type="pubsub")
        await until_in(score)

    play(scenario)


def test_who_comes_first_waits_until_a_live_feed_has_told_the_newest_and_not_for_one_that_is_away(monkeypatch):
    monkeypatch.setattr(wanting, "PATIENCE_SECONDS", LONG_SECONDS)

    async def scenario(hub: Hub) -> None:
        heartbeats.beat("feed", source="yahoo", trouble=None)
        connect(hub)
        await until_in(lambda: hub.status.now)
        coming = asyncio.create_task(hub.want([STREAM]))
        await until_in(lambda: redis.client().zscore(redis.key("wanted:bars"), STREAM))
        await asyncio.sleep(0.2)
        assert not coming.done()
        wanted.tell({STREAM})
        async with asyncio.timeout(LONG_SECONDS / 10):
            await coming
            redis.client().delete(heartbeats.key())
            await hub.want(["bars:IBM@5m"])

    play(scenario)


def test_bars_within_sessions_have_no_limit_of_their_own_and_take_no_indicator_its_room(settings):
    settings.LIVE_INDICATORS = 2

    async def scenario(hub: Hub) -> None:
        connect(hub)
        await hub.want([BARS.of(f"T{number}", "5m") for number in range(5)])
        await hub.want(["indicators:AAPL/sma_3", "indicators:AAPL/sma_4"])

    play(scenario)
    assert len(wanted.names()) == 7
