"""Live against batch, at every bar. Pure."""

from math import nan

import numpy as np

from analysis.indicators.entry import Indicator

Columns = dict[str, np.ndarray]


def over(indicator: Indicator, columns: Columns) -> np.ndarray:
    """float64 (bars, outputs)."""
    return np.column_stack(list(indicator.over(columns).values()))


def part(columns: Columns, first: int, until: int) -> Columns:
    return {name: column[first:until] for name, column in columns.items()}


def live_difference(indicator: Indicator, columns: Columns, whole: np.ndarray) -> float:
    """Infinite where one has a value and the other has none."""
    half, worst = len(whole) // 2, 0.0
    live = indicator.carried(part(columns, 0, half))
    read = {**columns, "session_date": columns["session_date"].astype("datetime64[D]").astype(float)}
    bars = zip(*(read[name][half:].tolist() for name in indicator.inputs), strict=True)
    for expected, bar in zip(whole[half:].tolist(), bars, strict=True):
        for value in (live.peek(*bar), live.update(*bar)):
            worst = max(worst, _apart(value or (nan,) * len(expected), expected))
    return worst


def _apart(found: tuple[float, ...], expected: list[float]) -> float:
    worst = 0.0
    for one, other in zip(found, expected, strict=True):
        if np.isfinite(one) and np.isfinite(other):
            worst = max(worst, abs(one - other))
        elif np.isfinite(one) or np.isfinite(other):
            return float("inf")
    return worst
