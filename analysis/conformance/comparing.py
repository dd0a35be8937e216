"""Live against batch, at every bar. Pure."""

from math import nan

import numpy as np

from analysis.indicators.across import twins
from analysis.indicators.across.table import MANY, Table
from analysis.indicators.entry import Indicator
from analysis.indicators.talib import InsufficientHistory

Columns = dict[str, np.ndarray]


def over(indicator: Indicator, columns: Columns) -> np.ndarray:
    """float64 (bars, outputs)."""
    return np.column_stack(list(indicator.over(columns).values()))


def part(columns: Columns, first: int, until: int) -> Columns:
    return {name: column[first:until] for name, column in columns.items()}


def live_difference(indicator: Indicator, columns: Columns, whole: np.ndarray) -> float:
    """Infinite where one has a value and the other has none. Live by itself, and with others where it has a twin."""
    half, worst = len(whole) // 2, 0.0
    live = indicator.carried(part(columns, 0, half))
    read = {**columns, "session_date": columns["session_date"].astype("datetime64[D]").astype(float)}
    bars = zip(*(read[name][half:].tolist() for name in indicator.inputs), strict=True)
    for expected, bar in zip(whole[half:].tolist(), bars, strict=True):
        for value in (live.peek(*bar), live.update(*bar)):
            worst = max(worst, _apart(value or (nan,) * len(expected), expected))
    return max(worst, _difference_across(indicator, columns, whole)) if twins.of(indicator.node) else worst


def _difference_across(indicator: Indicator, columns: Columns, whole: np.ndarray) -> float:
    """Of as many symbols as are moved by one operation, each a bar ahead of the next."""
    first, worst, together, rows = len(whole) // 2, 0.0, Table({indicator.key: indicator}), []
    for ahead in range(MANY):
        known = indicator.known(part(columns, 0, first + ahead))
        if len(known[indicator.inputs[0]]) < indicator.warm_up + 2:
            return 0.0
        try:
            seed = together.seed(indicator.key, known)
        except InsufficientHistory:
            return 0.0
        rows.append(together.open({indicator.key: seed}, {name: each[-1].item() for name, each in known.items()}))
    read = {name: columns[name].tolist() for name in indicator.inputs}
    bars = [dict(zip(read, bar, strict=True)) for bar in zip(*read.values(), strict=True)]
    for at in range(first, len(whole) - MANY):
        for found, expected in zip(together.update(rows, bars[at : at + MANY]), whole[at : at + MANY], strict=True):
            worst = max(worst, _apart(tuple(found), expected.tolist()))
    return worst


def _apart(found: tuple[float, ...], expected: list[float]) -> float:
    worst = 0.0
    for one, other in zip(found, expected, strict=True):
        if np.isfinite(one) and np.isfinite(other):
            worst = max(worst, abs(one - other))
        elif np.isfinite(one) or np.isfinite(other):
            return float("inf")
    return worst
