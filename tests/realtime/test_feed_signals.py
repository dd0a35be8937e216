"""What the feed tells of signals, whoever saw them."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from analysis.models import Signal, UntoldSignal
from analysis.seen import rows
from analysis.seen.rows import Seen
from market import prices
from market.models import DataSource
from market.prices import Quote
from market.sources import Tick
from monitoring.loops import Loop
from realtime import messages
from realtime.models import Event
from tests.realtime.test_feed import live, new_feed, play, published, replay, source_row, stop  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.db]
AT = datetime(2012, 9, 5, 9, tzinfo=UTC)
SEEN = Seen(
    "AAPL", "golden_cross", prices.midnight(AT.date()), AT.date(), prices.CLOSED_BAR, 670.23, {"sma_50": 1.0}, "replay",
    AT, "0199c1f1a3b27e0f6f0a3f5d1c4e8b2a",
)  # fmt: skip


@pytest.fixture
def feed(replay):  # noqa: F811
    feed, batches = replay("2012-09-04")
    play(feed, batches, until="2012-09-04")
    return feed


def look(feed) -> None:
    feed._rows._signals_at = 0.0
    with Loop("test", every_seconds=1) as loop, loop.turn():
        feed._rows.catch_up(loop)


def told(ticker: str = "AAPL") -> list[dict]:
    return published(f"signals:{ticker}")


def test_a_signal_is_told_once_in_each_of_its_states_and_written_down(feed):
    rows.keep([SEEN], 1)
    look(feed)
    look(feed)
    [first] = told()
    row = Signal.objects.get()
    assert (first["type"], first["stream"], first["id"], first["rule"]) == ("signal", "signals:AAPL", row.pk, row.rule)
    assert (first["direction"], first["state"], first["price"], first["record"]) == ("up", "provisional", 670.23, None)
    assert first["session_date"] == "2012-09-05"
    Signal.objects.update(state="withdrawn", holds=False)
    UntoldSignal.objects.create(signal=row)
    look(feed)
    assert [each["state"] for each in told()] == ["provisional", "withdrawn"]
    assert [json.loads(each.body)["state"] for each in Event.objects.filter(stream="signals:AAPL")] == [
        "provisional", "withdrawn",
    ]  # fmt: skip
    assert not UntoldSignal.objects.exists()


def test_what_a_crash_left_untold_the_next_feed_tells_and_tells_nothing_twice(feed, monkeypatch):
    rows.keep([SEEN], 1)
    mark = rows.mark_told
    monkeypatch.setattr(rows, "mark_told", lambda owed: (_ for _ in ()).throw(SystemExit))  # told, and then it ended
    with pytest.raises(SystemExit):
        look(feed)
    monkeypatch.setattr(rows, "mark_told", mark)
    assert len(told()) == 1
    look(new_feed())
    assert len(told()) == 1
    assert not UntoldSignal.objects.exists()


def test_one_that_cannot_be_told_holds_up_no_other(feed, monkeypatch):
    rows.keep([SEEN, replace(SEEN, rule="death_cross"), replace(SEEN, rule="gap_up")], 1)
    real = messages.signal

    def breaks(fields: dict):
        if fields["rule"] == "death_cross":
            raise ValueError("broken")
        return real(fields)

    monkeypatch.setattr(messages, "signal", breaks)
    look(feed)
    assert [each["rule"] for each in told()] == ["golden_cross", "gap_up"]
    assert not UntoldSignal.objects.exists()


def test_of_a_pass_that_has_ended_nothing_is_told(feed):
    rows.keep([SEEN], 1)
    DataSource.objects.update(pass_number=2)
    feed._rows._pass = 2
    look(feed)
    assert told() == []


def test_a_live_feed_tells_what_fires_as_its_bar_forms_and_once_with_the_close(live, monkeypatch):  # noqa: F811
    feed = live("2012-09-04")
    seen = {}
    for state in (prices.FORMING, prices.FORMING, prices.CLOSED_BAR):
        feed.take(Tick([gap_up(state)]))
        feed._rows._bars.watch._look_at = 0.0
        look(feed)
        seen = {each["rule"]: each for each in told()}
    assert len(told()) == len(seen)
    assert {"gap_up", "year_high"} <= seen.keys()
    assert (seen["gap_up"]["state"], seen["gap_up"]["session_date"]) == ("provisional", "2012-09-04")
    assert set(Signal.objects.values_list("seen_by", flat=True)) == {"live"}
    assert Signal.objects.count() == len(seen)
    other = new_feed(feed._source)
    other.take(Tick([gap_up(prices.CLOSED_BAR)]))
    look(other)
    assert len(told()) == len(seen)


def gap_up(state: str) -> Quote:
    return Quote(
        ticker="AAPL", price=905.0, previous_close=665.24, open=900.0, high=910.0, low=899.0, volume=20_000_000,
        session_date=date(2012, 9, 4), as_of=datetime(2012, 9, 4, 15, tzinfo=UTC), as_of_precision="second",
        received_at=datetime(2012, 9, 4, 15, tzinfo=UTC), source="replay", is_final=False, state=state,
        market_state="open",
    )  # fmt: skip
