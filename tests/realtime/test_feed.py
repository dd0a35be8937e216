"""The live loop on the recorded sessions: what is saved, what is published, and what a crash leaves."""

import dataclasses
import json
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from itertools import islice

import pytest
from django.db.models.signals import post_save

from analysis import summary
from market import bars, coverage, prices, quotes
from market.bars import forming
from market.calendars import clock
from market.models import Bar, DataSource, QuarantinedBar, Symbol
from market.player import steering
from market.quotes import checks
from market.sources import Jump, Tick
from market.sources.replay.source import Replay
from monitoring import heartbeats
from monitoring import redis as connection
from monitoring.models import Job
from realtime import alerts, messages
from realtime.feed import Feed
from realtime.lease import Lease
from realtime.models import Alert, AlertRule, Event
from realtime.pulse import Pulse
from realtime.tasks import keep_events, retain_alerts
from realtime.timekeeper import Timekeeper
from tests import recorded as recording

pytestmark = [pytest.mark.django_db, pytest.mark.db]


@pytest.fixture(autouse=True)
def source_row(db) -> DataSource:
    return DataSource.objects.create(pk=1, name="replay", reason="a test", chosen_at=datetime.now(UTC))


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def replay(settings, stop) -> Callable[..., Iterable]:
    """replay(start): a prepared feed, and the recorded batches from a session on, without waiting."""

    def replay(start: str) -> tuple[Feed, Iterable[Tick | Jump]]:
        settings.REPLAY_START, settings.REPLAY_SESSION_SECONDS = start, 0.0
        source = Replay()
        source.prepare()
        return new_feed(source, stop), source.batches(stop)

    return replay


@pytest.fixture
def live(stop) -> Callable[[str], Feed]:
    """live(start): a feed of a live source, with the recorded days before one as its history."""

    def live(start: str) -> Feed:
        return new_feed(recording.live(date.fromisoformat(start)), stop)

    return live


def new_feed(source=None, stop=None) -> Feed:
    """A feed as it is after a start; the one before it is gone, and its lease with it."""
    connection.client().delete(connection.key("lease", "feed"))
    lease = Lease("feed", 60)
    lease.take()
    feed = Feed(source or Replay(), stop or threading.Event(), lease)
    alerts.prepare()
    feed.resume()
    return feed


def play(feed: Feed, batches: Iterable, until: str) -> None:
    """Take batches up to the end of a session."""
    for event in batches:
        if isinstance(event, Tick) and event.quotes[0].session_date > date.fromisoformat(until):
            return
        feed.take(event)


def play_to_the_end(feed: Feed, batches: Iterable) -> Jump:
    """Take batches up to the jump behind the last session, which is not taken yet."""
    for event in batches:
        if isinstance(event, Jump) and event.text:
            return event
        feed.take(event)
    raise AssertionError("the recording did not begin again")


def mean_of_closes(sessions: int) -> float:
    return sum(bar.close for bar in bars.history("AAPL")[-sessions:]) / sessions


def published(stream: str) -> list[dict]:
    """What the history of a stream holds."""
    entries = connection.client().xrange(connection.key("stream", "history", stream))
    return [json.loads(fields[b"b"]) for _, fields in entries]


def epoch_of(stream: str) -> bytes:
    return connection.client().hget(connection.key("stream", "state", stream), "epoch")


def sessions_of_alerts(ticker: str) -> list[str]:
    return [str(day) for day in Alert.objects.filter(symbol__ticker=ticker).values_list("session_date", flat=True)]


@pytest.mark.parametrize(
    ("ticker", "start", "until"),
    [
        ("AAPL", "2000-06-20", "2000-06-21"),
        ("MSFT", "2003-02-14", "2003-02-18"),
        ("AAPL", "2005-02-25", "2005-02-28"),
    ],
)
def test_a_split_raises_no_alert(replay, ticker, start, until):
    play(*replay(start), until=until)
    assert bars.history(ticker, limit=1)[0].session_date == date.fromisoformat(until)
    assert sessions_of_alerts(ticker) == []


def test_a_split_carries_no_price_over_a_level(replay):
    feed, batches = replay("2005-02-25")
    for level in (43, 46, 60, 88):
        AlertRule.objects.create(kind="price_above", level=level, symbol=Symbol.objects.get(ticker="AAPL"))
    play(feed, batches, until="2005-02-28")
    assert sessions_of_alerts("AAPL") == []


