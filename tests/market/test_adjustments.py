"""Prices of the past in today's shares: pure arithmetic, checked against what was published."""

from datetime import date
from fractions import Fraction
from itertools import pairwise

import pytest
from bokeh_sampledata import stocks
from hypothesis import given
from hypothesis import strategies as st

from market.actions import adjustments
from market.prices import Action
from market.sources.replay import recording


def day(number: int) -> date:
    return date(2024, 1, number)


def split(number: int, value: float) -> Action:
    return Action("AAPL", "split", day(number), value)


def dividend(number: int, value: float) -> Action:
    return Action("AAPL", "dividend", day(number), value)


CLOSES = [(day(number), 100.0 if number == 4 else 50.0 + number) for number in range(1, 10)]


def test_raw_is_as_traded_whatever_happened():
    assert adjustments.factors([split(5, 2), dividend(3, 1)], "raw", CLOSES).at(day(1)) == (1, 1)


def test_splits_multiply_and_end_with_the_ex_date():
    found = adjustments.factors([split(5, 2), split(3, 4)], "split")
    assert [found.at(day(number)) for number in (2, 3, 4, 5, 6)] == [(1 / 8, 8), (1 / 2, 2), (1 / 2, 2), (1, 1), (1, 1)]


def test_a_reverse_split_raises_the_prices_before_it():
    assert adjustments.factors([split(5, 0.1)], "split").at(day(1)) == (10, 0.1)


def test_a_dividend_takes_its_part_of_the_close_before_it_and_leaves_the_volume():
    found = adjustments.factors([dividend(5, 2.0)], "split_dividend", CLOSES)
    assert (found.at(day(4)), found.at(day(5))) == ((0.98, 1), (1, 1))
    assert adjustments.factors([dividend(5, 2.0)], "split", CLOSES).at(day(4)) == (1, 1)


def test_a_dividend_on_the_day_of_a_split_is_in_the_new_shares():
    found = adjustments.factors([split(5, 2), dividend(5, 1.0)], "split_dividend", CLOSES)
    assert found.at(day(4)) == (pytest.approx(0.5 * 0.98), 2)


def test_a_dividend_without_a_close_before_it_changes_nothing():
    assert adjustments.factors([dividend(1, 2.0)], "split_dividend", CLOSES).at(date(2023, 12, 1)) == (1, 1)


def test_a_bar_is_restated_whole_and_a_missing_volume_stays_missing():
    found = adjustments.factors([split(5, 2)], "split")
    assert adjustments.restated(found, day(1), 10, 12, 8, 11, 100) == (5, 6, 4, 5.5, 200)
    assert adjustments.restated(found, day(1), 10, 12, 8, 11, None) == (5, 6, 4, 5.5, None)
    assert adjustments.restated(found, day(5), 10, 12, 8, 11, 100) == (10, 12, 8, 11, 100)


def test_an_unknown_adjustment_is_refused_with_those_there_are():
    with pytest.raises(adjustments.UnknownAdjustment, match="raw, split, split_dividend"):
        adjustments.factors([], "both")


@given(
    st.lists(
        st.tuples(st.integers(1, 28), st.sampled_from([0.1, 0.5, 2, 3, 7])), max_size=5, unique_by=lambda one: one[0]
    )
)
def test_money_traded_is_the_same_in_old_and_new_shares(splits):
    found = adjustments.factors([split(*one) for one in splits], "split")
    for number in range(1, 29):
        price, volume = found.at(day(number))
        assert price * volume == pytest.approx(1)


@pytest.mark.parametrize("ticker", ["AAPL", "MSFT"])
def test_the_recordings_splits_are_those_its_publisher_counted(ticker):
    """Its adjusted close moves with ours from day to day, but for dividends, which only raise it."""
    actions = [Action(ticker, "split", ex_date, value) for ex_date, value in recording.SPLITS[ticker].items()]
    found, published = adjustments.factors(actions, "split"), getattr(stocks, ticker)["adj_close"]
    ours = [day.close * found.at(session)[0] for session, day in recording.days(ticker).items()]
    for (before, after), (theirs_before, theirs_after) in zip(pairwise(ours), pairwise(published), strict=True):
        assert -0.002 < theirs_after / theirs_before - after / before < 0.12


def test_three_for_one_after_one_for_three_is_one():
    told = [Action("AAPL", "split", day(3), 1 / 3, 1.0, 3.0), Action("AAPL", "split", day(5), 3.0, 3.0, 1.0)]
    assert adjustments.factors(told, "split").at(day(1)) == (1, 1)
    assert adjustments.factors(told, "split").at(day(3)) == (1 / 3, 3)


def test_a_ratio_that_is_known_by_its_value_alone_is_exact_too():
    assert adjustments.ratio(split(5, 1 / 3)) == Fraction(1, 3)
    assert adjustments.ratio(Action("AAPL", "split", day(5), 1.040583)) == Fraction(1.040583)


def test_what_was_paid_on_one_day_is_taken_out_together():
    told = [dividend(5, 1), dividend(5, 4), Action("AAPL", "capital_gain", day(5), 5.0)]
    assert adjustments.factors(told, "split_dividend", CLOSES).at(day(4)) == (0.9, 1)


def test_several_splits_of_one_day_multiply():
    assert adjustments.factors([split(5, 2), split(5, 3)], "split").at(day(4)) == (1 / 6, 6)


@pytest.mark.parametrize("kind", ["rename", "what is to come"])
def test_an_action_of_another_kind_changes_no_factor(kind):
    told = [Action("AAPL", kind, day(5), 3.0)]
    assert adjustments.factors(told, "split_dividend", CLOSES).at(day(4)) == (1, 1)


def test_a_spin_off_divides_prices_and_no_volume():
    found = adjustments.factors([Action("AAPL", "spin_off", day(5), 1.046, 1046.0, 1000.0), split(3, 2)], "split")
    assert found.at(day(2)) == (pytest.approx(1 / 2.092), 2)
    assert found.at(day(4)) == (pytest.approx(1 / 1.046), 1)
