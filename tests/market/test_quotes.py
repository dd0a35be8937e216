"""Quotes: the newest good price stays, and every price is in the database a few seconds later."""

import math
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
from django.db import OperationalError, ProgrammingError, connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from market import quotes
from market.models import Snapshot
from market.prices import DAY, Quote
from market.quotes import freshness, snapshots
from market.quotes.wire import quote_fields
from market.sources.replay import recording
from monitoring import refusals

AT = datetime(2024, 7, 2, 15, 0, tzinfo=UTC)
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("apple")]


def newest(ticker: str = "AAPL") -> float | None:
    found = quotes.latest([ticker])[ticker]
    return found and found.price


def test_a_quote_comes_back_whole(quote):
    kept = [quote("AAPL", 101.5, previous_close=None, volume=12, low=100 / 3), quote("^GSPC", 5000.0, is_final=True)]
    assert quotes.keep(kept) == kept
    assert quotes.latest(["AAPL", "^GSPC", "NOPE"]) == {"AAPL": kept[0], "^GSPC": kept[1], "NOPE": None}
    assert quotes.latest([]) == {}


@pytest.mark.parametrize("price", [math.nan, math.inf, -math.inf, 0.0, -1.0])
@pytest.mark.parametrize("field", ["price", "previous_close", "low"])
def test_what_is_no_price_is_refused_and_the_last_good_one_stays(quote, field, price):
    quotes.keep([quote("AAPL", 101.5)])
    assert quotes.keep([replace(quote("AAPL", 102.0), **{field: price})]) == []
    assert newest() == 101.5


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"volume": 10**19}, "a volume of"),
        ({"volume": -1}, "a volume of"),
        ({"volume": 1.5}, "a volume of"),
        ({"price": 1e13}, "a price that is none"),
        ({"price": "101.5"}, "a price that is none"),
        ({"price": True}, "a price that is none"),
        ({"previous_close": 1e-9}, "after a close of"),
        ({"high": 100.0, "low": 103.0}, "contradict"),
        ({"market_state": "REGULAR"}, "state"),
        ({"as_of": datetime(2012, 9, 4)}, "without its zone"),  # noqa: DTZ001
        ({"as_of": datetime.now(UTC) + timedelta(days=1)}, "future"),
        ({"received_at": datetime.now(UTC) + timedelta(days=1)}, "future"),
        ({"session_date": date(2999, 1, 1)}, "no session"),
    ],
)
def test_what_can_be_no_quote_is_refused_and_counted_with_the_reason(quote, fields, reason):
    quotes.keep([quote("AAPL", 101.5)])
    assert quotes.keep([replace(quote("AAPL", 102.0), **fields)]) == []
    assert newest() == 101.5
    assert refusals.counts() == {"quotes": 1}
    (refused,) = refusals.newest("quotes")
    assert refused["what"] == "AAPL"
    assert reason in refused["why"]


def test_a_range_that_is_told_later_than_the_price_is_widened_to_hold_it(quote):
    (kept,) = quotes.keep([quote("AAPL", 103.0, open=99.0, high=102.0, low=100.0)])
    assert (kept.low, kept.open, kept.price, kept.high) == (99.0, 99.0, 103.0, 103.0)
    assert quotes.latest(["AAPL"]) == {"AAPL": kept}


FIELDS = {
    **dict.fromkeys(("price", "previous_close", "open", "high", "low"), st.one_of(st.floats(), st.integers())),
    "volume": st.one_of(st.none(), st.integers(), st.floats()),
    "as_of": st.datetimes(timezones=st.just(UTC)),
    "session_date": st.dates(),
}


@hypothesis(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries({}, optional=FIELDS))
def test_whatever_a_quote_says_the_next_one_is_kept_and_stored(fields):
    good = Quote("AAPL", 101, 100, 101, 101, 101, 7, AT.date(), AT, "second", AT, "replay", "open")
    for kept in quotes.keep([replace(good, **fields)]):
        assert kept.low <= kept.price <= kept.high
    now = datetime.now(UTC)
    after = replace(good, as_of=now, session_date=now.date(), received_at=now)
    assert quotes.keep([after]) == [after]
    quotes.flush(AT)
    assert Snapshot.objects.filter(as_of=now, price=101).exists()


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


def twice(step: Callable) -> object:
    """As who insists where the first answer was lost."""
    step()
    return step()


def test_a_batch_whose_answer_was_lost_is_kept_once_and_answered_as_it_was(quote, redis):
    late, *made = [quote("AAPL", price) for price in (100, 101, 102)]
    assert quotes.keep([*made, late], insist=twice) == made
    assert redis.llen(quotes.FORMAT.key("snapshots")) == len(made)
    assert quotes.keep(made) == made[-1:]


