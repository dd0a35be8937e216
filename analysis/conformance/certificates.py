"""What is measured of one indicator over a long series. Pure."""

from dataclasses import dataclass

import numpy as np

from analysis.conformance import behaviour
from analysis.conformance.behaviour import Behaviour
from analysis.conformance.comparing import Columns, live_difference, over, part
from analysis.conformance.formulas import FORMULAS
from analysis.indicators.entry import Indicator

CLOSE_ENOUGH = 1e-9  # of the largest value
LATER = 250  # bars that the second beginning comes later
CUTS = (0.3, 0.55, 0.8)


@dataclass(frozen=True, slots=True)
class Certificate:
    """first_value: the bar, from 0, of the first value. live_difference: greatest |live - batch| of update and peek.

    looks_ahead: whether cutting the future changes a value. settled: bars after which another beginning matters no
    more, None where it always does. reference_difference: greatest, of the largest value, from the second formula once
    that is settled, None where there is none. behaviour: on series that markets make now and then, by their names.
    """

    first_value: int | None
    live_difference: float
    looks_ahead: bool
    settled: int | None
    reference_difference: float | None
    behaviour: dict[str, Behaviour]


def measured(indicator: Indicator, columns: Columns) -> Certificate:
    """columns: float64 (n,) each and session_date, a thousand bars or more."""
    whole = over(indicator, columns)
    has_value = np.isfinite(whole).any(axis=1)
    return Certificate(
        first_value=int(has_value.argmax()) if has_value.any() else None,
        live_difference=live_difference(indicator, columns, whole),
        looks_ahead=any(_is_other(whole, over(indicator, part(columns, 0, at))) for at in _cuts(len(whole))),
        settled=settled(indicator, columns, whole),
        reference_difference=reference_difference(indicator, columns, whole),
        behaviour=behaviour.measured(indicator, columns),
    )


def settled(indicator: Indicator, columns: Columns, whole: np.ndarray) -> int | None:
    later = over(indicator, part(columns, LATER, len(whole)))
    known = whole[LATER:]
    scale = np.nanmax(np.abs(known), initial=0.0, where=np.isfinite(known))
    differs = ~((np.abs(later - known) <= CLOSE_ENOUGH * scale) | (np.isnan(later) & np.isnan(known))).all(axis=1)
    last = int(np.flatnonzero(differs)[-1]) if differs.any() else -1
    return last + 1 if last < len(later) * 0.9 else None


def reference_difference(indicator: Indicator, columns: Columns, whole: np.ndarray) -> float | None:
    formula = FORMULAS.get(indicator.name)
    if formula is None:
        return None
    with np.errstate(all="ignore"):
        expected = np.column_stack(formula(columns, **indicator.parameters))
    after = settled(indicator, columns, whole)
    first = min(indicator.warm_up if after is None else max(indicator.warm_up, after), len(whole) // 2)
    expected, found = expected[first:], whole[first:]
    both = np.isfinite(expected) & np.isfinite(found)
    if both.sum() < 0.95 * found.size:
        return float("inf")
    scale = np.abs(expected[both]).max()
    return float(np.abs(expected[both] - found[both]).max() / (scale or 1.0))


def _cuts(bars: int) -> list[int]:
    return [int(bars * part) for part in CUTS]


def _is_other(whole: np.ndarray, part: np.ndarray) -> bool:
    return not np.array_equal(whole[: len(part)], part, equal_nan=True)
