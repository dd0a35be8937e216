"""What Yahoo has been seen to send, of the last price: what is right is kept, and no old or bad one takes its place."""

from contextlib import suppress
from dataclasses import replace

import pytest

from market import quotes
from market.models import Symbol
from market.prices import Quote
from market.sources import ProviderError
from market.sources.yahoo import asking
from tests.market.test_yahoo_faults import EMPTY, HARMLESS, WITHOUT_ONE, candles, chart
from tests.market.yahoo_charts import listed

pytestmark = [pytest.mark.django_db, pytest.mark.db]


def last_is_null(told: dict) -> None:
    for column in candles(told).values():
        column[-1] = None


@pytest.fixture
def right(wire, apple) -> Quote:
    """What is told when nothing goes wrong; it is kept."""
    wire.charts["AAPL"] = chart()
    found = asking.quote(apple)
    quotes.keep([found])
    return found


def kept() -> Quote:
    return quotes.latest(["AAPL"])["AAPL"]


@pytest.mark.parametrize("fault", [*WITHOUT_ONE, *HARMLESS])
def test_what_is_wrong_with_other_rows_or_only_looks_strange_changes_no_price(wire, apple, right, fault):
    fault(wire.charts["AAPL"])
    found = asking.quote(apple)
    assert replace(found, received_at=right.received_at) == right


def test_where_the_last_row_says_nothing_the_price_is_that_of_the_last_trade(wire, apple, right):
    last_is_null(wire.charts["AAPL"])
    found = asking.quote(apple)
    assert (found.price, found.as_of, found.session_date) == (right.price, right.as_of, right.session_date)


@pytest.mark.parametrize("volume", [None, float("nan"), -1])
def test_a_volume_that_is_missing_is_unknown_and_the_price_is_there(wire, apple, right, volume):
    wire.charts["AAPL"]["meta"]["regularMarketVolume"] = volume
    candles(wire.charts["AAPL"])["volume"][-1] = volume
    found = asking.quote(apple)
    assert (found.price, found.volume) == (right.price, None)


@pytest.mark.parametrize("made", [EMPTY["null"]], ids=["null"])
def test_an_empty_answer_leaves_the_last_good_price(wire, apple, right, made):
    wire.misshapen["AAPL"] = made()
    with pytest.raises(ProviderError) as refused:
        asking.quote(apple)
    assert (refused.value.code, kept()) == ("no_data", right)


@pytest.mark.parametrize(
    ("meta", "why"),
    [({"currency": "EUR"}, "it is in 'EUR'"), ({"currency": "GBp"}, "it is in 'GBp'"), ({"symbol": "APLE"}, "'APLE'")],
)
def test_what_is_in_another_unit_or_of_another_symbol_is_no_price_of_ours(wire, apple, right, meta, why):
    wire.misshapen["AAPL"] = chart(**meta)
    with pytest.raises(ProviderError, match=why):
        asking.quote(apple)
    assert kept() == right


def test_of_one_that_was_delisted_the_last_good_price_stays(wire, apple, right):
    del wire.charts["AAPL"]
    with pytest.raises(ProviderError) as refused:
        asking.quote(apple)
    assert (refused.value.code, kept()) == ("unknown_symbol", right)


@pytest.mark.parametrize("how", ["429", "html", "page", "401", "500", "truncated", "cut off", "null", "shapeless"])
def test_what_goes_wrong_on_the_wire_leaves_the_last_good_price(wire, apple, right, how):
    for where in ("chart", "quote"):
        wire.fail(where, how, times=20)
    microsoft = Symbol.objects.create(ticker="MSFT", name="Microsoft", exchange="XNAS", currency="USD",
                                      time_zone="America/New_York")  # fmt: skip
    told = []
    with suppress(ProviderError):  # where it is Yahoo's own, and not one about each of them
        told += asking.quotes([apple, microsoft])
    assert (told, kept()) == ([], right)


MISREAD = {
    "of no price": {"regularMarketPrice": None},
    "of a price that is no number": {"regularMarketPrice": float("nan")},
    "of a price of zero": {"regularMarketPrice": 0},
    "of no time": {"regularMarketTime": None},
    "in another currency": {"currency": "EUR"},
    "in hundredths": {"currency": "GBp"},
    "renamed": {"symbol": "APLE"},
    "of a shape that nobody knows": {"exchangeTimezoneName": ["nonsense"]},
}


@pytest.fixture
def listed_right(wire, right) -> tuple[list[Symbol], dict[str, float]]:
    """Two symbols that the list tells, and their prices."""
    wire.charts["MSFT"] = chart(symbol="MSFT")
    microsoft = Symbol.objects.create(ticker="MSFT", name="Microsoft", exchange="XNAS", currency="USD",
                                      time_zone="America/New_York")  # fmt: skip
    wanted = [Symbol.objects.get(ticker="AAPL"), microsoft]
    return wanted, prices_of(wanted)


def prices_of(wanted: list[Symbol]) -> dict[str, float]:
    return {each.ticker: each.price for each in asking.quotes(wanted)}


@pytest.mark.parametrize("changes", MISREAD.values(), ids=MISREAD)
def test_an_entry_of_the_list_that_is_not_what_it_should_be_is_made_up_for_by_a_chart(wire, listed_right, changes):
    wanted, told = listed_right
    wire.misshapen["AAPL"] = listed(wire.charts["AAPL"]) | changes
    # The chart too is sent as that is: it can't be read, and the last good price stays.
    assert prices_of(wanted) == {"MSFT": told["MSFT"]}
    del wire.misshapen["AAPL"]
    wire.figures["AAPL"] = changes
    wire.requests.clear()
    assert prices_of(wanted) == told
    assert [each for each in wire.requests if each.startswith(("quote", "chart"))] == ["quote AAPL,MSFT", "chart AAPL"]


@pytest.mark.parametrize("volume", [None, float("nan"), -1])
def test_a_volume_that_the_list_lacks_is_unknown_and_the_price_is_there(wire, listed_right, volume):
    wanted, told = listed_right
    wire.figures["AAPL"] = {"regularMarketVolume": volume}
    found = {each.ticker: each for each in asking.quotes(wanted)}
    assert (found["AAPL"].price, found["AAPL"].volume) == (told["AAPL"], None)
    assert [each for each in wire.requests if each.startswith("chart")] == ["chart AAPL"]  # that of `right`


def test_an_empty_list_is_made_up_for_by_charts(wire, listed_right):
    wanted, told = listed_right
    wire.fail("quote", "no entries")
    assert prices_of(wanted) == told


def test_a_price_that_was_revised_is_the_newer_one_and_one_told_twice_is_one(wire, listed_right):
    wanted, told = listed_right
    wire.charts["AAPL"]["meta"]["regularMarketPrice"] += 0.25
    assert prices_of([*wanted, wanted[0]]) == told | {"AAPL": pytest.approx(told["AAPL"] + 0.25)}
