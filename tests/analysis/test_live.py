"""Live indicators equal the batch to the bit, value by value: of every entry of the catalogue."""

import numpy as np
import pytest
from bokeh_sampledata import stocks

from analysis.indicators import catalogue
from analysis.indicators.catalogue import ENTRIES
from analysis.indicators.entry import Indicator
from analysis.indicators.live import Live

Columns = dict[str, np.ndarray]
EVERY = [entry.with_defaults() for entry in ENTRIES.values()]
OTHERS = [catalogue.named(key) for key in (
    "sma_2", "rsi_2", "stoch_5_1_1", "stoch_5_4_2", "macd_5_35_5", "bbands_30_2.5", "percentb_5_1", "vwap_3", "mfi_2",
    "ichimoku_5_13_30", "cci_2", "distance_20", "keltner_5_30_1.5", "stochrsi_5_4_2", "ultosc_9_4_6", "fractal_1_3",
    "massi_3_5", "cvi_3_5", "roc_1", "rvol_3", "psychological_3",
)]  # fmt: skip
WALKS = (3, 1.0, 0), (150, 1e-3, 0), (150, 50.0, 70), (200, 1e6, 150)
of_each = pytest.mark.parametrize("indicator", EVERY + OTHERS, ids=lambda each: each.key)


def recorded(name: str) -> Columns:
    """Real sessions, as traded; three of them make one that an intraday bar would be of."""
    table = getattr(stocks, name)
    found = {column: np.array(table[column], float) for column in ("open", "high", "low", "close", "volume")}
    return {**found, "session_date": np.datetime64("2000-01-01") + np.arange(len(found["close"])) // 3}


def walk(seed: int, length: int, start: float) -> Columns:
    """Bars that stand still now and then: of one price, without volume, in a row."""
    random = np.random.default_rng(seed)
    moves = np.repeat(random.random(length // 5 + 1) < 0.5, 5)[:length]
    close = start * np.exp(np.cumsum(random.normal(0, 0.02, length) * moves))
    high, low = close * (1 + random.random(length) * 0.02 * moves), close * (1 - random.random(length) * 0.02 * moves)
    volume = random.integers(0, 1000, length) * np.repeat(random.random(length // 7 + 1) < 0.7, 7)[:length]
    dates = np.datetime64("2000-01-01") + np.arange(length) // 4
    opens = np.where(moves, low + (high - low) * random.random(length), close)
    return {"open": opens, "high": high, "low": low, "close": close, "volume": volume.astype(float),
            "session_date": dates}  # fmt: skip


def carried(indicator: Indicator, columns: Columns, history: int) -> np.ndarray:
    """The values at and after the end of a history, one bar at a time; each must have been peeked before, twice."""
    live = indicator.carried({name: column[:history] for name, column in columns.items()})
    read = {**columns, "session_date": columns["session_date"].astype(float)}
    values = [live.value]
    for bar in zip(*(read[name][history:].tolist() for name in indicator.inputs), strict=True):
        peeked, again = live.peek(*bar), live.peek(*bar)
        values.append(live.update(*bar))
        np.testing.assert_equal(peeked, values[-1])
        np.testing.assert_equal(again, values[-1])
    nothing = (np.nan,) * len(indicator.outputs)
    return np.array([nothing if value is None else value for value in values])


def assert_twins(indicator: Indicator, columns: Columns, history: int) -> None:
    batch = np.column_stack(list(indicator.over(columns).values()))
    live = carried(indicator, columns, history)
    assert np.array_equal(np.where(np.isfinite(live[1:]), live[1:], np.nan), batch[history:], equal_nan=True)


@of_each
def test_live_equals_batch_on_recorded_prices(indicator):
    columns = recorded("AAPL")
    for history, until in ((0, 120), (200, 300), (2900, None)):
        assert_twins(indicator, {name: column[:until] for name, column in columns.items()}, history)


@of_each
def test_live_equals_batch_on_walks_that_stand_still_now_and_then(indicator):
    for seed, (length, start, history) in enumerate(WALKS):
        assert_twins(indicator, walk(seed, length, start), history)


@of_each
def test_the_first_value_comes_after_the_warm_up(indicator):
    columns = recorded("MSFT")
    series = np.column_stack(list(indicator.over(columns).values()))
    after = series[indicator.warm_up + (2 if indicator.inputs[0] == "session_date" else 0) :]
    if indicator.warm_up:
        assert np.isnan(series[: indicator.warm_up]).all()
    assert np.isfinite(after[:1]).all() or indicator.name in {"exp"}
    short = {name: column[: indicator.warm_up + 1] for name, column in columns.items()}
    if indicator.warm_up:
        assert indicator.carried({name: column[:-1] for name, column in short.items()}).value is None
    assert indicator.carried(short).value is not None


@of_each
def test_what_comes_later_changes_no_value(indicator):
    columns = recorded("IBM")
    whole = np.column_stack(list(indicator.over(columns).values()))
    for until in (1, 60, 300, 1700):
        part = indicator.over({name: column[:until] for name, column in columns.items()})
        assert np.array_equal(np.column_stack(list(part.values())), whole[:until], equal_nan=True)


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
