"""Measures the certificates anew, over AAPL's recorded bars: `manage.py indicators --certify`, and a test."""

import json
from dataclasses import asdict

import numpy as np
from bokeh_sampledata.stocks import AAPL

from analysis.conformance.certificates import Columns, measured
from analysis.conformance.kept import FILE
from analysis.indicators.catalogue import ENTRIES

_COLUMNS = ("open", "high", "low", "close", "volume")


def bars() -> Columns:
    """3,270 real sessions as traded, by threes with one date, so that what begins anew with a session does."""
    found = {name: np.array(AAPL[name], np.float64) for name in _COLUMNS}
    return {**found, "session_date": np.datetime64("2000-01-01") + np.arange(len(found["close"])) // 3}


def measure() -> dict[str, dict]:
    columns = bars()
    return {name: asdict(measured(entry.with_defaults(), columns)) for name, entry in ENTRIES.items()}


def write() -> None:
    FILE.write_text(json.dumps(measure(), indent=1, sort_keys=True) + "\n")