def test_a_batch_costs_one_round_trip(quote, redis):
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
def test_every_accepted_quote_becomes_a_snapshot_in_one_insert(quote):
    made = [quote("AAPL", 100 + number / 8) for number in range(50)]
    quotes.keep([*made, quote("NOPE", 1.0)])
    with CaptureQueriesContext(connection) as asked:
        quotes.flush(AT)
    assert len([query for query in asked if query["sql"].startswith("INSERT")]) == 1
    assert list(Snapshot.objects.order_by("as_of").values_list("price", flat=True)) == [one.price for one in made]
    assert Snapshot.objects.earliest("as_of").session_date == date(2012, 9, 4)
    assert quotes.flush(AT) == 0


@pytest.mark.db
def test_what_a_crash_left_half_written_is_written_once(quote, monkeypatch):
    quotes.keep([quote("AAPL", 101), quote("AAPL", 102)])
    write = quotes.store

    def dies_after(rows):
        write(rows)
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(snapshots, "store", dies_after)
    with pytest.raises(OperationalError):
        quotes.flush(AT)
    monkeypatch.setattr(snapshots, "store", write)
    quotes.keep([quote("AAPL", 103)])
    quotes.flush(AT)
    quotes.flush(AT)
    assert sorted(Snapshot.objects.values_list("price", flat=True)) == [101, 102, 103]


