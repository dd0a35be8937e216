"""What Yahoo has been seen to send, of bars within sessions: what is right is kept, and nothing else."""

import copy
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest

from market.calendars import sessions
from market.coverage import loading
from market.history import Filled, within
from market.models import Bar, BarRevision, QuarantinedBar, Symbol
from market.sources import ProviderError
from market.sources.yahoo import REACH, asking
from tests.market.test_yahoo_faults import candles, not_a_number, null, zero
from tests.market.test_yahoo_reach import TODAY, chart
from tests.market.yahoo_charts import NEW_YORK

pytestmark = [pytest.mark.django_db, pytest.mark.db]
SECONDS = 300
DAYS = sessions.between("XNAS", TODAY - timedelta(days=12), TODAY - timedelta(days=1))
SATURDAY = next(day for number in range(12) if (day := DAYS[0] + timedelta(days=number)).weekday() == 5)


def told() -> dict:
    """Bars of five minutes of the last sessions, no two of them alike."""
    made = chart("AAPL", "5m", SECONDS, DAYS[0])
    count = len(made["timestamp"])
    close = [100 + number % 50 / 100 for number in range(count)]
    made["indicators"]["quote"] = [
        {"open": [100.25] * count, "high": [101.0] * count, "low": [99.0] * count, "close": close,
         "volume": [1000 + number for number in range(count)]}
    ]  # fmt: skip
    return made


def load(symbol: Symbol) -> Filled:
    return within.fill(symbol, "5m", asking.within, REACH["5m"], "yahoo", by_calendar=True)


def held() -> dict[datetime, tuple]:
    rows = Bar.objects.filter(interval="5m")
    return {row.opened_at: (row.open, row.high, row.low, row.close, row.volume) for row in rows}


@pytest.fixture
def loaded(apple) -> Symbol:
    """Its days are loaded, as they are before what lies within them."""
    loading.complete(apple, date(2000, 1, 1), since=date(2000, 1, 1), until=None)
    return apple


@pytest.fixture
def right(wire, loaded) -> dict[datetime, tuple]:
    """What is in the tables when nothing went wrong; they are empty again."""
    wire.charts["AAPL"] = told()
    load(loaded)
    found = held()
    Bar.objects.all().delete()
    loaded.coverage.filter(interval="5m").delete()
    assert [int(at.timestamp()) for at in sorted(found)] == wire.charts["AAPL"]["timestamp"]
    return found


def row(told: dict, stamp: float, place: int, **values: float) -> None:
    """One more row, before that of a place."""
    told["timestamp"].insert(place, int(stamp))
    for name, column in candles(told).items():
        column.insert(place, values.get(name, column[place - 1]))


def of_last_trade(told: dict) -> None:
    """The last row once more: the price of the close, stamped with it."""
    row(told, told["timestamp"][-1] + SECONDS, len(told["timestamp"]), volume=0)


def doubled(told: dict) -> None:
    """The last row twice, before that as it stood a while ago."""
    row(told, told["timestamp"][-1], len(told["timestamp"]) - 1, close=99.5)


def of_last_trade_and_later(told: dict) -> None:
    """The row of the last trade stayed, and more came behind it: two of one bar, of which one opens none."""
    row(told, told["timestamp"][-2] + 137, len(told["timestamp"]) - 1, volume=0)


def to_come(told: dict) -> None:
    row(told, (datetime.now(UTC) + timedelta(days=40)).timestamp(), len(told["timestamp"]))


def unsorted(told: dict) -> None:
    for column in (told["timestamp"], *candles(told).values()):
        column.reverse()


WITHOUT_ONE = [not_a_number, null, zero]
HARMLESS = [of_last_trade, doubled, of_last_trade_and_later, to_come, unsorted]


@pytest.mark.parametrize("fault", WITHOUT_ONE)
def test_a_row_that_says_nothing_costs_itself_alone(wire, loaded, right, fault):
    fault(wire.charts["AAPL"])
    load(loaded)
    missing = sorted(right)[5]
    assert held() == {at: values for at, values in right.items() if at != missing}


@pytest.mark.parametrize("fault", HARMLESS)
def test_what_only_looks_strange_ends_in_the_same_tables(wire, loaded, right, fault):
    fault(wire.charts["AAPL"])
    wire.misshapen["AAPL"] = wire.charts["AAPL"]  # as it is: the stub would cut what it tells of the future
    load(loaded)
    assert held() == right


@pytest.mark.parametrize("volumes", [None, [], math.nan, -1])
def test_a_volume_that_is_missing_is_unknown_and_the_prices_are_there(wire, loaded, right, volumes):
    candles(wire.charts["AAPL"])["volume"] = volumes if volumes in (None, []) else [volumes] * len(right)
    wire.misshapen["AAPL"] = wire.charts["AAPL"]
    load(loaded)
    assert held() == {at: (*values[:4], None) for at, values in right.items()}