def test_the_real_fall_of_apple_raises_exactly_one_plunge(replay):
    play(*replay("2000-09-28"), until="2000-09-29")
    assert sessions_of_alerts("AAPL") == ["2000-09-29"]
    (message,) = published("alerts:AAPL")
    assert (message["kind"], message["seq"], message["price"]) == (
        "plunge",
        1,
        Alert.objects.get(pk=message["id"]).price,
    )


def test_price_bar_and_indicators_of_a_close_agree(replay):
    feed, batches = replay("2012-09-04")
    list(map(feed.take, islice(batches, 1 + 40)))
    price, bar, values = (published(f"{kind}:AAPL")[-1] for kind in ("prices", "bars", "indicators"))
    stored = bars.history("AAPL")[-1]
    assert price["current_price"] == bar["close"] == stored.close == recording.days("AAPL")[date(2012, 9, 5)].close
    assert (bar["session_date"], bar["is_final"], values["is_final"]) == ("2012-09-05", True, True)
    assert values["values"]["sma_20"]["sma"] == pytest.approx(mean_of_closes(20))
    assert bar["version"] == values["version"] == coverage.latest(["AAPL"])["AAPL"]


def test_a_forming_bar_has_the_version_of_the_final_ones_that_it_stands_upon(replay):
    feed, batches = replay("2012-09-04")
    play(feed, batches, until="2012-09-04")
    (closed,) = published("bars:IBM")
    for _ in range(3):  # AAPL begins the next session, and IBM follows
        feed.take(next(batches))
    newest = json.loads(connection.client().hget(connection.key("stream", "state", "bars:IBM"), "latest"))
    assert (newest["session_date"], newest["version"]) == ("2012-09-05", coverage.latest(["IBM"])["IBM"])
    assert closed["version"] not in ("", newest["version"])


def test_every_step_of_a_session_is_a_price_and_only_the_close_a_kept_bar(replay):
    play(*replay("2012-09-04"), until="2012-09-04")
    assert [message["seq"] for message in published("prices:IBM")] == [1, 2, 3, 4]
    assert [message["is_final"] for message in published("bars:IBM")] == [True]


def test_what_is_published_follows_the_protocol(replay):
    play(*replay("2000-09-28"), until="2000-09-29")
    for kind, name in (("prices", "price_update"), ("bars", "bar"), ("indicators", "indicators"), ("alerts", "alert")):
        shape = messages.MESSAGES[name]
        for message in published(f"{kind}:AAPL"):
            assert set(shape["required"]) <= set(message) <= set(shape["properties"])


def test_a_close_that_a_source_repeats_is_one_bar(live):
    feed = live("2012-09-04")
    for _ in range(3):
        feed.take(Tick([recording.quote("AAPL", date(2012, 9, 4), 3, datetime.now(UTC))]))
    assert len(published("bars:AAPL")) == len(published("indicators:AAPL")) == 1


def closed(step: int = 3, **fields: object):
    """A quote of the session of 4 September that has closed and not settled."""
    told = recording.quote("AAPL", date(2012, 9, 4), step, datetime.now(UTC))
    return dataclasses.replace(told, is_final=False, state="closed", **fields)


def told_states(kind: str) -> list[tuple[str, bool]]:
    return [(message["state"], message["is_final"]) for message in published(f"{kind}:AAPL")]


def test_a_bar_that_has_closed_is_told_without_loss_and_again_when_it_is_final(live):
    feed = live("2012-09-04")
    final = recording.quote("AAPL", date(2012, 9, 4), 3, datetime.now(UTC))
    for quote in (closed(), closed(), final, final, closed()):
        feed.take(Tick([quote]))
    for kind in ("bars", "indicators"):
        assert told_states(kind) == [("closed", False), ("final", True)]
    assert Bar.objects.get(symbol__ticker="AAPL", opened_at=datetime(2012, 9, 4, tzinfo=UTC)).is_final


def test_a_close_that_others_settle_is_told_with_the_next_price(live):
    feed = live("2012-09-04")
    feed.take(Tick([closed()]))
    (settled,) = [bar for bar in recording.bars("AAPL", date(2012, 9, 5), datetime.now(UTC))][-1:]
    bars.upsert([dataclasses.replace(settled, close=settled.close - 1)])
    for _ in range(2):
        feed.take(Tick([closed()]))
    for kind in ("bars", "indicators"):
        assert told_states(kind) == [("closed", False), ("final", True)]
    assert [message["close"] for message in published("bars:AAPL")] == [settled.close, settled.close - 1]
    assert published("indicators:AAPL")[-1]["values"]["sma_20"]["sma"] == pytest.approx(mean_of_closes(20))


