"""Measures the certificates anew, over AAPL's recorded bars: `manage.py indicators --certify`, and a test."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
from bokeh_sampledata.stocks import AAPL, MSFT

from analysis.conformance.certificates import Columns, measured
from analysis.conformance.kept import FILE
from analysis.indicators.catalogue import CONVENTION, ENTRIES
from analysis.indicators.entry import AGAINST

_COLUMNS = ("open", "high", "low", "close", "volume")


def bars() -> Columns:
    """3,270 real sessions as traded, by threes with one date, so that what begins anew with a session does; beside them
    MSFT's, which are of the same days.
    """
    found = {name: np.array(AAPL[name], np.float64) for name in _COLUMNS} | {
        AGAINST: np.array(MSFT["close"], np.float64)
    }
    return {**found, "session_date": np.datetime64("2000-01-01") + np.arange(len(found["close"])) // 3}


def measure() -> dict[str, dict]:
    columns = bars()
    return {name: asdict(measured(entry.with_defaults(), columns)) for name, entry in ENTRIES.items()}


def write() -> None:
    """A certificate a line."""
    lines = [f'  "{name}": {json.dumps(each)}' for name, each in sorted(measure().items())]
    told = json.dumps({**_origin(), "certificates": {}}, indent=1)
    FILE.write_text(told.replace('"certificates": {}', '"certificates": {\n' + ",\n".join(lines) + "\n }") + "\n")


def _origin() -> dict:
    dates = AAPL["date"]
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "convention": CONVENTION,
        "library": f"TA-Lib {version('ta-lib')}",
        "bars": {"symbol": "AAPL", "first": dates[0], "last": dates[-1], "count": len(dates)},
    }