@pytest.mark.parametrize("fault", [*WITHOUT_ONE, "volume"])
def test_a_good_value_is_never_overwritten_by_a_bad_one(wire, loaded, right, fault):
    load(loaded)
    loaded.coverage.filter(interval="5m").update(complete_since=None, asked_until=None)  # all is asked for again
    if fault == "volume":
        candles(wire.charts["AAPL"])["volume"] = [None] * len(right)
    else:
        fault(wire.charts["AAPL"])
    load(loaded)
    assert held() == right
    assert not BarRevision.objects.exists()


def empty() -> dict:
    made = told()
    return {**made, "timestamp": [], "indicators": {"quote": [{name: [] for name in candles(made)}]}}


def absent() -> dict:
    made = told()
    del made["timestamp"]
    return {**made, "indicators": {"quote": [{}]}}


EMPTY: dict[str, Callable[[], object]] = {"empty": empty, "absent": absent, "null": lambda: None}


@pytest.mark.parametrize("made", EMPTY.values(), ids=EMPTY)
def test_an_empty_frame_leaves_what_is_held(wire, loaded, right, made):
    load(loaded)
    wire.misshapen["AAPL"] = made()
    with pytest.raises(ProviderError) as refused:
        load(loaded)
    assert refused.value.code == "no_data"
    assert held() == right


@pytest.mark.parametrize(("currency", "named"), [("EUR", "EUR"), ("GBp", "GBp"), ("usd", "usd")])
def test_prices_in_a_wrong_unit_are_none_of_ours(wire, loaded, right, currency, named):
    load(loaded)
    wire.charts["AAPL"]["meta"]["currency"] = currency
    with pytest.raises(ProviderError, match=f"it is in '{named}', and ours are in USD"):
        load(loaded)
    assert held() == right


def test_bars_of_another_length_are_none_of_ours(wire, loaded, right):
    wire.charts["AAPL"]["meta"]["dataGranularity"] = "1h"
    with pytest.raises(ProviderError, match="its rows are of '1h', and 5m was asked for"):
        load(loaded)
    assert held() == {}


@pytest.mark.parametrize(
    ("day", "hour", "why"),
    [(SATURDAY, 10, "there is no session of XNAS that day"), (DAYS[2], 8, "it opens outside of its session of XNAS"),
     (DAYS[2], 18, "it opens outside of its session of XNAS")],
)  # fmt: skip
def test_bars_without_a_session_or_outside_of_its_hours_are_held_back(wire, loaded, right, day, hour, why):
    made, at = wire.charts["AAPL"], datetime.combine(day, time(hour, 30), NEW_YORK).timestamp()
    row(made, at, sum(each < at for each in made["timestamp"]))
    load(loaded)
    assert held() == right
    assert [(each.opened_at.timestamp(), each.reason) for each in QuarantinedBar.objects.all()] == [(at, why)]


def test_the_auction_at_the_close_is_a_bar_of_its_session(wire, loaded, right):
    made, close = wire.charts["AAPL"], sessions.hours("XNAS", DAYS[2])[1]
    row(made, close.timestamp(), made["timestamp"].index(int(close.timestamp()) - SECONDS) + 1, volume=90_000)
    load(loaded)
    assert held().keys() - right.keys() == {close}


def test_a_bar_that_was_revised_between_two_captures_is_a_revision(wire, loaded, right):
    load(loaded)
    candles(wire.charts["AAPL"])["close"][-3] += 0.25
    load(loaded)
    at = sorted(right)[-3]
    assert held()[at][3] == pytest.approx(right[at][3] + 0.25)
    (revised,) = BarRevision.objects.all()
    assert (revised.close, revised.opened_at, revised.reason) == (right[at][3], at, "correction by yahoo")


def test_a_symbol_that_was_renamed_is_refused_under_its_old_name_and_keeps_what_it_has(wire, loaded, right):
    load(loaded)
    wire.misshapen["AAPL"] = told() | {"meta": told()["meta"] | {"symbol": "APLE"}}
    with pytest.raises(ProviderError, match="it is about 'APLE'"):
        load(loaded)
    assert held() == right


def test_a_symbol_that_was_delisted_is_unknown_and_keeps_what_it_has(wire, loaded, right):
    load(loaded)
    del wire.charts["AAPL"]
    with pytest.raises(ProviderError) as refused:
        load(loaded)
    assert refused.value.code == "unknown_symbol"
    assert held() == right


@pytest.mark.parametrize("how", ["429", "html", "page", "401", "500", "truncated", "cut off", "null", "shapeless"])
def test_what_goes_wrong_on_the_wire_leaves_what_is_held(wire, loaded, right, how):
    load(loaded)
    before = copy.deepcopy(held())
    wire.fail("chart", how, times=20)
    with pytest.raises(ProviderError):
        load(loaded)
    assert held() == before == right
