"""How many decimals a price keeps: those of its symbol, before a split those that Yahoo's float32 can tell."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market import bars, history, prices
from market.models import Bar, Symbol
from market.sources.yahoo import asking, charts
from market.sources.yahoo.charts import precision
from tests.market.yahoo_charts import made_chart

ONE = Fraction(1)


def told(price: float, ratio: float = 1.0) -> float:
    """A price as Yahoo tells it after a split."""
    return float(np.float32(price / ratio))


def traded(price: float, ratio: float, decimals: int) -> float:
    """What is made of one price that Yahoo tells."""
    return precision.traded(np.array([told(price, ratio)]), np.array([ratio]), ONE, decimals).item()


@pytest.mark.parametrize(
    ("price", "ratio", "decimals", "right"),
    [
        (0.415, 1.0, 3, 0.415),
        (0.415, 1.0, 2, 0.415),
        (0.000008, 1.0, 2, 0.000008),
        (28.061, 1.0, 2, 28.06),
        (28.061, 7.0, 2, 28.06),
        (1.12208, 1.0, 4, 1.1221),
        (0.000008, 1.0, 8, 0.000008),
        (499.23, 4.0, 2, 499.23),
        (0.2234, 1 / 50, 2, 0.2234),  # before one for fifty
        (1005.0, 10.0, 2, 1005.0),
        (1.37, 1 / 190, 2, 1.37),
        (111.9375, 112.0, 2, 111.94),  # Apple traded in sixteenths
        (0.0625, 28.0, 2, 0.0625),
    ],
)
def test_a_price_is_what_it_was_whatever_split_follows(price, ratio, decimals, right):
    assert traded(price, ratio, decimals) == right


@given(st.integers(1, 99_999), st.sampled_from([2.0, 4.0, 7.0, 10.0, 28.0, 1 / 3, 1 / 50, 1 / 190, 1.5, 1.1]))
def test_a_price_in_cents_is_the_same_after_every_split(cents, ratio):
    price = cents / 100
    assert traded(price, ratio, 2) == price


@given(
    st.lists(st.floats(-1e12, 1e12) | st.integers(-(10**9), 10**9).map(lambda n: n / 1000), min_size=1),
    st.integers(0, 8),
)
def test_many_prices_are_kept_as_each_alone_is(some, decimals):
    found = precision.traded(np.array(some), np.ones(len(some)), ONE, decimals)
    assert found.tolist() == [prices.kept(price, decimals) for price in some]


@given(st.floats(1e-4, 1e5), st.sampled_from([2.0, 10.0, 1 / 3, 1 / 50]))
def test_no_price_before_a_split_is_off_by_more_than_half_a_thousandth(price, ratio):
    found = traded(price, ratio, 2)
    assert found == pytest.approx(price, rel=5.01e-4)


@pytest.mark.parametrize(
    ("hint", "unit", "decimals"),
    [
        (2, ONE, 2),
        (4, ONE, 4),
        (2, Fraction(1, 100), 4),
        (2, Fraction(100), 0),
        (0, ONE, 0),
        (12, Fraction(1, 100), 12),
    ],
)
def test_the_hint_says_a_symbols_decimals_in_its_own_currency(hint, unit, decimals):
    assert charts.decimals({"priceHint": hint}, unit) == decimals


@pytest.mark.parametrize("hint", [None, "2", -1, 99, float("nan"), True])
def test_a_hint_that_is_none_says_nothing(hint):
    assert charts.decimals({"priceHint": hint}, ONE) is None


@pytest.fixture
def added(db) -> Symbol:
    return Symbol.objects.create(
        ticker="SHIB", name="A coin", exchange="XNAS", currency="USD", time_zone="America/New_York"
    )


def priced(price: float, hint: int) -> dict:
    chart = made_chart("IBM", symbol="SHIB", priceHint=hint)
    chart["indicators"]["quote"] = [
        {name: [price] * len(chart["timestamp"]) for name in ("open", "high", "low", "close")}
    ]
    return chart


@pytest.mark.db
def test_a_symbol_that_is_added_has_the_decimals_of_the_sources_hint(wire, added):
    wire.charts["SHIB"] = priced(0.000008, 8)
    history.fill(added, asking.history, "yahoo")
    assert Symbol.objects.get().price_decimals == 8
    assert set(Bar.objects.values_list("close", flat=True)) == {0.000008}


@pytest.mark.db
def test_a_hint_takes_no_decimals_away_and_says_nothing_of_what_is_held(wire, added):
    Symbol.objects.update(price_decimals=5)
    added.refresh_from_db()
    for hint, decimals in ((2, 5), (8, 5)):
        wire.charts["SHIB"] = priced(1.5, hint)
        history.fill(added, asking.history, "yahoo")
        assert Symbol.objects.get().price_decimals == decimals


@pytest.mark.db
def test_a_close_that_a_quote_left_before_any_history_keeps_no_hint_out(wire, added):
    wire.charts["SHIB"] = priced(15.3725, 4)
    found, _ = asking.history(added, date(2012, 1, 1))
    Symbol.objects.update(price_decimals=2)
    added.refresh_from_db()
    bars.upsert([replace(found[-1], close=15.37, open=15.37, high=15.37, low=15.37)])
    history.fill(added, asking.history, "yahoo")
    assert Symbol.objects.get().price_decimals == 4
    assert set(Bar.objects.values_list("close", flat=True)) == {15.3725}


def test_what_a_source_begins_with_keeps_its_decimals(wire, apple):
    wire.charts["AAPL"] = made_chart("AAPL", priceHint=6)
    asking.history(apple, date(2012, 1, 1))
    assert Symbol.objects.get().price_decimals == 2


def test_quotes_keep_what_bars_keep(quote):
    found = prices.rounded(quote("AAA", 0.415, high=28.061, previous_close=None), 2)
    assert (found.price, found.high, found.previous_close) == (0.415, 28.06, None)
