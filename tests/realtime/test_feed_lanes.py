"""The two lanes of a live source: prices go on while the database is away, and what needs rows follows, whole."""

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.db.backends.signals import connection_created

from market import bars, quotes
from market.bars import forming
from market.models import DataSource, Snapshot, Symbol
from market.prices import Bar, Quote, midnight
from market.quotes import snapshots
from market.sources import Source, Tick
from market.sources.yahoo import ABOUT
from monitoring import heartbeats, loops, redis, refusals
from realtime import pulse, renaming
from realtime.feed import Feed, Stopped, facts, following, left, looking
from realtime.feed.facts import Facts
from realtime.feed.following import Following
from realtime.feed.looking import Looking
from realtime.feed.waiting import Taken
from realtime.lease import Lease, LeaseLost
from realtime.models import Alert, AlertRule
from realtime.pulse import Pulse
from tests.realtime.test_feed import new_feed, published

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
PATIENCE_SECONDS = 60
MONDAY, TUESDAY, WEDNESDAY = date(2026, 6, 8), date(2026, 6, 9), date(2026, 6, 10)


class Live(Source):
    """A source that tells what it is told."""

    about = ABOUT

    def __init__(self) -> None:
        self._told: queue.Queue[list[Quote]] = queue.Queue()

    def prepare(self) -> None:
        pass

    def tell(self, *told: Quote) -> None:
        self._told.put([replace(each, source="yahoo") for each in told])

    def batches(self, stop: threading.Event) -> Iterator[Tick]:
        while not stop.is_set():
            try:
                yield Tick(self._told.get(timeout=0.05))
            except queue.Empty:
                continue


@pytest.fixture(autouse=True)
def live_source(apple) -> None:
    DataSource.objects.create(pk=1, name="yahoo", reason="a test", chosen_at=datetime.now(UTC))


def test_a_source_hears_which_symbols_there_are_where_that_changes(apple, monkeypatch):
    heard = []
    monkeypatch.setattr(Live, "track", lambda self, tracked: heard.append([each.price_decimals for each in tracked]))
    known = Facts(Live())
    for decimals in (2, 2, 3, 3):
        Symbol.objects.filter(pk=apple.pk).update(price_decimals=decimals)
        known.expire()
        known.read()
    assert heard == [[2], [3]]


@pytest.fixture
def live() -> Live:
    return Live()


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@contextmanager
def playing(source: Live, stop: threading.Event, *, beats: bool = True) -> Iterator[Feed]:
    """A feed that plays in a thread of its own, as its process would; without a beat nobody renews its lease."""
    lease = Lease("feed", 60 if beats else 0.05)
    lease.take()
    feed, ended = Feed(source, stop, lease), []

    def play() -> None:
        try:
            beating = Pulse("feed", source, lease, stop, late=feed.waiting.late)
            with beating if beats else nullcontext():
                feed.play(beating)
        except Exception as end:  # noqa: BLE001 - the test sees how it ended
            ended.append(end)
        finally:
            connection.close()

    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield feed
    finally:
        stop.set()
        thread.join()
    if ended:
        raise ended[0]


