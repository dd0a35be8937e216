"""What Yahoo has been seen to send, through the whole way into the tables: what is right is kept, and nothing else."""

import copy
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest

from market import bars, history
from market.models import Bar, BarRevision, QuarantinedBar, Symbol
from market.sources import ProviderError
from market.sources.yahoo import asking
from tests.market.yahoo_charts import NEW_YORK, made_chart

pytestmark = [pytest.mark.django_db, pytest.mark.db]
DAYS = 20
LAST = date(2013, 3, 1)


def chart(**meta: object) -> dict:
    """The last twenty sessions that are recorded of AAPL."""
    made = made_chart("AAPL", **meta)
    made["timestamp"] = made["timestamp"][-DAYS:]
    made["indicators"]["quote"] = [{name: column[-DAYS:] for name, column in candles(made).items()}]
    made["events"] = {}
    return made


def candles(told: dict) -> dict[str, list]:
    return told["indicators"]["quote"][0]


def stamp(day: date, at: time) -> int:
    return int(datetime.combine(day, at, NEW_YORK).timestamp())


def load(symbol: Symbol) -> history.Filled:
    return history.fill(symbol, asking.history, "yahoo", by_calendar=True)


def held() -> dict[date, tuple]:
    return {row.session_date: (row.open, row.high, row.low, row.close, row.volume) for row in Bar.objects.all()}


@pytest.fixture
def right(wire, apple) -> dict[date, tuple]:
    """What is in the tables when nothing went wrong; they are empty again."""
    wire.charts["AAPL"] = chart()
    load(apple)
    found = held()
    Bar.objects.all().delete()
    apple.coverage.all().delete()
    assert len(found) == DAYS
    return found


def not_a_number(told: dict) -> None:
    candles(told)["close"][5] = math.nan


def null(told: dict) -> None:
    for column in candles(told).values():
        column[5] = None


def zero(told: dict) -> None:
    candles(told)["low"][5] = 0


def doubled(told: dict) -> None:
    """The last session twice: as it ended, and before that as it stood an hour earlier."""
    told["timestamp"].insert(-1, told["timestamp"][-1] - 60)
    for column in candles(told).values():
        column.insert(-1, column[-1])
    candles(told)["close"][-2] = candles(told)["low"][-2]


def midnights(told: dict) -> None:
    told["timestamp"] = [stamp(datetime.fromtimestamp(each, NEW_YORK).date(), time()) for each in told["timestamp"]]


def other_midnights(told: dict) -> None:
    """Counted with the daylight saving time that is not."""
    midnights(told)
    told["timestamp"] = [each - 3600 for each in told["timestamp"]]


def unequal(told: dict) -> None:
    told["indicators"]["adjclose"] = [{"adjclose": [1.0]}]


WITHOUT_ONE = [not_a_number, null, zero]
HARMLESS = [doubled, midnights, other_midnights, unequal]


@pytest.mark.parametrize("fault", WITHOUT_ONE)
def test_a_row_that_says_nothing_costs_itself_alone(wire, apple, right, fault):
    fault(wire.charts["AAPL"])
    load(apple)
    missing = sorted(right)[5]
    assert held() == {day: values for day, values in right.items() if day != missing}


@pytest.mark.parametrize("fault", HARMLESS)
def test_what_only_looks_strange_ends_in_the_same_tables(wire, apple, right, fault):
    fault(wire.charts["AAPL"])
    load(apple)
    assert held() == right


@pytest.mark.parametrize("volumes", [None, [], [None] * DAYS, [math.nan] * DAYS, [-1] * DAYS])
def test_a_volume_that_is_missing_is_unknown_and_the_prices_are_there(wire, apple, right, volumes):
    candles(wire.charts["AAPL"])["volume"] = volumes
    wire.misshapen["AAPL"] = wire.charts["AAPL"]  # as it is: the stub can't cut a column that is none
    load(apple)
    assert held() == {day: (*values[:4], None) for day, values in right.items()}


