"""Bars within sessions on their way through the feed: told on their streams, closed as rows, settled by the source."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from market import bars, coverage, intervals, prices, watchlists
from market.bars import forming
from market.bars.forming.within import LATE
from market.calendars import sessions
from market.models import Bar, BarRevision, DataSource, Symbol
from market.prices import Bar as Told
from realtime.feed import within
from realtime.feed.within import BarsWithin
from realtime.kinds import BARS
from tests.market.test_forming import quote

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
DAY = sessions.before("XNAS", datetime.now(UTC).date() - timedelta(days=3))
OPENS = sessions.hours("XNAS", DAY)[0]
HOMES = [("XNAS", ["AAPL"])]


def insist(work: Callable) -> object:
    return work()


@pytest.fixture
def feed(apple) -> BarsWithin:
    DataSource.objects.create(pk=1, name="yahoo", reason="a test", chosen_at=datetime.now(UTC))
    forming.forget()
    made = BarsWithin()
    made.open({BARS.of("AAPL", name) for name in intervals.ALL}, insist)
    heard = quote(OPENS - timedelta(hours=1), 9.0, market_state="pre")
    assert made.moved([heard], HOMES, insist) == []
    return made


def move(feed: BarsWithin, seconds: int, price: float, *, is_whole: bool = False) -> dict:
    """By stream the last message, or all."""
    told = defaultdict(list)
    for message in feed.moved([quote(OPENS + timedelta(seconds=seconds), price, seconds)], HOMES, insist):
        told[message.stream].append(json.loads(message.body))
    return told if is_whole else {stream: each[-1] for stream, each in told.items()}


def hear(feed: BarsWithin) -> None:
    """The same price through the first five minutes."""
    for seconds in (5, 100, 200, 290):
        move(feed, seconds, 10.0)
    feed.told()


def test_they_are_told_on_their_streams_while_they_form_and_wait_where_all_see_them(feed):
    told = move(feed, 5, 10.0)
    assert sorted(told) == [f"bars:AAPL@{name}" for name in ("15m", "1h", "30m", "5m")]
    assert (told["bars:AAPL@5m"]["state"], told["bars:AAPL@5m"]["interval"]) == ("forming", "5m")
    move(feed, 15, 11.0)
    assert forming.latest(["AAPL"], interval="5m")["AAPL"].high == 11.0
    assert bars.history("AAPL", interval="15m")[-1].close == 11.0
    assert not Bar.objects.exists()


def test_at_their_end_they_are_closed_and_stored(feed):
    hear(feed)
    over = feed.over(OPENS + timedelta(minutes=5) + LATE, insist)
    [told] = [json.loads(each.body) for each in over]
    assert (told["interval"], told["state"]) == ("5m", "closed")
    row = Bar.objects.get()
    assert (row.interval, row.opened_at, row.state, row.close) == ("5m", OPENS, "closed", 10.0)
    assert forming.latest(["AAPL"], interval="5m")["AAPL"] is None
    assert told["version"] == coverage.latest(["AAPL"], interval="5m")["AAPL"]
    assert move(feed, 310, 11.0)["bars:AAPL@15m"]["version"] == told["version"]


def test_while_they_form_a_price_costs_no_query(feed, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(within, "LOOK_SECONDS", 600.0)
    move(feed, 5, 10.0)
    with django_assert_num_queries(0):
        assert "bars:AAPL@5m" in move(feed, 6, 11.0)


def test_the_closes_of_many_symbols_cost_as_many_queries_as_one(feed):
    facts = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    Symbol.objects.bulk_create(Symbol(ticker=ticker, name=ticker, **facts) for ticker in "ABCD")
    homes = [("XNAS", list("ABCD"))]
    feed.open({BARS.of(ticker, "5m") for ticker in "ABCD"}, insist)

    def costs(*tickers: str) -> int:
        for seconds in (-3600, 5, 100, 200, 290):
            told = quote(OPENS + timedelta(seconds=seconds), 10.0, market_state="open" if seconds > 0 else "pre")
            feed.moved([replace(told, ticker=ticker) for ticker in tickers], homes, insist)
        feed.told()
        with CaptureQueriesContext(connection) as asked:
            assert len(feed.over(OPENS + timedelta(minutes=5) + LATE, insist)) == len(tickers)
        feed.told()
        return len(asked)

    assert costs("A") == costs("B", "C", "D")


def test_what_closed_in_a_round_that_broke_is_told_when_it_is_taken_again(feed):
    hear(feed)
    feed.told(["AAPL"])
    first, again = (move(feed, 301, 11.0, is_whole=True) for _ in range(2))
    assert [each["state"] for each in first["bars:AAPL@5m"]] == ["closed", "forming"]
    assert [each["state"] for each in again["bars:AAPL@5m"]] == ["closed"]
    assert [each["state"] for each in move(feed, 305, 12.0, is_whole=True)["bars:AAPL@5m"]] == ["closed", "forming"]
    feed.told(["AAPL"])
    assert [each["state"] for each in move(feed, 310, 13.0, is_whole=True)["bars:AAPL@5m"]] == ["forming"]
    assert feed.over(OPENS, insist) == []


def test_others_write_bars_too_and_what_forms_stands_upon_those(feed, monkeypatch):
    monkeypatch.setattr(within, "LOOK_SECONDS", 0.0)
    before = move(feed, 5, 10.0)["bars:AAPL@1h"]["version"]
    yesterday = sessions.hours("XNAS", sessions.before("XNAS", DAY))[0]
    values = 10.0, 10.4, 9.8, 10.1, 500, True, "yahoo", datetime.now(UTC)
    bars.upsert([Told("AAPL", "1h", yesterday, *values, session_date=yesterday.date())])
    after = move(feed, 6, 11.0)["bars:AAPL@1h"]["version"]
    assert before != after == coverage.latest(["AAPL"], interval="1h")["AAPL"]


def test_minutes_are_those_of_what_is_on_a_watchlist(feed, django_user_model):
    reader = django_user_model.objects.create_user("reader")
    watchlists.make(reader.pk, "mine", [Symbol.objects.get()])
    assert "bars:AAPL@1m" in move(feed, 5, 10.0)
    feed.over(OPENS + timedelta(minutes=1) + LATE, insist)
    assert Bar.objects.get().interval == "1m"


def test_the_sources_own_bar_settles_it_and_is_no_revision(feed):
    hear(feed)
    feed.over(OPENS + timedelta(minutes=5) + LATE, insist)
    values = 10.0, 10.4, 9.8, 10.1, 500
    now = datetime.now(UTC)
    bars.upsert([Told("AAPL", "5m", OPENS, *values, True, "yahoo", now, session_date=DAY)], by_calendar=True)
    row = Bar.objects.get()
    assert (row.state, row.high, row.volume, row.revision) == ("final", 10.4, 500, 0)
    assert not BarRevision.objects.exists()


def test_what_is_refused_is_taken_back_and_forms_no_more(feed, monkeypatch):
    hear(feed)
    monkeypatch.setattr(prices, "LARGEST_PRICE", 9.0)
    over = [json.loads(each.body) for each in feed.over(OPENS + timedelta(minutes=5) + LATE, insist)]
    assert [(each["type"], each["stream"], each["from"], each["to"]) for each in over] == [
        ("correction", "bars:AAPL@5m", str(DAY), str(DAY))
    ]
    assert forming.latest(["AAPL"], interval="5m")["AAPL"] is None


def test_what_is_refused_takes_no_other_bar_along(feed, django_user_model, monkeypatch):
    reader = django_user_model.objects.create_user("reader")
    watchlists.make(reader.pk, "mine", [Symbol.objects.get()])
    for seconds, price in ((5, 10.0), (100, 10.0), (200, 10.0), (250, 8.0)):
        move(feed, seconds, price)
    feed.told()
    monkeypatch.setattr(prices, "LARGEST_PRICE", 9.0)
    told = move(feed, 301, 7.0, is_whole=True)
    assert {stream: [each.get("state", each["type"]) for each in found] for stream, found in told.items()} == {
        "bars:AAPL@1m": ["closed", "forming"],
        "bars:AAPL@5m": ["correction", "forming"],
        **{f"bars:AAPL@{name}": ["forming"] for name in ("15m", "30m", "1h")},
    }


def test_one_of_which_prices_were_missed_is_taken_back_and_left_to_the_source(feed):
    move(feed, 5, 10.0)
    told = move(feed, 650, 12.0)
    assert {stream: each["type"] for stream, each in told.items()} == {
        f"bars:AAPL@{name}": "correction" for name in ("5m", "15m", "30m", "1h")
    }
    assert forming.latest(["AAPL"], interval="1h")["AAPL"] is None
    feed.over(OPENS + timedelta(hours=2), insist)
    assert not Bar.objects.filter(interval="1h").exists()


def test_what_nobody_holds_is_stored_and_not_told_and_who_comes_has_it_from_then_on(feed):
    feed.open({"bars:AAPL@15m", "bars:AAPL"}, insist)
    assert sorted(move(feed, 5, 10.0)) == ["bars:AAPL@15m"]
    hear(feed)
    assert feed.over(OPENS + timedelta(minutes=5) + LATE, insist) == []
    assert Bar.objects.get().interval == "5m"
    move(feed, 310, 11.0)
    feed.told()
    feed.open({"bars:AAPL@5m", "bars:AAPL@15m"}, insist)
    late = [json.loads(each.body) for each in feed.over(OPENS, insist)]
    assert [(each["interval"], each["state"]) for each in late] == [("5m", "closed"), ("5m", "forming")]
    feed.told()
    assert feed.over(OPENS, insist) == []


def test_many_bars_are_not_compared_with_each_other(feed, monkeypatch):
    monkeypatch.setattr(Told, "__eq__", lambda one, other: pytest.fail("that is the square of them"))
    assert move(feed, 5, 10.0)


def test_of_an_exchange_without_a_calendar_there_are_none(feed):
    priced = replace(quote(OPENS + timedelta(seconds=5), 10.0), ticker="XYZ")
    assert feed.moved([priced], [("NONE", ["XYZ"])], insist) == []