@contextmanager
def locked_database(lock: str = "WRITE") -> Iterator[None]:
    """Nobody else can write, and on MariaDB by default nobody can read either, until the block ends."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    tables = ", ".join(f"{name} {lock}" for name in connection.introspection.table_names())
    with closing(connection.get_new_connection(connection.get_connection_params())) as other:
        other.cursor().execute(f"LOCK TABLES {tables}")
        yield


@contextmanager
def impatient() -> Iterator[None]:
    """Who finds the database locked is told at once."""
    setting = {"sqlite": "PRAGMA busy_timeout=0", "mysql": "SET lock_wait_timeout=1"}[connection.vendor]
    connection.cursor().execute(setting)
    yield
    connection.close()


def until(fact: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not fact():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)


def prices_of(ticker: str = "AAPL") -> list[float]:
    return [message["current_price"] for message in published(f"prices:{ticker}")]


def has_price(price: float) -> Callable[[], bool]:
    return lambda: prices_of()[-1:] == [price]


def has_bar_of(price: float) -> Callable[[], bool]:
    return lambda: (bar := forming.latest(["AAPL"])["AAPL"]) is not None and bar.close == price


def service() -> dict:
    return pulse.service(redis.client().hget(heartbeats.key(), "feed"))


def test_prices_go_on_while_the_database_is_locked_and_the_rows_follow_in_order(live, stop, apple, quote):
    AlertRule.objects.create(kind="price_above", level=110, symbol=apple)
    next_day = {"session_date": date(2012, 9, 5), "as_of": datetime(2012, 9, 5, 14, tzinfo=UTC)}
    with playing(live, stop):
        live.tell(quote("AAPL", 100))
        until(has_bar_of(100), "the first bar")
        with locked_database():
            for price in (105, 111, 112, 108):
                live.tell(quote("AAPL", price, open=100))
                until(has_price(price), f"a price of {price}")
            live.tell(quote("AAPL", 107, open=100, high=112, low=100, is_final=True, market_state="closed"))
            until(has_price(107), "the close")
            live.tell(quote("AAPL", 120, **next_day))
            until(has_price(120), "a price of the next session")
            until(lambda: service()["detail"], "a word that the rows are late")
            assert service() == {
                "feed": True, "source": True, "detail": "Bars, indicators and alerts wait for the database",
            }  # fmt: skip
            assert (published("bars:AAPL"), published("indicators:AAPL"), published("alerts:AAPL")) == ([], [], [])
        until(has_bar_of(120), "the bar of the next session")
        until(lambda: service()["detail"] is None, "a word that the rows are there")
    assert [(bar["close"], bar["session_date"]) for bar in published("bars:AAPL")] == [(107, "2012-09-04")]
    assert [values["session_date"] for values in published("indicators:AAPL")] == ["2012-09-04"]
    rung = [(alert["session_date"], alert["price"] > 110) for alert in published("alerts:AAPL")]
    assert rung == [("2012-09-04", True), ("2012-09-05", True)]
    assert [bar.close for bar in bars.history("AAPL") if bar.is_final] == [107]
    assert Snapshot.objects.count() == len(prices_of()) == 7


def test_a_price_asks_no_database(apple, quote, django_assert_num_queries):
    feed = new_feed(Live())
    feed.take(Tick([quote("AAPL", 100)]))
    with django_assert_num_queries(0):
        feed.tell(Tick([quote("AAPL", 101)]))
    assert (prices_of(), forming.latest(["AAPL"])["AAPL"].close) == ([100, 101], 100)


@pytest.mark.parametrize("is_told_again", [False, True])
def test_what_a_feed_that_died_told_without_rows_gets_them_from_the_next_one(apple, quote, is_told_again):
    AlertRule.objects.create(kind="price_above", level=110, symbol=apple)
    died = new_feed(Live())
    died.take(Tick([quote("AAPL", 100)]))
    ends_at = datetime(2012, 9, 4, 20, tzinfo=UTC)
    close = quote("AAPL", 109, open=100, high=111, low=100, is_final=True, as_of=ends_at)
    for each in (quote("AAPL", 111, open=100), close):
        died.tell(Tick([each]))
    for _ in range(2):
        feed = new_feed(Live())
        feed.take(Tick([close] if is_told_again else []))
    assert [alert["price"] for alert in published("alerts:AAPL")] == [111]
    assert {bar["close"] for bar in published("bars:AAPL")} == {109}
    assert [bar.close for bar in bars.history("AAPL")] == [109]


def test_what_a_feed_that_died_left_is_left_on_by_one_that_dies_as_well(quote):
    new_feed(Live()).tell(Tick([quote("AAPL", price) for price in (100, 101)]))
    new_feed(Live()).tell(Tick([quote("AAPL", 102)]))
    assert [each.price for each in left.found({})] == [100, 101, 102]


def test_a_feed_that_plays_begins_with_what_the_one_before_left(live, stop, apple, quote):
    AlertRule.objects.create(kind="price_above", level=110, symbol=apple)
    died = new_feed(Live())
    died.take(Tick([quote("AAPL", 100)]))
    died.tell(Tick([quote("AAPL", 111)]))
    died._lease.release()
    with playing(live, stop):
        until(lambda: published("alerts:AAPL"), "the alert")
    assert AlertRule.objects.filter(kind="plunge").exists()  # the system's own


def test_a_feed_that_begins_leaves_none_that_another_was_forming_within_a_session(stop, live, apple):
    at = datetime(2026, 6, 8, 14, tzinfo=UTC)
    made = Bar("AAPL", "1h", at, *[10.0] * 4, 5, False, "yahoo", at, session_date=MONDAY, state="forming")
    forming.keep([made, replace(made, interval="1d", opened_at=midnight(MONDAY))])
    with playing(live, stop):
        until(lambda: forming.latest(["AAPL"], interval="1h")["AAPL"] is None, "the hour to be left out")
    assert forming.latest(["AAPL"])["AAPL"] is not None


def test_what_rules_were_not_checked_against_is_not_seen(stop, apple, quote):
    AlertRule.objects.create(kind="price_above", level=110, symbol=apple)
    died = new_feed(Live(), stop)
    died.take(Tick([quote("AAPL", 100)]))
    stop.set()
    with impatient(), locked_database("READ"), pytest.raises(Stopped):
        died.take(Tick([quote("AAPL", 111)]))
    new_feed(Live()).take(Tick([]))
    assert [alert["price"] for alert in published("alerts:AAPL")] == [111]


def test_what_has_its_rows_is_left_to_nobody(apple, quote):
    feed = new_feed(Live())
    for price in (100, 101, 102):
        feed.take(Tick([quote("AAPL", price)]))
    assert left.found({}) == []


def test_a_symbol_that_breaks_the_row_lane_costs_no_other(live, stop, quote):
    AlertRule.objects.create(kind="price_above", level=50)  # of every symbol, also of one that has no row
    with playing(live, stop) as feed:
        live.tell(*(quote(ticker, price) for price in (40, 60) for ticker in ("NOPE", "AAPL")))
        until(lambda: published("alerts:AAPL"), "the alert of the other")
        until(lambda: feed._row_loop.skipped, "the count of what was skipped")
    assert (prices_of("NOPE"), prices_of("AAPL")) == ([40, 60], [40, 60])


def test_a_feed_whose_row_lane_loses_the_lease_ends(live, stop):
    def play() -> None:
        with playing(live, stop, beats=False):
            until(lambda: "feed: rows" in {loop.name for loop in loops.running()}, "the row lane")  # else none loses it
            until(Lease("feed", 60).take, "another one takes the lease")
            until(stop.is_set, "the end of the feed")

    with pytest.raises(LeaseLost):
        play()


def test_rows_that_break_are_tried_again_after_a_while_and_not_at_once(stop):
    class Broken:
        turns = 0

        def follow(self, loop: loops.Loop, wait_seconds: float) -> None:
            self.turns += 1
            raise KeyError("at once")

        def catch_up(self, loop: loops.Loop) -> None:
            pass

    lane, began = Broken(), time.monotonic()
    with Following(lane, loops.Loop("a test"), stop):
        until(lambda: lane.turns >= 3, "the third turn")
    assert time.monotonic() - began >= 2 * following.IDLE_SECONDS


def test_each_lane_is_a_loop_that_is_watched(live, stop):
    with playing(live, stop):
        until(lambda: {"feed", "feed: rows", "feed: looking"} <= {loop.name for loop in loops.running()}, "all loops")


def test_no_lane_leaves_a_connection_to_the_database_behind(live, stop, quote):
    made = []

    def note(connection: object, **_: object) -> None:
        made.append(connection)

    connection_created.connect(note)
    try:
        with playing(live, stop):
            live.tell(quote("AAPL", 100))
            until(has_bar_of(100), "the first bar")
    finally:
        connection_created.disconnect(note)
    assert made
    assert [each for each in made if each.connection is not None] == []


@pytest.mark.rows
def test_a_session_that_begins_while_the_database_is_locked_is_counted_once_it_is_back(live, stop, quote, apple):
    for day, close in ((MONDAY, 90.0), (TUESDAY, 100.0)):
        bars.upsert([Bar("AAPL", "1d", midnight(day), *[close] * 4, 1000, True, "yahoo", midnight(day))])
    AlertRule.objects.create(kind="plunge", level=-5)
    told = {"previous_close": 90.0, "session_date": WEDNESDAY, "as_of": datetime(2026, 6, 10, 14, tzinfo=UTC)}
    with playing(live, stop):
        live.tell(quote("AAPL", 100, session_date=TUESDAY, as_of=datetime(2026, 6, 9, 14, tzinfo=UTC)))
        until(has_bar_of(100), "the first bar")
        with locked_database():
            live.tell(quote("AAPL", 94, **told))
            until(has_price(94), "its first price")
        until(lambda: published("alerts:AAPL"), "the alert")
    assert published("prices:AAPL")[-1]["change_percent"] is None
    assert Alert.objects.get().message == "AAPL fell 6.0 % to 94.00, from a close of 100.00"


def test_a_symbol_that_gets_another_ticker_goes_on_in_both_lanes(live, stop, apple, quote):
    with playing(live, stop):
        live.tell(quote("AAPL", 100))
        until(has_bar_of(100), "the first bar")
        renaming.rename("AAPL", "APPL")
        live.tell(quote("AAPL", 101))
        until(lambda: prices_of("APPL") == [100, 101], "a price by the new name")
        until(lambda: (bar := forming.latest(["APPL"])["APPL"]) and bar.close == 101, "its bar")
    assert (prices_of("AAPL"), forming.latest(["AAPL"])["AAPL"]) == ([], None)


def test_snapshots_of_others_are_written_too(live, stop, quote, monkeypatch):
    monkeypatch.setattr(snapshots, "FLUSH_EVERY", timedelta(seconds=0.1))
    with playing(live, stop):
        until(lambda: snapshots.flush_when_due(datetime.now(UTC)) == 0, "the feed plays")
        quotes.keep([quote("AAPL", 100)])
        until(Snapshot.objects.exists, "the snapshot")


def test_what_is_left_are_those_without_rows_and_no_others(quote):
    made = [quote("AAPL", price) for price in (100, 101, 102)]
    left.keep([Taken(number, each, True, 0.0) for number, each in enumerate(made, 1)])
    left.drop(before=2)
    assert left.found({}) == made[1:]
    assert left.found({"AAPL": made[1]}) == made[2:]  # it has its rows, and the feed died before it said so
    left.drop(before=None)
    assert left.found({}) == []


def test_more_than_is_left_to_the_next_feed_is_counted(quote, monkeypatch):
    monkeypatch.setattr(left, "MOST", 2)
    feed = new_feed(Live())
    feed.tell(Tick([quote("AAPL", price) for price in (100, 101, 102)]))
    assert [each.price for each in left.found({})] == [101, 102]
    assert refusals.counts() == {"without rows": 1}


@pytest.fixture
def aside(live, monkeypatch) -> Looking:
    """One that looks only when it is asked."""
    for module, name, seconds in ((looking, "LOOK", 60), (looking, "PATIENCE", 10), (facts, "EVERY", 60)):
        monkeypatch.setattr(module, f"{name}_SECONDS", seconds)
    return Looking(Facts(live))


def test_who_asks_while_somebody_looks_has_the_answer_of_the_next_look(aside):
    with aside:
        assert [aside.learn("AAPL") for _ in range(3)] == [True] * 3


def test_what_is_looked_up_aside_is_known_with_the_answer(aside, quote):
    told, span = quote("AAPL", 100), ("AAPL", MONDAY, TUESDAY)
    with aside:
        aside.closes([told], {})
        aside.shares([span])
        renaming.rename("AAPL", "APPL")
        assert aside.learn("AAPL")
        known = aside._facts
        assert (known.closes.is_unknown(told), known.shares, known.names) == (False, {span: 1.0}, {"AAPL": "APPL"})


def test_nobody_looks_again_at_once_where_nobody_asks(aside):
    with aside:
        aside.learn("AAPL")
        looks = aside._begun
        time.sleep(0.2)
        assert aside._begun == looks


@pytest.fixture
def bitcoin(quote, monkeypatch) -> Callable[..., Tick]:
    """bitcoin(100, TUESDAY, -1): a price of a session, so many seconds after Wednesday has begun."""
    monkeypatch.setattr(looking, "PATIENCE_SECONDS", 0.05)
    facts = {"exchange": "CCC", "currency": "USD", "time_zone": "UTC", "asset_type": "crypto"}
    Symbol.objects.create(ticker="BTC-USD", name="Bitcoin", **facts)

    def told(price: float, session: date, seconds: int) -> Tick:
        as_of = midnight(WEDNESDAY) + timedelta(seconds=seconds)
        return Tick([quote("BTC-USD", price, previous_close=None, session_date=session, as_of=as_of)])

    return told


def closes_of_bitcoin() -> list[float | None]:
    return [message["previous_close"] for message in published("prices:BTC-USD")]


def test_a_coin_s_close_is_known_also_where_nobody_could_look_when_its_day_began(bitcoin):
    feed = new_feed(Live())
    feed.take(bitcoin(100, TUESDAY, -1))
    feed._looking._is_on = True  # and its look lasts
    for price in (101, 102):
        feed.tell(bitcoin(price, WEDNESDAY, price))
    feed._looking._look()
    feed._looking._is_on = False
    feed.tell(bitcoin(103, WEDNESDAY, 24 * 3600 - 1))
    feed.tell(bitcoin(104, WEDNESDAY + timedelta(days=1), 24 * 3600 + 1))
    assert closes_of_bitcoin() == [None, None, None, 100, 103]


def test_a_coin_s_close_is_the_last_price_of_its_day_also_where_nobody_could_look_on_it(bitcoin):
    feed = new_feed(Live())
    feed._looking._is_on = True  # and its look lasts
    for price, seconds in ((101, -3600), (102, -1)):
        feed.tell(bitcoin(price, TUESDAY, seconds))
    feed._looking._look()
    feed._looking._is_on = False
    feed.tell(bitcoin(103, WEDNESDAY, 1))
    assert closes_of_bitcoin() == [None, None, 102]
