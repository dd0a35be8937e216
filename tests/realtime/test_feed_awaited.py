"""Whose rows somebody waits for are there at once; all others together, a few seconds later, and nothing rings late."""

import asyncio
import time
from datetime import date

import pytest

from market.prices import Quote
from market.sources import Tick
from monitoring import redis
from monitoring.loops import Loop
from realtime import alerts, held, messages
from realtime.feed import rows, waiting
from realtime.feed.awaited import Awaited
from realtime.feed.waiting import Taken, Waiting
from realtime.hub import Hub
from realtime.models import AlertRule
from realtime.places import LATEST
from tests.realtime.test_feed import new_feed, published
from tests.realtime.test_feed_lanes import (  # noqa: F401
    Live,
    has_bar_of,
    has_price,
    live,
    live_source,
    playing,
    prices_of,
    service,
    stop,
    until,
)  # fmt: skip
from tests.realtime.test_hub import connect, play
from tests.realtime.test_hub import until as until_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
LONG_SECONDS = 600
DAY = {"open": 99, "previous_close": 98}


@pytest.fixture
def patient(monkeypatch) -> None:
    """What nobody waits for would wait for longer than the test takes."""
    monkeypatch.setattr(rows, "EVERY_SECONDS", LONG_SECONDS)
    monkeypatch.setattr(waiting, "TOGETHER_SECONDS", LONG_SECONDS)


def test_what_begins_or_ends_a_session_is_held_rings_or_is_counted_anew_is_awaited(quote):
    of = Awaited()
    of.rules = {"AAPL": [AlertRule(kind="price_above", level=110)], None: [AlertRule(kind="plunge", level=-5)]}
    counted = {"previous_close": 100}
    before, next_day = quote("AAPL", 105, **counted), {"session_date": date(2012, 9, 5)}

    def is_awaited(now: Quote, last: Quote | None = before, *, is_counted: bool = True) -> bool:
        return of(last, Taken(1, now, is_counted, 0.0))

    usual = quote("AAPL", 109, **counted)
    assert not is_awaited(usual)
    assert is_awaited(usual, None)
    assert is_awaited(usual, is_counted=False)
    assert is_awaited(quote("AAPL", 111, **counted))
    assert is_awaited(quote("AAPL", 94, **counted))
    assert is_awaited(quote("AAPL", 109, previous_close=99))
    assert is_awaited(quote("AAPL", 109, **counted, **next_day))
    assert is_awaited(quote("AAPL", 109, **counted, is_final=True))
    assert is_awaited(usual, quote("AAPL", 108, **counted, is_final=True))
    assert not is_awaited(quote("MSFT", 111, **counted), quote("MSFT", 105, **counted))  # a rule of another
    of.held = frozenset(["AAPL"])
    assert is_awaited(usual)


def test_what_nobody_waits_for_is_taken_together_and_in_order(quote):
    lane = Waiting(lambda before, taken: taken.quote.price >= 100)
    for number, (ticker, price) in enumerate((("A", 100), ("B", 100), ("A", 1), ("B", 2), ("B", 100))):
        lane.put([Taken(number, quote(ticker, price), True, 0.0)])
        if number == 1:
            assert [each.number for each in lane.take_awaited(0)] == [0, 1]
            lane.done()
        elif number == 3:
            assert lane.take_awaited(0) == []
            assert lane.first_number() == 2
    assert [each.number for each in lane.take_awaited(0)] == [3, 4]  # what waited of it comes first
    assert [each.number for each in lane.take()] == [2]


def test_a_symbol_that_somebody_holds_from_now_on_waits_no_longer(quote):
    lane = Waiting(lambda before, taken: False)
    for number, ticker in enumerate("AB" * 2):
        lane.put([Taken(number, quote(ticker, number + 1), True, 0.0)])
        lane.take_awaited(0)  # the first of each symbol comes with all that waits
    lane.hasten(["B", "C"])
    assert [each.number for each in lane.take_awaited(0)] == [3]
    assert [each.number for each in lane.take()] == [2]


def test_much_that_nobody_waits_for_waits_no_longer(quote, monkeypatch):
    monkeypatch.setattr(waiting, "MOST_TOGETHER", 3)
    lane = Waiting(lambda before, taken: False)
    taken = []
    for number in range(10):
        lane.put([Taken(number, quote("A", 10 + number % 2), True, 0.0)])
        taken.append(len(lane.take_awaited(0)))
    assert [bool(each) for each in taken] == [True, *[False] * 3, True, *[False] * 3, True, False]


