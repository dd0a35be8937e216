"""Numbers that sum a series up, against hand-made ones."""

import numpy as np
import pytest

from analysis.reports import statistics


def test_a_change_is_in_percent_points():
    assert statistics.change_percent(200, 190) == pytest.approx(-5)


@pytest.mark.parametrize(
    ("close", "fall"), [([100, 120, 90, 130, 117], 25), ([1, 2, 3], 0), ([5], 0), ([100, 50, 60, 30], 70)]
)
def test_a_drawdown_is_the_largest_fall_from_an_earlier_peak(close, fall):
    assert statistics.drawdown_percent(np.array(close, float)) == pytest.approx(fall)


def test_volatility_is_the_annualised_deviation_of_log_returns():
    close = np.array([100.0, 102.0, 99.0, 101.0])
    returns = np.log([1.02, 99 / 102, 101 / 99])
    mean = returns.sum() / 3
    expected = (((returns - mean) ** 2).sum() / 2) ** 0.5 * 252**0.5 * 100
    assert statistics.volatility_percent(close, 252) == pytest.approx(expected)


def test_two_closes_have_no_volatility():
    assert statistics.volatility_percent(np.array([1.0, 2.0]), 252) is None


def test_more_sessions_a_year_are_more_volatility_a_year():
    close = np.array([100.0, 102.0, 99.0, 101.0])
    ours, theirs = (statistics.volatility_percent(close, sessions) for sessions in (365, 252))
    assert ours / theirs == pytest.approx((365 / 252) ** 0.5)


@pytest.mark.parametrize("close", [[20.0, 0.0, 10.0], [10.0, -37.63, 10.0]])
def test_what_is_not_above_zero_has_no_returns(close):
    prices = np.array(close)
    assert statistics.drawdown_percent(prices) is None
    assert statistics.volatility_percent(prices, 252) is None
    assert statistics.change_percent(prices[1], prices[2]) is None