def test_prices_are_kept_without_the_database(quote, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert quotes.keep([quote("AAPL", 101), quote("GOOG", 700)])
    assert newest() == 101


@pytest.mark.db
def test_a_snapshot_that_the_database_refuses_is_set_aside_and_the_others_are_written(quote, redis):
    quotes.keep([quote("AAPL", 101)])
    redis.lpush("finstage:snapshots", orjson.dumps(quote("AAPL", 102, volume=10**19)))  # an older version let it in
    quotes.keep([quote("AAPL", 103, source="a name that is longer than its column"), quote("AAPL", 104)])
    assert quotes.flush(AT) == 4
    assert {101, 104} <= set(Snapshot.objects.values_list("price", flat=True))
    assert refusals.newest("quotes")[0]["why"].startswith("a volume of")
    assert quotes.flush(AT) == 0


@pytest.mark.db
def test_a_row_among_many_that_the_database_refuses_does_not_take_them_along(quote, monkeypatch):
    monkeypatch.setattr(quotes.checks, "quote_fault", lambda quote, now, may_be_negative: None)
    made = [quote("AAPL", 100 + number, volume=10**19 if number == 37 else None) for number in range(100)]
    assert quotes.store(made) == 99
    assert Snapshot.objects.count() == 99
    assert refusals.counts() == {"snapshots": 1}


def test_snapshots_that_can_not_be_written_wait(quote, monkeypatch):
    def is_ill(rows):
        raise ProgrammingError("there is no such table")

    quotes.keep([quote("AAPL", 101)])
    monkeypatch.setattr(snapshots, "_flushed_at", AT)
    monkeypatch.setattr(snapshots, "store", is_ill)
    for _ in range(2):  # what failed is due again at once
        with pytest.raises(ProgrammingError):
            quotes.flush_when_due(datetime.now(UTC))
    monkeypatch.undo()
    assert quotes.flush_when_due(datetime.now(UTC)) == 1
    assert quotes.flush_when_due(datetime.now(UTC)) == 0


def test_a_clock_that_was_set_back_does_not_put_the_next_flush_off(quote, monkeypatch):
    monkeypatch.setattr(snapshots, "_flushed_at", datetime.now(UTC) + timedelta(days=1))
    quotes.keep([quote("AAPL", 101)])
    assert quotes.flush_when_due(datetime.now(UTC)) == 1


def test_a_quote_that_a_wrong_clock_dated_into_the_future_gives_way_once_it_is_right(quote, redis):
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    held = quote("AAPL", 99, as_of=tomorrow)
    redis.hset("finstage:quotes", "AAPL", b"%d %s" % (tomorrow.timestamp() * 1e6, orjson.dumps(held)))
    assert quotes.keep([quote("AAPL", 101)])
    assert newest() == 101


def test_the_buffer_is_bounded_and_the_oldest_go(quote, monkeypatch):
    monkeypatch.setattr(snapshots, "BUFFER", 3)
    for price in range(1, 6):
        quotes.keep([quote("AAPL", price)])
    quotes.flush(AT)
    assert sorted(Snapshot.objects.values_list("price", flat=True)) == [3, 4, 5]


@pytest.mark.parametrize(
    ("state", "age", "word"),
    [
        ("open", 5, "live"),
        ("open", 15 * 60, "delayed"),
        ("open", 3600, "stale"),
        ("pre", 3600, "closed"),
        ("post", 15 * 60, "closed"),
        ("closed", 5, "closed"),
    ],
)
def test_freshness_is_the_age_of_the_price_while_the_market_is_open(quote, state, age, word):
    old = quote("AAPL", 101, market_state=state, as_of=AT - timedelta(seconds=age), received_at=AT)
    assert freshness.of(old, AT) == word


def test_a_recorded_price_is_as_fresh_as_its_receipt(quote):
    told = quote("AAPL", 101, as_of_precision=DAY, received_at=AT)
    assert freshness.of(told, AT + timedelta(seconds=30)) == "live"
    assert freshness.of(told, AT + timedelta(minutes=10)) == "stale"


@pytest.mark.parametrize("precision", ["second", DAY])
def test_a_price_from_the_future_is_not_live(quote, precision):
    told = quote("AAPL", 101, as_of_precision=precision, as_of=AT, received_at=AT)
    assert freshness.of(told, AT - timedelta(days=1)) == "stale"


def test_json_is_the_contracts_quote(quote):
    told = quote("AAPL", 101.3, previous_close=100.1, volume=7, as_of=AT, received_at=AT, market_state="closed")
    assert quotes.as_json(told, AT, None) == {
        "symbol": "AAPL", "current_price": 101.3, "previous_close": 100.1, "change": 1.2, "change_percent": 1.1988,
        "volume": 7, "open": 101.3, "high": 101.3, "low": 101.3, "timestamp": "2024-07-02T15:00:00Z",
        "session_date": "2012-09-04", "as_of_precision": "second", "received_at": "2024-07-02T15:00:00Z",
        "source": "replay",
        "market_state": "closed", "freshness": "closed", "closed_until": None, "extended": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("price", "before", "change"),
    [(8.025e-6, 7.94e-6, 8.5e-8), (100129.64, 100838.94, -709.3), (644.98, 640.91, 4.07), (700123.45, 700123.44, 0.01)],
)
def test_a_change_is_told_as_exactly_as_its_prices(quote, price, before, change):
    assert quote_fields(quote("AAPL", price, previous_close=before))["change"] == change


def test_what_is_dropped_is_no_quote_any_more_and_an_older_one_may_come(quote):
    quotes.keep([quote("AAPL", 102)])
    quotes.drop()
    assert newest() is None
    assert quotes.keep([quote("AAPL", 101, as_of=AT - timedelta(days=300))])


def test_what_is_not_stored_becomes_no_snapshot_and_leaves_the_others(quote):
    quotes.keep([quote("AAPL", 101)])
    assert quotes.keep([quote("AAPL", 102)], are_stored=False)
    assert newest() == 102
    assert quotes.flush(AT) == 1
    assert [each.price for each in Snapshot.objects.all()] == [101]


def test_what_moved_up_while_two_processes_wrote_the_same_is_not_lost(monkeypatch, quote):
    quotes.keep([quote("AAPL", 101.0)])
    writes, once = [], snapshots.store

    def written_by_another_meanwhile(taken):
        stored = once(taken)
        if not writes:
            writes.append(1)
            redis_client = snapshots.redis.client()
            redis_client.delete(snapshots.FORMAT.key("snapshots", "writing"))  # the other one is done
            quotes.keep([quote("AAPL", 102.0)])
            redis_client.rename(snapshots.FORMAT.key("snapshots"), snapshots.FORMAT.key("snapshots", "writing"))
        return stored

    monkeypatch.setattr(snapshots, "store", written_by_another_meanwhile)
    quotes.flush(AT)
    quotes.flush(AT)
    assert sorted(Snapshot.objects.values_list("price", flat=True)) == [101.0, 102.0]


def test_of_many_at_once_those_are_left_out_that_are_older_wherever_they_stand(quote):
    held = [quote(f"S{number}", 100) for number in range(1200)]
    at = {0: -1, 499: -1, 500: -1, 1100: 1, 1199: -1}
    told = [replace(each, as_of=each.as_of + timedelta(hours=at.get(place, 0))) for place, each in enumerate(held)]
    twice = replace(told[1100], as_of=held[1100].as_of, price=101.0)  # older than the same symbol's in the same call
    assert quotes.keep(held) == held
    assert quotes.keep([*told, twice]) == [each for place, each in enumerate(told) if at.get(place, 0) >= 0]
    assert quotes.latest(["S1100", "S1199"]) == {"S1100": told[1100], "S1199": held[1199]}