def test_a_bar_that_has_closed_counts_for_the_indicators_as_a_final_one_does(live):
    feed = live("2012-09-04")
    feed.take(Tick([closed()]))
    assert published("indicators:AAPL")[-1]["values"]["sma_20"]["sma"] == pytest.approx(mean_of_closes(20))
    assert bars.history("AAPL")[-1].state == "closed"
    assert forming.latest(["AAPL"]) == {"AAPL": None}


def test_the_close_of_a_day_without_a_session_is_held_back_as_by_every_door(live):
    feed = live("2012-09-04")
    DataSource.objects.update(name="yahoo")
    feed.take(Tick([closed(session_date=date(2012, 9, 8))]))  # a Saturday
    assert bars.history("AAPL")[-1].session_date < date(2012, 9, 8)
    assert "no session of XNAS" in QuarantinedBar.objects.get().reason


def test_a_close_that_is_held_back_counts_for_no_indicator(live):
    feed = live("2012-09-04")
    feed.take(Tick([recording.quote("AAPL", date(2012, 9, 4), 1, datetime.now(UTC))]))
    before = summary.latest(["AAPL"])
    feed.take(Tick([closed(volume=10**12)]))
    assert QuarantinedBar.objects.filter(symbol__ticker="AAPL").count() == 1
    assert summary.latest(["AAPL"]) == before
    assert before["AAPL"].state == "forming"
    assert bars.history("AAPL")[-1].session_date < date(2012, 9, 4)  # what is held back forms no more


def test_a_price_after_the_close_moves_no_bar(live):
    feed = live("2012-09-04")
    close = recording.quote("AAPL", date(2012, 9, 4), 3, datetime.now(UTC))
    later = dataclasses.replace(close, price=close.high, is_final=False, state="forming", market_state="post")
    feed.take(Tick([close]))
    feed.take(Tick([later]))
    assert (len(published("prices:AAPL")), len(published("bars:AAPL")), len(published("indicators:AAPL"))) == (2, 1, 1)
    assert forming.latest(["AAPL"]) == {"AAPL": None}


def test_the_market_clock_names_the_session(replay):
    feed, batches = replay("2012-09-04")
    keeper = Timekeeper(feed._source, lambda: feed.facts.homes)
    list(map(feed.take, islice(batches, 2)))
    keeper.tell(*feed.facts.homes[0], is_first=True)
    assert clock.latest() == {"exchange": "XNAS", "state": "open", "session": "2012-09-04"}
    play(feed, batches, until="2012-09-04")
    keeper.tell(*feed.facts.homes[0], is_first=True)
    assert clock.latest() == {"exchange": "XNAS", "state": "closed", "session": "2012-09-04"}


def test_when_it_begins_again_every_stream_does_and_what_rang_stays_with_its_pass(replay):
    feed, batches = replay("2013-02-28")
    AlertRule.objects.create(kind="price_above", level=807)
    jump = play_to_the_end(feed, batches)
    before = epoch_of("alerts:GOOG")
    assert sessions_of_alerts("GOOG") == ["2013-03-01"]
    feed.take(jump)
    assert list(Alert.objects.values_list("pass_number", flat=True)) == [1]
    assert not Alert.objects.running().exists()
    assert epoch_of("alerts:GOOG") != before
    assert [published(f"{kind}:GOOG") for kind in ("prices", "bars", "indicators", "alerts")] == [[], [], [], []]
    assert published("system")[-1]["message"] == (
        "The recorded sessions start again on 2013-02-28. Every stream begins anew."
    )


def test_what_rang_before_it_began_again_is_written_to_its_own_pass(replay):
    def begins_again(**_: object) -> None:
        DataSource.objects.update(pass_number=2)

    feed, batches = replay("2013-03-01")
    AlertRule.objects.create(kind="price_above", level=805, symbol=Symbol.objects.get(ticker="GOOG"))
    post_save.connect(begins_again, sender=Alert)
    try:
        list(map(feed.take, islice(batches, 1 + 20)))
    finally:
        post_save.disconnect(begins_again, sender=Alert)
    assert sessions_of_alerts("GOOG") == ["2013-03-01"]
    assert list(Event.objects.filter(stream="alerts:GOOG").values_list("pass_number", flat=True)) == [1]


