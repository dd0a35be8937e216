"""Prices of before and after sessions in the feed: told beside a close, and nothing follows them."""

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import jsonschema
import pytest

from market import quotes
from market.models import Bar, CorporateAction, DataSource, Record, Snapshot
from market.prices import Extended
from market.quotes import extended
from market.sources import Tick
from monitoring import refusals
from realtime import messages
from realtime.feed import Feed
from realtime.models import Alert, AlertRule
from tests.realtime.test_feed import new_feed, published
from tests.realtime.test_feed_lanes import Live

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
TODAY, TOMORROW = date(2026, 6, 8), date(2026, 6, 9)


@pytest.fixture
def close(apple, quote):
    DataSource.objects.create(pk=1, name="yahoo", reason="a test", chosen_at=datetime.now(UTC))
    at = datetime(2026, 6, 8, 20, tzinfo=UTC)
    return quote("AAPL", 100.0, previous_close=90.0, session_date=TODAY, as_of=at, received_at=at, source="yahoo",
                 market_state="post")  # fmt: skip


@pytest.fixture
def feed(close) -> Feed:
    return _fed(Tick([close]))


def beside(price: float, seconds: int = 0, **facts: object) -> Extended:
    at = datetime.now(UTC) - timedelta(minutes=5) + timedelta(seconds=seconds)
    usual = {"session": "post", "session_date": TODAY, "beside": TODAY, "until": datetime.now(UTC) + timedelta(hours=1)}
    return Extended(ticker="AAPL", price=price, as_of=at, received_at=at, **{**usual, **facts})


def told() -> dict:
    return published("prices:AAPL")[-1]


def test_it_is_told_beside_the_close_and_what_a_session_has_stays(feed, close):
    before = quotes.latest(["AAPL"])["AAPL"]
    feed.take(Tick([], [beside(101.5)]))
    message = told()
    jsonschema.validate(message, messages.schema()["$defs"]["messages"]["price_update"])
    assert (message["extended"]["price"], message["extended"]["change"]) == (101.5, 1.5)
    same = {name: value for name, value in message.items() if name not in ("extended", "seq")}
    assert same == {
        name: value for name, value in published("prices:AAPL")[0].items() if name not in ("extended", "seq")
    }
    assert replace(quotes.latest(["AAPL"])["AAPL"], extended=None) == before


def test_it_makes_no_bar_no_record_no_snapshot_and_rings_no_rule(feed):
    AlertRule.objects.create(kind="price_above", level=105)
    AlertRule.objects.create(kind="plunge", level=-5)
    feed.facts.expire()
    quotes.flush(datetime.now(UTC))
    before = _rows(), len(published("bars:AAPL")), len(published("indicators:AAPL"))
    for price, seconds in ((110.0, 1), (60.0, 2), (110.0, 3)):
        feed.take(Tick([], [beside(price, seconds)]))
    quotes.flush(datetime.now(UTC))
    assert (_rows(), len(published("bars:AAPL")), len(published("indicators:AAPL"))) == before
    assert not Alert.objects.exists()
    assert told()["extended"]["price"] == 110.0


def test_an_older_one_is_not_told_after_a_newer(feed):
    feed.take(Tick([], [beside(101.5, 2)]))
    feed.take(Tick([], [beside(99.0, 1)]))
    assert (told()["extended"]["price"], len(published("prices:AAPL"))) == (101.5, 2)


def test_the_quote_that_follows_it_tells_it_too_also_after_a_restart(feed, close):
    feed.take(Tick([], [beside(101.5)]))
    settled = replace(close, price=100.5, received_at=close.received_at + timedelta(minutes=1))
    _fed(Tick([settled]))
    assert (told()["current_price"], told()["extended"]["price"], told()["extended"]["change"]) == (100.5, 101.5, 1.0)


def test_it_goes_when_the_session_opens(feed):
    feed.take(Tick([], [beside(101.5, until=datetime.now(UTC) + timedelta(seconds=0.5))]))
    threading.Event().wait(0.6)
    feed.take(Tick([], [], ["AAPL"]))
    assert told()["extended"] is None
    assert extended.held() == {}


def test_one_that_came_since_and_still_stands_is_not_taken_away(feed):
    feed.take(Tick([], [beside(101.5)]))
    feed.take(Tick([], [], ["AAPL"]))
    assert told()["extended"]["price"] == 101.5
    assert list(extended.held()) == ["AAPL"]


def test_what_is_over_is_dropped_also_where_this_feed_never_knew_it(feed):
    extended.keep([beside(101.5)])
    feed.take(Tick([], [], ["AAPL"]))
    assert extended.held() == {}
    assert told()["extended"] is None


def test_one_that_was_doubted_before_the_session_confirms_none_behind_it(feed):
    feed.take(Tick([], [beside(1000.0)]))
    feed.take(Tick([], [], ["AAPL"]))
    feed.take(Tick([], [beside(1010.0, 1)]))
    assert told()["extended"] is None
    assert refusals.counts() == {"unconfirmed": 2}


def test_it_goes_with_the_first_price_of_the_next_session(feed, close):
    feed.take(Tick([], [beside(101.5)]))
    opened = close.as_of + timedelta(hours=18)
    feed.take(Tick([replace(close, session_date=TOMORROW, as_of=opened, received_at=opened, market_state="open")]))
    assert told()["extended"] is None
    assert quotes.latest(["AAPL"])["AAPL"].extended is None


def test_on_the_day_of_a_split_it_counts_from_the_close_in_its_own_shares(feed, apple):
    CorporateAction.objects.create(
        symbol=apple, kind="split", ex_date=TOMORROW, value=4.0, source="yahoo", received_at=datetime.now(UTC)
    )
    feed.take(Tick([], [beside(25.5, session="pre", session_date=TOMORROW)]))
    assert (told()["extended"]["change"], told()["extended"]["change_percent"]) == (0.5, 2.0)
    assert told()["current_price"] == 100.0


def test_one_far_from_its_close_waits_for_a_second(feed):
    feed.take(Tick([], [beside(1000.0)]))
    assert (len(published("prices:AAPL")), refusals.counts()) == (1, {"unconfirmed": 1})
    feed.take(Tick([], [beside(100.5, 1)]))
    feed.take(Tick([], [beside(1000.0, 2)]))
    assert told()["extended"]["price"] == 100.5
    feed.take(Tick([], [beside(1010.0, 3)]))
    assert told()["extended"]["price"] == 1010.0


def test_one_without_a_quote_waits_for_it(close):
    _fed(Tick([], [beside(101.5)]))
    assert published("prices:AAPL") == []
    _fed(Tick([close]))
    assert told()["extended"]["price"] == 101.5


def _rows() -> list[int]:
    return [model.objects.count() for model in (Bar, Record, Snapshot)]


def _fed(tick: Tick) -> Feed:
    feed = new_feed(Live())
    feed.take(tick)
    return feed
