"""How an indicator stands what markets do to series: a price that stands still, is tiny or huge, leaps, is not traded,
or has only begun. Pure.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.conformance.comparing import Columns, live_difference, over
from analysis.indicators.entry import Indicator

PRICES = ("open", "high", "low", "close")
BARS, MOVING, SHORT = 400, 250, 12
TINY, HUGE, LEAP = 1e-5, 1e9, 50.0
_POWERS = (0, 1, 2)  # of the unit: an index has none, a variance its square; each output its own


@dataclass(frozen=True, slots=True)
class Behaviour:
    """On one series: its bars, those of them that have a value of every output, and those behind the warm-up that lack
    one. live_difference: greatest |live - batch|. unit_difference: of a series in another unit the greatest from the
    usual one restated, as a part of the largest value; None where a series is in the usual unit, or none has a value.
    """

    bars: int
    with_value: int
    without: int
    live_difference: float
    unit_difference: float | None = None


def measured(indicator: Indicator, columns: Columns) -> dict[str, Behaviour]:
    """By the name of the series. columns: 400 bars or more."""
    usual = {name: column[:BARS] for name, column in columns.items()}
    expected = over(indicator, usual)
    return {name: _measured(indicator, made(usual), expected, UNITS.get(name)) for name, made in SERIES.items()}


def _measured(indicator: Indicator, columns: Columns, usual: np.ndarray, unit: float | None) -> Behaviour:
    found = over(indicator, columns)
    is_whole = np.isfinite(found).all(axis=1)
    return Behaviour(
        bars=len(found),
        with_value=int(is_whole.sum()),
        without=int((~is_whole[indicator.warm_up :]).sum()),
        live_difference=live_difference(indicator, columns, found),
        unit_difference=None if unit is None else _restated(found, usual, unit),
    )


def _restated(found: np.ndarray, usual: np.ndarray, unit: float) -> float | None:
    both = np.isfinite(found) & np.isfinite(usual)
    outputs = [at for at in range(found.shape[1]) if both[:, at].any()]
    apart = [_closest(found[both[:, at], at], usual[both[:, at], at], unit) for at in outputs]
    return max(apart, default=None)


def _closest(found: np.ndarray, usual: np.ndarray, unit: float) -> float:
    with np.errstate(all="ignore"):
        apart = [_apart(found, usual * unit**power) for power in _POWERS]
    return min(each for each in apart if np.isfinite(each))


def _apart(found: np.ndarray, expected: np.ndarray) -> float:
    scale = max(np.abs(found).max(), np.abs(expected).max())
    return float(np.abs(found - expected).max() / scale) if scale else 0.0


def _scaled(unit: float) -> Callable[[Columns], Columns]:
    return lambda of: {**of, **{name: of[name] * unit for name in PRICES}}


def _flat(of: Columns) -> Columns:
    """From a bar on the price of the close before, and the volume as it was."""
    still = np.arange(len(of["close"])) >= MOVING
    return {**of, **{name: np.where(still, of["close"][MOVING - 1], of[name]) for name in PRICES}}


def _gapped(of: Columns) -> Columns:
    """From a bar on fifty times the price, after a month without bars."""
    later = np.arange(len(of["close"])) >= MOVING
    dates = of["session_date"] + np.where(later, 30, 0).astype("timedelta64[D]")
    return {**of, **{name: np.where(later, of[name] * LEAP, of[name]) for name in PRICES}, "session_date": dates}


def _short(of: Columns) -> Columns:
    return {name: column[:SHORT] for name, column in of.items()}


UNITS = {"tiny": TINY, "huge": HUGE}
SERIES: dict[str, Callable[[Columns], Columns]] = {
    "flat": _flat, "tiny": _scaled(TINY), "huge": _scaled(HUGE), "gapped": _gapped,
    "without volume": lambda of: {**of, "volume": np.zeros(len(of["volume"]))}, "short": _short,
}  # fmt: skip