def test_every_pass_rings_once_and_two_are_kept(replay):
    feed, batches = replay("2013-02-28")
    AlertRule.objects.create(kind="price_above", level=807)
    ids = set()
    for _ in range(3):
        jump = play_to_the_end(feed, batches)
        (message,) = published("alerts:GOOG")
        ids.add(message["id"])
        feed.take(jump)
    assert len(ids) == 3
    assert (retain_alerts()["deleted"], keep_events()["deleted"]) == (2, 2)
    for kept in (Alert.objects.all(), Event.objects.filter(stream="alerts:GOOG")):
        assert sorted(kept.values_list("pass_number", flat=True)) == [3]  # and of the fourth none rang yet


def test_what_is_jumped_over_rings_nothing(replay):
    feed, batches = replay("2013-01-02")
    for level in (740, 780, 807):  # GOOG crosses them on 2013-01-23, 2013-02-13 and 2013-03-01
        AlertRule.objects.create(kind="price_above", level=level, symbol=Symbol.objects.get(ticker="GOOG"))
    play(feed, batches, until="2013-01-02")
    steering.want("ann", date=date(2013, 2, 27))
    for event in batches:
        if isinstance(event, Jump) and event.pass_number == 2:
            break
        feed.take(event)
    assert sessions_of_alerts("GOOG") == ["2013-03-01"]


@pytest.mark.parametrize("is_redis_lost", [False, True], ids=["a crash", "a lost Redis"])
def test_a_session_that_is_played_again_rings_nothing_twice_and_nothing_else(replay, is_redis_lost):
    feed, batches = replay("2000-09-29")
    AlertRule.objects.create(kind="price_above", level=26, symbol=Symbol.objects.get(ticker="AAPL"))
    list(map(feed.take, islice(batches, 1 + 7)))  # AAPL fell from 53.50, opened at 28.19, and stands at its low, 25.37
    before = list(Alert.objects.values_list("pk", flat=True))
    if is_redis_lost:
        connection.client().flushall()
    again = Replay()
    again.prepare()
    play(new_feed(again), again.batches(threading.Event()), until="2000-09-29")
    assert [alert.kind for alert in Alert.objects.filter(symbol__ticker="AAPL")] == ["plunge"]
    assert list(Alert.objects.filter(pk__in=before).values_list("pk", flat=True)) == before


def test_a_session_that_is_played_again_tells_its_bar_again(replay):
    feed, batches = replay("2013-03-01")  # the last one
    feed.take(play_to_the_end(feed, batches))
    assert published("bars:GOOG") == []
    play_to_the_end(feed, batches)
    assert [message["session_date"] for message in published("bars:GOOG")] == ["2013-03-01"]


def test_a_crash_between_saving_and_publishing_publishes_once(replay):
    first = recording.quote("AAPL", date(2000, 9, 29), 0, datetime.now(UTC))
    replay("2000-09-29")
    (alert,) = alerts.check({}, [first])
    for _ in range(2):
        new_feed()
    assert [message["id"] for message in published("alerts:AAPL")] == [alert.pk]


def test_a_crash_between_keeping_a_quote_and_checking_it_loses_no_alert(replay):
    replay("2000-09-29")
    quote = recording.quote("AAPL", date(2000, 9, 29), 0, datetime.now(UTC))
    quotes.keep([quote])
    for _ in range(2):
        new_feed().take(Tick([quote]))
    assert len(published("alerts:AAPL")) == 1


def test_a_crash_between_the_sources_jump_and_ours_is_repaired(replay, stop):
    feed, batches = replay("2013-02-28")
    AlertRule.objects.create(kind="price_above", level=807)
    play_to_the_end(feed, batches)
    before = epoch_of("prices:GOOG")
    again = Replay()
    feed = new_feed(again)
    feed.take(next(again.batches(stop)))
    assert (Alert.objects.running().count(), published("prices:GOOG")) == (0, [])
    assert epoch_of("prices:GOOG") != before


def test_a_second_start_leaves_the_streams_as_they_are(replay):
    feed, batches = replay("2012-09-04")
    play(feed, batches, until="2012-09-04")
    before = epoch_of("prices:AAPL")
    again = Replay()
    new_feed(again).take(next(again.batches(threading.Event())))
    assert (epoch_of("prices:AAPL"), len(published("prices:AAPL"))) == (before, 4)


def test_a_users_own_alert_goes_to_their_stream_alone(replay, django_user_model):
    feed, batches = replay("2013-02-28")
    user = django_user_model.objects.create_user("ann")
    AlertRule.objects.create(kind="price_above", level=807, owner=user)
    play_to_the_end(feed, batches)
    assert (len(published(f"alerts:@{user.pk}")), published("alerts:GOOG")) == (1, [])


