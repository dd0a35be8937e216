"""Indicators over a series, against values made by hand."""

import subprocess
import sys

import numpy as np

from analysis.indicators import catalogue


def over(key: str, **columns) -> list[np.ndarray]:
    return list(catalogue.named(key).over({name: np.array(each, float) for name, each in columns.items()}).values())


def test_sma_is_the_mean_of_the_last_closes():
    (values,) = over("sma_3", close=[10, 11, 12, 13, 14])
    np.testing.assert_array_equal(values, [np.nan, np.nan, 11, 12, 13])


def test_rsi_smooths_as_wilder_did():
    # By hand: gains 2, 0, 2, 0 and losses 0, 1, 0, 0 give average gain / loss of 1 / 0.5, 1.5 / 0.25, 0.75 / 0.125.
    (values,) = over("rsi_2", close=[10, 12, 11, 13, 13])
    np.testing.assert_allclose(values, [np.nan, np.nan, 200 / 3, 600 / 7, 600 / 7], rtol=1e-14)


def test_the_sessions_average_price_begins_anew_with_each():
    days = np.array(["2024-01-02", "2024-01-02", "2024-01-03"], "datetime64[D]")
    bars = {"high": [2.0, 4, 9], "low": [2.0, 4, 9], "close": [2.0, 4, 9], "volume": [1.0, 3, 5]}
    found = catalogue.named("vwapsession").over({**{name: np.array(each) for name, each in bars.items()},
                                                 "session_date": days})  # fmt: skip
    np.testing.assert_allclose(found["vwapsession"], [2, 3.5, 9], rtol=1e-14)


def test_pivots_are_of_the_session_before():
    days = np.array(["2024-01-02", "2024-01-02", "2024-01-03", "2024-01-04"], "datetime64[D]")
    bars = {"high": [12.0, 15, 20, 30], "low": [9.0, 11, 18, 25], "close": [11.0, 13, 19, 26]}
    found = catalogue.named("pivots").over({**{name: np.array(each) for name, each in bars.items()},
                                            "session_date": days})  # fmt: skip
    nan, told = np.nan, {name: values.tolist() for name, values in found.items()}
    np.testing.assert_allclose(told["pivot"], [nan, nan, 37 / 3, 19], rtol=1e-14)
    np.testing.assert_allclose(told["r1"], [nan, nan, 2 * 37 / 3 - 9, 20], rtol=1e-14)
    np.testing.assert_allclose(told["s3"], [nan, nan, 9 - 2 * (15 - 37 / 3), 16], rtol=1e-14)


def test_a_hole_in_the_prices_begins_anew_and_what_was_before_it_stays():
    (values,) = over("sma_2", close=[1, 2, np.nan, 3, 5])
    np.testing.assert_array_equal(values, [np.nan, 1.5, np.nan, np.nan, 4])


def test_too_few_bars_are_no_value():
    for bars in range(3):
        assert all(np.isnan(over("sma_3", close=np.arange(bars))[0]))


def test_indicators_do_not_bring_pandas_into_the_process():
    program = (
        "import sys; import analysis.indicators.catalogue; "
        "print(sorted(m for m in sys.modules if m.startswith('pandas')))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


def test_pandas_can_be_imported_after_the_indicators():
    program = "import analysis.indicators.catalogue; import pandas; print(pandas.Series([1.0]).sum())"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "1.0"
