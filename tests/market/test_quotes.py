"""Quotes: the newest good price stays, and every price is in the database a few seconds later."""

import math
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import OperationalError

from market import quotes
from market.models import Snapshot, Symbol
from market.prices import DAY
from market.providers import recording

AT = datetime(2024, 7, 2, 15, 0, tzinfo=UTC)
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("apple")]


def newest(ticker: str = "AAPL") -> float | None:
    found = quotes.latest([ticker])[ticker]
    return found and found.price


def test_a_quote_comes_back_whole(quote):
    kept = [quote("AAPL", 101.5, previous_close=None, volume=12, open=0.1 + 0.2), quote("^GSPC", 5000.0, is_final=True)]
    assert quotes.keep(kept) == kept
    assert quotes.latest(["AAPL", "^GSPC", "NOPE"]) == {"AAPL": kept[0], "^GSPC": kept[1], "NOPE": None}
    assert quotes.latest([]) == {}


@pytest.mark.parametrize("price", [math.nan, math.inf, -math.inf, 0.0, -1.0])
@pytest.mark.parametrize("field", ["price", "previous_close", "low"])
def test_what_is_no_price_is_refused_and_the_last_good_one_stays(quote, field, price):
    quotes.keep([quote("AAPL", 101.5)])
    assert quotes.keep([replace(quote("AAPL", 102.0), **{field: price})]) == []
    assert newest() == 101.5


def test_an_older_price_that_comes_late_is_refused(quote):
    older, newer = quote("AAPL", 101), quote("AAPL", 102)
    assert quotes.keep([newer, older]) == [newer]
    assert quotes.keep([older]) == []
    assert newest() == 102


def test_one_bad_quote_of_a_batch_is_left_out_alone(quote):
    good, bad, other = quote("AAPL", 101), quote("MSFT", math.nan), quote("IBM", 190)
    assert quotes.keep([good, bad, other]) == [good, other]


def test_within_a_session_known_to_the_day_the_last_to_come_counts(quote):
    session = {"as_of": datetime(2012, 9, 4, tzinfo=UTC), "as_of_precision": DAY}
    quotes.keep([quote("AAPL", price, **session) for price in (665, 664, 675)])
    assert newest() == 675
    assert quotes.keep([quote("AAPL", 660, **{**session, "as_of": datetime(2012, 8, 31, tzinfo=UTC)})]) == []


def test_the_same_quote_again_is_taken_and_stored_once(quote):
    again = quote("AAPL", 101)
    quotes.keep([again])
    assert quotes.keep([again]) == [again]
    quotes.flush(AT)
    assert Snapshot.objects.count() == 1


def test_a_batch_costs_one_round_trip(quote, redis, monkeypatch):
    monkeypatch.setattr(quotes, "_flushed_at", datetime.now(UTC))
    redis.config_resetstat()
    quotes.keep([quote(ticker, 100) for ticker in recording.TICKERS * 20])
    assert redis.info("commandstats")["cmdstat_eval"]["calls"] == 1


def test_threads_that_race_end_with_the_newest(quote):
    made = [quote("AAPL", 100 + number) for number in range(200)]
    threads = [threading.Thread(target=quotes.keep, args=(made[part::4][::-1],)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert newest() == 299


@pytest.mark.db
def test_every_accepted_quote_becomes_a_snapshot_in_one_insert(quote, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(quotes, "_flushed_at", datetime.now(UTC))
    made = [quote("AAPL", 100 + number / 8) for number in range(50)]
    quotes.keep([*made, quote("NOPE", 1.0)])
    with django_assert_num_queries(2):
        quotes.flush(AT)
    assert list(Snapshot.objects.order_by("as_of").values_list("price", flat=True)) == [one.price for one in made]
    assert Snapshot.objects.earliest("as_of").session_date == date(2012, 9, 4)
    assert quotes.flush(AT) == 0


@pytest.mark.db
def test_what_a_crash_left_half_written_is_written_once(quote, monkeypatch):
    monkeypatch.setattr(quotes, "_flushed_at", datetime.now(UTC))
    quotes.keep([quote("AAPL", 101), quote("AAPL", 102)])
    write = quotes.store

    def dies_after(rows):
        write(rows)
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(quotes, "store", dies_after)
    with pytest.raises(OperationalError):
        quotes.flush(AT)
    monkeypatch.setattr(quotes, "store", write)
    quotes.keep([quote("AAPL", 103)])
    quotes.flush(AT)
    quotes.flush(AT)
    assert sorted(Snapshot.objects.values_list("price", flat=True)) == [101, 102, 103]


def test_prices_go_on_while_the_database_is_away(quote, monkeypatch):
    def refuses(rows):
        raise OperationalError("no connection")

    monkeypatch.setattr(quotes, "_flushed_at", AT)
    monkeypatch.setattr(quotes, "store", refuses)
    assert quotes.keep([quote("AAPL", 101)])
    assert newest() == 101
    monkeypatch.undo()
    assert quotes.flush(AT) == 1


def test_the_buffer_is_bounded_and_the_oldest_go(quote, monkeypatch):
    monkeypatch.setattr(quotes, "BUFFER", 3)
    monkeypatch.setattr(quotes, "_flushed_at", datetime.now(UTC))
    for price in range(1, 6):
        quotes.keep([quote("AAPL", price)])
    quotes.flush(AT)
    assert sorted(Snapshot.objects.values_list("price", flat=True)) == [3, 4, 5]


@pytest.mark.parametrize(
    ("state", "age", "freshness"),
    [
        ("open", 5, "live"),
        ("open", 15 * 60, "delayed"),
        ("open", 3600, "stale"),
        ("pre", 5, "live"),
        ("post", 15 * 60, "delayed"),
        ("closed", 5, "closed"),
    ],
)
def test_freshness_is_the_age_of_the_price_while_the_market_is_open(quote, state, age, freshness):
    old = quote("AAPL", 101, market_state=state, as_of=AT - timedelta(seconds=age), received_at=AT)
    assert quotes.freshness(old, AT) == freshness


def test_a_recorded_price_is_as_fresh_as_its_receipt(quote):
    told = quote("AAPL", 101, as_of_precision=DAY, received_at=AT)
    assert quotes.freshness(told, AT + timedelta(seconds=30)) == "live"
    assert quotes.freshness(told, AT + timedelta(minutes=10)) == "stale"


def test_json_is_the_contracts_quote(quote):
    told = quote("AAPL", 101.3, previous_close=100.1, volume=7, as_of=AT, received_at=AT, market_state="closed")
    assert quotes.as_json(told, AT) == {
        "symbol": "AAPL", "current_price": 101.3, "previous_close": 100.1, "change": 1.2, "change_percent": 1.1988,
        "volume": 7, "open": 101.3, "high": 101.3, "low": 101.3, "timestamp": "2024-07-02T15:00:00Z",
        "as_of_precision": "second", "received_at": "2024-07-02T15:00:00Z", "source": "replay",
        "market_state": "closed", "freshness": "closed",
    }  # fmt: skip


def test_forgetting_leaves_nothing(quote):
    quotes.keep([quote("AAPL", 101)])
    quotes.flush(AT)
    quotes.keep([quote("AAPL", 102)])
    quotes.forget("replay")
    assert newest() is None
    assert quotes.flush(AT) == 0
    assert not Snapshot.objects.exists()
    assert Symbol.objects.exists()
