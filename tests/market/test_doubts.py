"""A bad tick: one price far off moves nothing until a second, later one confirms it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from market import quotes
from market.bars import forming
from market.models import Snapshot
from market.prices import DAY
from monitoring import refusals

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("apple")]
NEXT_DAY, MIDNIGHT = date(2012, 9, 5), datetime(2012, 9, 4, tzinfo=UTC)


@pytest.fixture
def told(quote):
    """told(price): keep a later quote with a close of 100 before it; the price that everybody has then."""

    def told(price: float, **fields) -> float:
        quotes.keep([quote("AAPL", price, **{"previous_close": 100.0, "low": None, "high": None, **fields})])
        return quotes.latest(["AAPL"])["AAPL"].price

    return told


@pytest.mark.parametrize("off", [10, 0.1, 100, 4.2, 0.24])
def test_a_price_far_off_is_told_to_nobody_and_counted(told, off):
    assert told(101) == 101
    assert told(101 * off) == 101
    assert told(102) == 102
    quotes.flush(datetime.now(UTC))
    assert sorted(Snapshot.objects.values_list("price", flat=True)) == [101, 102]
    (refused,) = refusals.newest("unconfirmed")
    assert (refused["what"], refusals.counts()["unconfirmed"]) == ("AAPL", 1)
    assert "waits for a second" in refused["why"]


def test_a_second_later_price_near_it_confirms_it(told):
    told(101)
    assert [told(1010), told(1005), told(1011)] == [101, 1005, 1011]


def test_what_confirms_a_price_is_kept_also_where_that_failed_at_first(told, quote):
    told(101)
    told(1010)
    steps = []

    def fail_at_the_second(step: Callable) -> object:
        steps.append(step)
        if len(steps) == 2:
            raise ConnectionError
        return step()

    second = quote("AAPL", 1005, previous_close=100)
    with pytest.raises(ConnectionError):
        quotes.keep([second], insist=fail_at_the_second)
    assert quotes.keep([second]) == [second]


def test_the_same_price_again_is_no_second(told, quote):
    told(101)
    bad = quote("AAPL", 1010, previous_close=100)
    assert quotes.keep([bad]) == quotes.keep([bad]) == []
    assert quotes.keep([replace(bad, received_at=bad.received_at.replace(microsecond=999))]) == []
    assert refusals.counts() == {"unconfirmed": 1}


def test_of_two_far_off_prices_apart_none_confirms_the_other(told):
    assert [told(101), told(1010), told(10), told(1010), told(1000)] == [101, 101, 101, 101, 1000]


def test_a_price_between_ends_the_doubt(told):
    assert [told(101), told(1010), told(102), told(1010)] == [101, 101, 102, 102]


def test_what_moved_far_and_was_confirmed_goes_on_from_there(told):
    assert [told(101), told(500), told(510), told(520), told(99)] == [101, 101, 510, 520, 99]


def test_the_first_price_of_all_is_measured_by_the_close_before(told, quote):
    assert quotes.keep([quote("AAPL", 1010, previous_close=100)]) == []
    assert len(quotes.keep([quote("IBM", 1010, previous_close=None)])) == 1


def test_on_a_splits_day_the_restated_close_says_that_nothing_is_wrong(told, quote):
    told(1000, previous_close=1000)
    assert told(101, previous_close=100, session_date=NEXT_DAY) == 101


def test_a_price_that_names_only_its_day_is_later_where_it_came_later(told):
    assert [told(101, as_of_precision=DAY, as_of=MIDNIGHT), told(1010, as_of_precision=DAY, as_of=MIDNIGHT)] == [
        101,
        101,
    ]
    assert told(1011, as_of_precision=DAY, as_of=MIDNIGHT) == 1011


def test_several_of_one_batch_are_compared_in_order(quote):
    prices = (101, 1010, 102, 11, 12)
    told = quotes.keep([quote("AAPL", price, previous_close=100.0) for price in prices])
    assert [each.price for each in told] == [101, 102, 12]


@pytest.mark.parametrize(
    ("field", "value", "kept"), [("high", 1010, 104), ("low", 9.9, 97), ("open", 1010, 100), ("high", 108, 108)]
)
def test_a_range_that_holds_a_bad_price_is_that_of_the_good_ones(quote, field, value, kept):
    ranged = {"previous_close": 100.0, "open": 100.0, "high": 104.0, "low": 97.0}
    quotes.keep([quote("AAPL", 101, **ranged)])
    (found,) = quotes.keep([quote("AAPL", 102, **{**ranged, field: value})])
    bar = forming.daily_bar(found)
    assert (getattr(bar, field), bar.close) == (kept, 102)


def test_a_range_that_is_told_all_day_is_counted_once(quote):
    for price in (101, 102, 103):
        quotes.keep([quote("RANGE", price, previous_close=100.0, open=100.0, low=97.0, high=1010.0)])
    assert refusals.counts() == {"unconfirmed": 1}
    quotes.keep([quote("RANGE", 103, previous_close=100.0, open=100.0, low=97.0, high=1020.0)])
    assert refusals.counts() == {"unconfirmed": 2}
    assert "high 1020.0" in refusals.newest("unconfirmed")[0]["why"]


def test_a_range_of_a_move_that_was_confirmed_stands(quote):
    for price in (101, 1010, 1015):
        quotes.keep([quote("AAPL", price, previous_close=100.0, open=100.0, low=99.0, high=1015.0)])
    (found,) = quotes.keep([quote("AAPL", 130, previous_close=100.0, open=100.0, low=99.0, high=1020.0)])
    assert found.high == 1020
