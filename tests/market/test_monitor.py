"""The price monitor and the previous closes: no symbol stays without a price that could have one."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from market import bars, monitor, quotes
from market.models import Bar as BarRow
from market.models import Snapshot, Symbol
from market.sources import ProviderError
from market.sources.yahoo import asking
from monitoring import jobs
from monitoring.jobs.running.context import Current, entered
from monitoring.jobs.running.fan_out import NothingDone
from monitoring.models import Job
from tests import recorded as recording
from tests.market.yahoo_charts import made_chart

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("apple")]


@pytest.fixture
def always_open(monkeypatch):
    monkeypatch.setattr(monitor.hours, "is_open", lambda exchange="", *, has_hours: True)


@pytest.fixture
def always_closed(monkeypatch):
    monkeypatch.setattr(monitor.hours, "is_open", lambda exchange="", *, has_hours: False)


def told(quote, seconds_ago: float, **fields) -> None:
    at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    quotes.keep([quote("AAPL", 100, as_of=at, received_at=at, source="yahoo", **fields)])


def test_a_symbol_that_is_streamed_is_left_alone(quote, always_open):
    told(quote, seconds_ago=10)
    assert monitor.look() == {"tracked": 1, "open": ["XNAS"], "silent": [], "task_ids": []}
    assert not Job.objects.exists()


@pytest.mark.parametrize("seconds_ago", [150, None])
def test_a_silent_symbol_of_an_open_exchange_is_asked_about(quote, always_open, seconds_ago):
    if seconds_ago:
        told(quote, seconds_ago)
    answer = monitor.look()
    assert Job.objects.get(name="market.quotes").arguments == {"symbols": ["AAPL"]}
    assert (answer["silent"], answer["task_ids"]) == (["AAPL"], [str(Job.objects.get().pk)])


def test_a_symbol_whose_price_was_received_in_the_future_is_silent(quote, always_open, redis):
    told(quote, seconds_ago=10)
    held = replace(quotes.latest(["AAPL"])["AAPL"], received_at=datetime.now(UTC) + timedelta(days=1))
    redis.hset("finstage:quotes", "AAPL", b"0 " + quotes.FORMAT.pack(held))
    assert monitor.look()["silent"] == ["AAPL"]


def test_one_symbol_of_an_exchange_without_a_calendar_does_not_end_the_look(hold, apple):
    hold("yahoo")
    for ticker, exchange in (("600519.SS", "XSHG"), ("NIIS.BE", "XBEL"), ("ODD", "no exchange")):
        Symbol.objects.create(ticker=ticker, name=ticker, exchange=exchange, currency="EUR", time_zone="UTC")
    assert monitor.look()["tracked"] == 4


def test_a_recording_is_not_asked(always_open, hold):
    hold("replay")
    assert monitor.look() == {"tracked": 1, "open": ["XNAS"], "silent": ["AAPL"], "task_ids": []}
    assert not Job.objects.exists()


def test_while_the_source_is_still_asked_it_is_not_asked_again(always_open):
    monitor.look()
    assert monitor.look()["task_ids"] == []
    Job.objects.update(state="completed", lane=None)
    assert len(monitor.look()["task_ids"]) == 1


def test_a_close_that_we_hold_is_old_once_the_exchange_is_open(always_open):
    store_two_sessions()
    BarRow.objects.update(received_at=datetime.now(UTC) - timedelta(days=1))
    monitor.keep_closes(["AAPL"])
    assert monitor.look()["silent"] == ["AAPL"]


def test_while_its_exchange_is_closed_an_old_price_is_the_last_one(quote, always_closed):
    told(quote, seconds_ago=10_000)
    assert monitor.look()["silent"] == []


def test_a_symbol_of_which_the_source_names_no_price_did_not_come(wire, hold):
    hold("yahoo")
    Symbol.objects.create(ticker="SILENT", name="S", exchange="XNAS", currency="USD", time_zone="UTC")
    wire.charts["AAPL"] = made_chart("AAPL")
    with entered(Current(None)) as running:
        answer = monitor.ask(["AAPL", "SILENT", "NOPE"])
    assert running.parts == {"AAPL": "", **answer["failed"]}
    assert set(answer["failed"]) == {"SILENT", "NOPE"}


@pytest.mark.db
def test_the_source_is_asked_and_its_price_kept_with_where_it_came_from(wire, hold):
    hold("yahoo")
    wire.charts["AAPL"] = made_chart("AAPL")
    answer = monitor.ask(["AAPL", "NOPE"])
    assert (answer["source"], answer["done"], list(answer["failed"])) == ("yahoo", ["AAPL"], ["NOPE"])
    assert quotes.latest(["AAPL"])["AAPL"].source == "yahoo"
    assert Snapshot.objects.count() == 1


def test_a_source_that_is_down_fails_the_job(wire, hold):
    hold("yahoo")
    wire.fail("chart", "500", times=asking.ATTEMPTS)
    with pytest.raises(ProviderError) as error:
        monitor.ask(["AAPL"])
    assert error.value.temporary


def test_a_recording_that_nobody_plays_says_what_is_missing(hold):
    hold("replay")
    with pytest.raises(ProviderError, match="while a feed plays it"):
        monitor.ask(["AAPL"])


@pytest.mark.db
def test_the_last_close_is_kept_once_and_shown_where_there_is_no_price():
    store_two_sessions()
    for _ in range(2):
        answer = jobs.everything()["market.previous_close"]()
    assert answer == {"done": {"AAPL": {"close": 674.97, "session": "2012-09-04"}}, "failed": {}}
    quotes.flush(datetime.now(UTC))
    snapshot = Snapshot.objects.get()
    assert (snapshot.price, snapshot.previous_close, snapshot.source) == (674.97, 665.24, "replay")
    shown = quotes.latest(["AAPL"])["AAPL"]
    assert (shown.price, shown.market_state, shown.as_of_precision) == (674.97, "closed", "day")


def test_a_newer_price_is_not_hidden_by_the_last_close(quote):
    store_two_sessions()
    told(quote, seconds_ago=1)
    monitor.keep_closes(["AAPL"])
    assert quotes.latest(["AAPL"])["AAPL"].price == 100


def test_a_symbol_without_bars_fails_alone():
    store_two_sessions()
    told = monitor.keep_closes(["AAPL", "NOPE"])
    assert (list(told["done"]), list(told["failed"])) == (["AAPL"], ["NOPE"])


def test_closes_of_which_none_came_are_a_job_that_failed():
    with pytest.raises(NothingDone, match="None of 2 came to anything; AAPL: no_bars"):
        monitor.keep_closes(["AAPL", "NOPE"])


def store_two_sessions() -> None:
    bars.upsert(recording.bars("AAPL", date(2012, 9, 5), datetime.now(UTC))[-2:])