def test_a_correction_of_a_close_is_published_with_its_revision(live):
    feed = live("2012-09-04")
    close = recording.quote("AAPL", date(2012, 9, 4), 3, datetime.now(UTC))
    feed.take(Tick([close]))
    feed.take(Tick([dataclasses.replace(close, price=close.low, received_at=datetime.now(UTC))]))
    assert [(bar["close"], bar["revision"]) for bar in published("bars:AAPL")] == [(close.price, 0), (close.low, 1)]
    assert published("indicators:AAPL")[-1]["values"]["sma_20"]["sma"] == pytest.approx(mean_of_closes(20))


def test_a_bar_that_is_refused_at_its_close_is_taken_back_and_forms_no_more(live, monkeypatch):
    feed = live("2012-09-04")
    opening, close = (recording.quote("AAPL", date(2012, 9, 4), step, datetime.now(UTC)) for step in (0, 3))
    feed.take(Tick([opening]))
    assert forming.latest(["AAPL"])["AAPL"]
    monkeypatch.setattr(prices, "LARGEST_PRICE", 1.0)
    monkeypatch.setattr(checks, "quote_fault", lambda *_, **__: None)  # the quote is good, and its bar is none
    feed.take(Tick([close]))
    told = published("bars:AAPL")[-1]
    assert (told["type"], told["from"], told["to"]) == ("correction", "2012-09-04", "2012-09-04")
    assert forming.latest(["AAPL"])["AAPL"] is None


def test_each_session_that_begins_asks_once_for_the_records_of_the_one_before(replay, django_assert_num_queries):
    feed, batches = replay("2012-09-04")
    play(feed, batches, until="2012-09-06")
    with django_assert_num_queries(0):
        feed._rows._ask_for_records([quotes.latest(["AAPL"])["AAPL"]])
    new_feed()._rows._ask_for_records([quotes.latest(["AAPL"])["AAPL"]])
    for name in ("market.records", "analysis.indicators", "analysis.signals"):
        keys = Job.objects.filter(name=name).order_by("key").values_list("key", flat=True)
        assert list(keys) == [f"{name}:1:2012-09-0{day}" for day in (4, 5, 6)]


class Source:
    """Plays batches as they are given, and stops the feed behind the last one."""

    name = "replay"

    about = Replay.about

    def __init__(self, stop: threading.Event, *rounds: list) -> None:
        self._stop, self._rounds = stop, list(rounds)

    def prepare(self) -> None:
        pass

    def clock(self, *_: object) -> None:
        return None

    openings = track = clock

    def trouble(self) -> str | None:
        raise KeyError("what a source says of itself")

    def batches(self, stop: threading.Event) -> Iterable[Tick]:
        if not self._rounds:
            stop.set()
            return
        for event in self._rounds.pop(0):
            if isinstance(event, Exception):
                raise event
            yield event


def test_a_quote_that_breaks_the_feed_costs_no_other_and_the_next_batch_comes(stop, apple, quote):
    Symbol.objects.create(ticker="MSFT", name="M", exchange="XNAS", currency="USD", time_zone="UTC")
    bad = quote("AAPL", 2.0, as_of=datetime(2012, 9, 4, 15), open=None)  # noqa: DTZ001 - what must not be
    source = Source(stop, [Tick([bad, quote("MSFT", 30.0, open=None)]), Tick([quote("AAPL", 101.0, open=None)])])
    _play(source, stop)
    assert {ticker: found.price for ticker, found in quotes.latest(["AAPL", "MSFT"]).items()} == {
        "AAPL": 101.0, "MSFT": 30.0,
    }  # fmt: skip


def test_a_source_that_breaks_is_asked_anew(stop, apple, quote):
    _play(Source(stop, [KeyError("a bug")], [Tick([quote("AAPL", 101.0, open=None)])]), stop)
    assert quotes.latest(["AAPL"])["AAPL"].price == 101.0


def test_a_source_that_cannot_say_how_it_is_keeps_the_lease_and_the_sign_of_life(stop):
    lease = Lease("feed", 3)
    lease.take()
    with Pulse("feed", Source(stop), lease, stop):
        _until(lambda: heartbeats.last("feed"))
    assert not stop.is_set()


def _play(source: Source, stop: threading.Event) -> None:
    lease = Lease("feed", 60)
    lease.take()
    Feed(source, stop, lease).play(Pulse("feed", source, lease, stop))


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