def test_what_may_wait_is_late_only_after_longer(quote, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(waiting.time, "monotonic", lambda: now[0])
    lane = Waiting(lambda before, taken: False)
    for number in range(2):
        lane.put([Taken(number, quote("A", 1 + number), True, now[0])])
        lane.take_awaited(0)
    now[0] += waiting.LATE_SECONDS
    told = [lane.late()]
    now[0] += waiting.TOGETHER_SECONDS
    told.append(lane.late())
    lane.take()
    told.append(lane.late())
    lane.done()
    told.append(lane.late())
    assert [bool(each) for each in told] == [False, True, True, False]


def begin(live: Live, quote) -> None:  # noqa: F811
    """The first price of a session, of which somebody always waits for the rows."""
    live.tell(quote("AAPL", 100, **DAY))
    until(lambda: "AAPL" in alerts.seen(), "the first bar, and the rules that its price was checked against")


@pytest.mark.usefixtures("patient")
def test_who_begins_to_hold_bars_and_indicators_has_the_newest_at_once(live, stop, quote):  # noqa: F811
    async def scenario(hub: Hub) -> None:
        client, socket = connect(hub)
        began = time.monotonic()
        await hub.subscribe(client, {"bars:AAPL": LATEST, "indicators:AAPL": LATEST}, {})

        def newest(kind: str) -> dict:
            told = socket.said("subscribed")["snapshot"] + socket.heard
            return [each for each in told if each["type"] == kind][-1]

        await until_in(lambda: newest("bar")["close"] == 101)
        assert time.monotonic() - began < LONG_SECONDS / 10
        live.tell(quote("AAPL", 102, **DAY))
        await until_in(lambda: newest("bar")["close"] == 102)  # and from then on each
        as_of = newest("bar")["received_at"]
        await until_in(lambda: newest("indicators")["received_at"] == as_of)

    with playing(live, stop):
        begin(live, quote)
        live.tell(quote("AAPL", 101, **DAY))
        until(has_price(101), "the price")
        assert has_bar_of(100)()
        play(scenario)


@pytest.mark.usefixtures("patient")
def test_what_rings_and_the_close_come_at_once_also_where_nobody_holds_anything(live, stop, apple, quote):  # noqa: F811
    AlertRule.objects.create(kind="price_above", level=110, symbol=apple)
    with playing(live, stop):
        begin(live, quote)
        live.tell(quote("AAPL", 109, **DAY))
        live.tell(quote("AAPL", 111, **DAY))
        until(lambda: published("alerts:AAPL"), "the alert")
        live.tell(quote("AAPL", 108, **DAY))
        live.tell(quote("AAPL", 107, **DAY, high=111, low=99, is_final=True, market_state="closed"))
        until(lambda: published("bars:AAPL"), "the close")
    assert [alert["price"] for alert in published("alerts:AAPL")] == [111]
    assert prices_of() == [100, 109, 111, 108, 107]


def test_what_nobody_waits_for_has_its_rows_a_little_later(live, stop, quote, monkeypatch):  # noqa: F811
    monkeypatch.setattr(rows, "EVERY_SECONDS", 0.1)
    with playing(live, stop):
        for price in (100, 101, 102):
            live.tell(quote("AAPL", price, **DAY))
            until(has_bar_of(price), "its bar")
        assert service()["detail"] is None


def test_a_rule_does_not_ring_for_what_came_before_it(live, stop, apple, quote, monkeypatch):  # noqa: F811
    monkeypatch.setattr(waiting, "TOGETHER_SECONDS", LONG_SECONDS)
    monkeypatch.setattr(rows, "EVERY_SECONDS", LONG_SECONDS)
    with playing(live, stop) as feed:
        begin(live, quote)
        live.tell(quote("AAPL", 105, **DAY))
        until(has_price(105), "the price that waits")
        assert has_bar_of(100)()
        AlertRule.objects.create(kind="price_above", level=103, symbol=apple)
        feed._rows._rules_until = 0.0
        until(has_bar_of(105), "its bar")
        until(lambda: "AAPL" in feed._rows._awaited.rules, "the rule")
        for price in (102, 104):
            live.tell(quote("AAPL", price, **DAY))
        until(lambda: published("alerts:AAPL"), "the alert")
    assert [alert["price"] for alert in published("alerts:AAPL")] == [104]


def test_prices_that_go_on_and_on_hold_up_neither_new_rules_nor_what_is_due(apple, quote, monkeypatch):
    feed = new_feed(Live())
    feed.take(Tick([quote("AAPL", 100, **DAY)]))
    AlertRule.objects.create(kind="price_above", level=110, symbol=apple)
    take, rounds = feed._rows.take, []

    def take_while_the_next_comes(taken: list[Taken]) -> None:
        take(taken)
        rounds.append(len(taken))
        if len(rounds) < 30:
            feed.tell(Tick([quote("AAPL", 100 + len(rounds) % 2, **DAY)]))

    monkeypatch.setattr(feed._rows, "take", take_while_the_next_comes)
    feed.tell(Tick([quote("AAPL", 101, **DAY)]))
    feed._rows._rules_until = 0.0
    feed._rows.follow(Loop("a test"), 0)
    assert len(rounds) <= 2
    assert "AAPL" in feed._rows._awaited.rules


def test_rules_that_can_not_be_read_keep_nobody_from_its_rows(apple, quote, monkeypatch):
    feed = new_feed(Live())
    feed.take(Tick([quote("AAPL", 100, **DAY)]))
    monkeypatch.setattr(alerts, "rules", lambda: 1 / 0)
    feed.tell(Tick([quote("AAPL", 101, **DAY)]))
    feed._rows._rules_until = 0.0
    feed._rows.follow(Loop("a test"), 0)
    assert has_bar_of(101)()


def test_what_waits_at_the_end_has_its_rows(live, stop, quote, monkeypatch):  # noqa: F811
    monkeypatch.setattr(rows, "EVERY_SECONDS", LONG_SECONDS)
    with playing(live, stop):
        begin(live, quote)
        live.tell(quote("AAPL", 101, **DAY))
        until(has_price(101), "the price")
        assert has_bar_of(100)()
    assert has_bar_of(101)()


def test_a_new_symbol_rings_by_its_rules_at_its_first_prices(apple, quote):
    feed = new_feed(Live())
    AlertRule.objects.create(kind="price_above", level=110, symbol=apple)
    feed._rows._rules_until = time.monotonic() + LONG_SECONDS
    feed.take(Tick([quote("AAPL", price, **DAY) for price in (100, 111)]))
    assert [alert["price"] for alert in published("alerts:AAPL")] == [111]


def test_what_nobody_held_before_rings_a_bell_and_what_is_held_does_not():
    async def scenario(hub: Hub) -> None:
        for stream, rings in (
            ("bars:AAPL", 1),
            ("indicators:AAPL/sma_3", 1),
            ("indicators:AAPL", 0),
            ("prices:IBM", 0),
            ("bars:MSFT@5m", 1),
        ):
            client, _ = connect(hub)
            await hub.subscribe(client, {stream: LATEST}, {})
            await until_in(lambda: not hub.holding._new)
            await asyncio.sleep(0.05)
            assert redis.client().llen(redis.key("held", "bell")) == rings, stream
            if rings:
                held.heed_bell(1)
        assert await asyncio.to_thread(held.tickers) == {"AAPL", "MSFT"}

    play(scenario)


def test_what_is_held_is_said_again_for_as_long_as_it_is_held(monkeypatch):
    monkeypatch.setattr(held, "SAY_SECONDS", 0.2)
    monkeypatch.setattr(held, "CLOSE_SECONDS", 1.0)

    async def are(tickers: set[str]) -> None:
        async with asyncio.timeout(10):
            while await asyncio.to_thread(held.tickers) != tickers:
                await asyncio.sleep(0.05)

    async def scenario(hub: Hub) -> None:
        client, _ = connect(hub)
        await hub.subscribe(client, {"bars:AAPL": LATEST}, {})
        await are({"AAPL"})
        await asyncio.sleep(2.5)
        await are({"AAPL"})
        hub.unsubscribe(client, ["bars:AAPL"], messages.ASKED)
        await are(set())

    play(scenario)


def test_what_is_held_is_not_said_again_all_the_time(monkeypatch):
    monkeypatch.setattr(held, "SAY_SECONDS", LONG_SECONDS)

    async def scenario(hub: Hub) -> None:
        client, _ = connect(hub)
        await hub.subscribe(client, {"bars:AAPL": LATEST}, {})
        async with asyncio.timeout(10):
            while not await asyncio.to_thread(held.tickers):
                await asyncio.sleep(0.05)
        again = 0
        for _ in range(4):
            redis.client().delete(redis.key("held"))
            await asyncio.sleep(0.3)
            again += bool(await asyncio.to_thread(held.tickers))
        assert again <= 1  # as the live channel opens

    play(scenario)
