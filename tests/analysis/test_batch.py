"""Indicators over a series: against values made by hand, and against the published sheets."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from analysis.indicators import batch

SHEETS = Path(__file__).resolve().parents[3] / "shared" / "data" / "indicators"
needs_sheets = pytest.mark.skipif(not SHEETS.is_dir(), reason=f"the recorded sheets are not there: {SHEETS}")


def sheet(name: str, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Closes and the expected values, NaN where the sheet has none."""
    with (SHEETS / name).open() as file:
        rows = list(csv.DictReader(file))
    return np.array([float(row["close"]) for row in rows]), np.array([float(row[column] or "nan") for row in rows])


def test_sma_is_the_mean_of_the_last_closes():
    values = batch.sma(np.array([10.0, 11, 12, 13, 14]), period=3)
    np.testing.assert_array_equal(values, [np.nan, np.nan, 11, 12, 13])


def test_rsi_smooths_as_wilder_did():
    # By hand: gains 2, 0, 2, 0 and losses 0, 1, 0, 0 give average gain / loss of 1 / 0.5, 1.5 / 0.25, 0.75 / 0.125.
    values = batch.rsi(np.array([10.0, 12, 11, 13, 13]), period=2)
    np.testing.assert_allclose(values, [np.nan, np.nan, 200 / 3, 600 / 7, 600 / 7], rtol=1e-14)


@needs_sheets
def test_sma_agrees_with_the_published_sheet():
    close, expected = sheet("Sma__SMA_Close.csv", "SMA")
    np.testing.assert_allclose(batch.sma(close, 20), expected, rtol=1e-10)


@needs_sheets
def test_rsi_agrees_with_the_published_sheet():
    close, expected = sheet("Rsi__RSI.csv", "RSI(14)")
    np.testing.assert_allclose(batch.rsi(close, 14), expected, rtol=1e-10)


@pytest.mark.parametrize(("indicator", "period", "bars"), [(batch.sma, 20, 19), (batch.rsi, 14, 14), (batch.sma, 5, 0)])
def test_too_few_bars_are_said_to_be_too_few(indicator, period, bars):
    with pytest.raises(batch.InsufficientHistory, match=f"{bars} bars"):
        indicator(np.arange(bars, dtype=float), period)


def test_a_hole_in_the_prices_is_refused():
    with pytest.raises(ValueError, match="not finite"):
        batch.sma(np.array([1.0, np.nan, 3.0]), 2)


def test_indicators_do_not_bring_pandas_into_the_process():
    program = (
        "import sys; import analysis.indicators.catalogue; "
        "print(sorted(m for m in sys.modules if m.startswith('pandas')))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


def test_pandas_can_be_imported_after_the_indicators():
    program = "import analysis.indicators.catalogue; import pandas; print(pandas.Series([1.0]).sum())"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "1.0"
