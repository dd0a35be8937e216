"""Live indicators equal the batch to the bit, value by value."""

import numpy as np
import pytest
from bokeh_sampledata import stocks
from hypothesis import given
from hypothesis import strategies as st

from analysis.indicators.catalogue import CATALOGUE
from analysis.indicators.live import Live, sma

SERIES = {
    name: np.array(getattr(stocks, name)["close"], dtype=np.float64) for name in ("AAPL", "FB", "GOOG", "IBM", "MSFT")
}
walks = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 200), st.floats(1e-3, 1e6))


def walk(seed: int, length: int, start: float) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(0, 0.02, length)
    return start * np.exp(np.cumsum(np.where(np.abs(steps) < 0.005, 0, steps)))


def carried(indicator, close: np.ndarray, history: int) -> np.ndarray:
    """The values at and after the end of a history, one close at a time; each must have been peeked before."""
    live = indicator.carried({"close": close[:history]})
    values = [live.value]
    for price in close[history:]:
        peeked = live.peek(price)
        values.append(live.update(price))
        assert peeked == values[-1]
    return np.array([(np.nan,) if value is None else value for value in values])


@pytest.mark.parametrize("indicator", CATALOGUE.values(), ids=CATALOGUE.keys())
@pytest.mark.parametrize("close", SERIES.values(), ids=SERIES.keys())
def test_live_equals_batch_on_recorded_prices(indicator, close):
    batch = np.column_stack(list(indicator.over({"close": close}).values()))
    for history in (0, 1, 20, 200):
        live = carried(indicator, close, history)
        assert np.array_equal(live[1:], batch[history:], equal_nan=True)


@pytest.mark.parametrize("indicator", CATALOGUE.values(), ids=CATALOGUE.keys())
@given(walk_of=walks, history=st.integers(0, 200))
def test_live_equals_batch_on_any_walk(indicator, walk_of, history):
    close = walk(*walk_of)
    batch = np.column_stack(list(indicator.over({"close": close}).values()))
    live = carried(indicator, close, min(history, len(close)))
    assert np.array_equal(live[1:], batch[min(history, len(close)) :], equal_nan=True)


@pytest.mark.parametrize("indicator", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_the_first_value_comes_after_the_warm_up(indicator):
    (series,) = indicator.over({"close": SERIES["AAPL"]}).values()
    assert np.isnan(series[: indicator.warm_up]).all()
    assert np.isfinite(series[indicator.warm_up :]).all()


def test_a_peek_moves_nothing():
    live = Live(sma, np.array([1.0, 2.0, 3.0]), period=3)
    live.peek(300.0)
    assert (live.value, live.update(4.0)) == ((2.0,), (3.0,))


def test_a_price_that_is_not_finite_is_refused_and_moves_nothing():
    live = Live(sma, np.array([1.0, 2.0, 3.0]), period=3)
    with pytest.raises(ValueError, match="not finite"):
        live.update(float("nan"))
    assert live.update(4.0) == (3.0,)
