"""What is true, false or unknown, over arrays. Pure.

Kleene's logic in whole numbers: all is the least, any the greatest. A value that is not known (NaN) makes a comparison
unknown, and so what hangs on it; what is known whatever that value be is still told.
"""

import numpy as np

FALSE, UNKNOWN, TRUE = 0, 1, 2
Truth = np.ndarray  # int8: FALSE, UNKNOWN or TRUE
Values = np.ndarray | float
# Of the change in percent points, as of prices in their own rounding: 33.40 to 35.07 is 4.99999999999998 %.
_PERCENT_NOISE = 1e-9
# Of the values themselves: what a sum that is carried on over ten thousand bars leaves. Without it a price that stands
# still would be now above and now below its own average.
_NOISE = 1e-12
_HOLDS = {
    "gt": lambda apart, noise: apart > noise,
    "lt": lambda apart, noise: apart < -noise,
    "gte": lambda apart, noise: apart >= -noise,
    "lte": lambda apart, noise: apart <= noise,
    "eq": lambda apart, noise: abs(apart) <= noise,
}


def compared(operator: str, left: Values, right: Values) -> Truth:
    """gt, lt, gte, lte, eq: values whose difference is less than their noise are equal."""
    apart = left - right
    return _told(_HOLDS[operator](apart, abs(left) * _NOISE), _known(apart))


def inside(value: Values, low: Values, high: Values) -> Truth:
    """Within a channel, its edges included; known to be outside also where one edge is not known."""
    return np.minimum(compared("gte", value, low), compared("lte", value, high))


def negated(truth: Truth) -> Truth:
    return (TRUE - truth).astype(np.int8)


def side(left: Values, right: Values) -> tuple[np.ndarray, np.ndarray]:
    """On which side of the other it is, int8: 1 above, -1 below, 0 where they touch or nobody knows; and who knows."""
    apart, noise = left - right, abs(left) * _NOISE
    is_known = _known(apart)
    return ((apart > noise) & is_known).astype(np.int8) - ((apart < -noise) & is_known), is_known


def side_of(truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    """The same of what is true (1) or false (-1)."""
    return (truth - np.int8(UNKNOWN)).astype(np.int8), truth != UNKNOWN


def crossed(operator: str, now: np.ndarray, is_known: np.ndarray, before: np.ndarray) -> Truth:
    """crosses_up, crosses_down, crosses: it is on a side, and was last seen on the other one.

    now: int8; before: the last one that was not 0, 0 where there was none yet. What touches has not crossed, however
    long, and what leaves to where it came from has not either.
    """
    is_wanted = now > 0 if operator == "crosses_up" else now < 0 if operator == "crosses_down" else now != 0
    told = _told(is_wanted & (now == -before), is_known)
    told[is_wanted & (before == 0)] = UNKNOWN
    return told


def moved(operator: str, now: Values, base: Values, amount: Values, *, percent: bool) -> Truth:
    """rises_by, falls_by: from one value to a later one, by an amount above 0 or more.

    percent: the amount is one of the base, of which nothing is a part unless it is above 0.
    """
    up = now - base if operator == "rises_by" else base - now
    is_known = _known(up) & np.greater(amount, 0)
    if percent:
        return _told(up * 100 >= amount * base - _PERCENT_NOISE * base, is_known & np.greater(base, 0))
    return _told(up >= amount - _NOISE * (abs(now) + abs(base)), is_known)


def _told(holds: np.ndarray, is_known: np.ndarray) -> Truth:
    told = holds.astype(np.int8)
    told += told  # TRUE is two
    told[~is_known] = UNKNOWN
    return told


def _known(values: Values) -> np.ndarray:
    return np.isfinite(values)