@pytest.mark.parametrize("fault", [*WITHOUT_ONE, "volume"])
def test_a_good_value_is_never_overwritten_by_a_bad_one(wire, apple, right, fault):
    load(apple)
    before = held()
    if fault == "volume":
        candles(wire.charts["AAPL"])["volume"] = [None] * DAYS
    else:
        fault(wire.charts["AAPL"])
    history.fill(apple, asking.history, "yahoo", by_calendar=True, is_whole=True)
    assert held() == before == right


def empty() -> dict:
    told = chart()
    return {**told, "timestamp": [], "indicators": {"quote": [{name: [] for name in candles(told)}]}}


def absent() -> dict:
    told = chart()
    del told["timestamp"]
    return {**told, "indicators": {"quote": [{}]}}


EMPTY: dict[str, Callable[[], object]] = {"empty": empty, "absent": absent, "null": lambda: None}


@pytest.mark.parametrize("made", EMPTY.values(), ids=EMPTY)
def test_an_empty_frame_is_no_data_and_leaves_what_is_held(wire, apple, right, made):
    load(apple)
    wire.misshapen["AAPL"] = made()
    with pytest.raises(ProviderError) as refused:
        load(apple)
    assert refused.value.code == "no_data"
    assert held() == right


@pytest.mark.parametrize(("currency", "named"), [("EUR", "EUR"), ("GBp", "GBp"), ("usd", "usd")])
def test_prices_in_a_wrong_unit_are_none_of_ours(wire, apple, right, currency, named):
    load(apple)
    wire.charts["AAPL"] = chart(currency=currency)
    with pytest.raises(ProviderError, match=f"it is in '{named}', and ours are in USD") as refused:
        load(apple)
    assert (refused.value.code, refused.value.temporary) == ("upstream_down", False)
    assert held() == right


def test_a_day_on_a_holiday_is_held_back(wire, apple, right):
    told, holiday = wire.charts["AAPL"], date(2013, 2, 18)  # Washington's birthday
    place = sum(datetime.fromtimestamp(each, NEW_YORK).date() < holiday for each in told["timestamp"])
    told["timestamp"].insert(place, stamp(holiday, time(9, 30)))
    for column in candles(told).values():
        column.insert(place, column[place])
    load(apple)
    assert held() == right
    assert [row.opened_at.date() for row in QuarantinedBar.objects.all()] == [holiday]


def test_a_bar_that_was_revised_between_two_captures_is_a_revision(wire, apple, right):
    load(apple)
    candles(wire.charts["AAPL"])["close"][-3] += 0.5
    filled = load(apple)
    day = sorted(right)[-3]
    assert (filled.bars.inserted, filled.bars.changed) == (0, 1)
    assert held()[day][3] == pytest.approx(right[day][3] + 0.5)
    (revised,) = BarRevision.objects.all()
    assert (revised.close, revised.opened_at.date(), revised.reason) == (right[day][3], day, "correction by yahoo")


def test_a_symbol_that_was_renamed_is_refused_under_its_old_name_and_keeps_what_it_has(wire, apple, right):
    load(apple)
    wire.misshapen["AAPL"] = chart(symbol="APLE")
    with pytest.raises(ProviderError, match="it is about 'APLE'"):
        load(apple)
    assert held() == right


def test_a_symbol_that_was_delisted_is_unknown_and_keeps_what_it_has(wire, apple, right):
    load(apple)
    del wire.charts["AAPL"]
    with pytest.raises(ProviderError) as refused:
        load(apple)
    assert refused.value.code == "unknown_symbol"
    assert held() == right
    assert bars.history("AAPL")[-1].session_date == LAST


@pytest.mark.parametrize("how", ["429", "html", "page", "401", "500", "truncated", "cut off", "null", "shapeless"])
def test_what_goes_wrong_on_the_wire_leaves_what_is_held(wire, apple, right, how):
    load(apple)
    before = copy.deepcopy(held())
    wire.fail("chart", how, times=20)
    with pytest.raises(ProviderError):
        load(apple)
    assert held() == before == right


def test_no_price_is_kept_of_a_day_that_has_not_come(wire, apple, right):
    told = wire.charts["AAPL"]
    told["timestamp"].append(int((datetime.now(UTC) + timedelta(days=40)).timestamp()))
    for column in candles(told).values():
        column.append(column[-1])
    wire.misshapen["AAPL"] = told
    load(apple)
    assert held() == right
