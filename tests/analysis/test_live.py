"""Live indicators equal the batch to the bit, value by value: of every entry of the catalogue."""

import numpy as np
import pytest

from analysis.indicators import catalogue
from analysis.indicators.catalogue import ENTRIES
from analysis.indicators.live import Live
from tests.analysis.twins import apart_in, assert_each, over, part, recorded, walk

OTHERS = (
    "sma_2", "rsi_2", "stoch_5_1_1", "stoch_5_4_2", "macd_5_35_5", "bbands_30_2.5", "percentb_5_1", "vwap_3", "mfi_2",
    "ichimoku_5_13_30", "cci_2", "distance_20", "keltner_5_30_1.5", "stochrsi_5_4_2", "ultosc_9_4_6", "fractal_1_3",
    "massi_3_5", "cvi_3_5", "roc_1", "rvol_3", "psychological_3",
)  # fmt: skip
EVERY = [*(entry.with_defaults() for entry in ENTRIES.values()), *map(catalogue.named, OTHERS)]
WALKS = [(walk(0, 3, 1.0), 0), (walk(1, 150, 1e-3), 0), (walk(2, 150, 50.0), 70), (walk(3, 200, 1e6), 150)]


def test_live_equals_batch_on_recorded_prices():
    columns = recorded("AAPL")
    cases = [(part(columns, 120), 0), (part(columns, 300), 200), (columns, 2900)]
    assert_each(EVERY, lambda each: apart_in(each, cases))


def test_live_equals_batch_on_walks_that_stand_still_now_and_then():
    assert_each(EVERY, lambda each: apart_in(each, WALKS))


def test_the_first_value_comes_after_the_warm_up():
    columns = recorded("MSFT")

    def wrong(each) -> str:
        series, bars = over(each, columns), each.warm_up
        after = series[bars + (2 if each.inputs[0] == "session_date" else 0)]
        if np.isfinite(series[:bars]).any() or not (np.isfinite(after).all() or each.name == "exp"):
            return (
                f"warm-up of {bars}, but the first value is at {np.isfinite(series).any(axis=1).argmax()}, then {after}"
            )
        if bars and each.carried(part(columns, bars)).value is not None:
            return f"live it has a value on {bars} bars"
        return "" if each.carried(part(columns, bars + 1)).value else f"live it has no value on {bars + 1} bars"

    assert_each(EVERY, wrong)


def test_what_comes_later_changes_no_value():
    columns = recorded("IBM")

    def wrong(each) -> str:
        whole = over(each, columns)
        cut = {until: over(each, part(columns, until)) for until in (1, 60, 300, 1700)}
        other = [until for until, found in cut.items() if not np.array_equal(found, whole[:until], equal_nan=True)]
        return f"cut at {other} it is another" if other else ""

    assert_each(EVERY, wrong)


def test_a_peek_moves_nothing():
    live = _sma(np.array([1.0, 2.0, 3.0]))
    live.peek(300.0)
    assert (live.value, live.update(4.0)) == ((2.0,), (3.0,))


def test_a_price_that_is_not_finite_is_refused_and_moves_nothing():
    live = _sma(np.array([1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="not finite"):
        live.update(float("nan"))
    assert live.update(4.0) == (3.0,)


def test_a_history_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="not finite"):
        _sma(np.array([1.0, np.nan, 3.0]))


def _sma(close: np.ndarray) -> Live:
    return Live(catalogue.named("sma_3").node, {"close": close})
