"""What a price of the past is in today's shares. Pure; bars stay as traded and are restated on reading.

Convention: a bar is restated by the actions whose ex date follows its session, so the newest bar is as traded.
`split` divides prices by the new shares for one old and multiplies the volume by them; a spin-off, by whose ratio the
source restates, divides prices alone. `split_dividend` also takes
each day's cash out of the prices before it, by 1 - cash / the close before the ex date in the ex date's shares
(CRSP's, Yahoo's "adjusted close"); the volume is that of `split`. Ratios are multiplied as fractions and become
float64 once, so that 3:1 after 1:3 is one.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Protocol

import numpy as np

DIVIDENDS = "split_dividend"
ADJUSTMENTS = ("raw", "split", DIVIDENDS)
SPLIT, SPIN_OFF = "split", "spin_off"
RESTATING = frozenset({SPLIT, SPIN_OFF})  # changes what a share is
CASH = frozenset({"dividend", "capital_gain"})  # leaves the company, and so the price
_LARGEST_DENOMINATOR = 10_000
_PRICES = ("open", "high", "low", "close")
Columns = Mapping[str, np.ndarray]  # of bars, by session


class Action(Protocol):
    """A split (value: new shares for one old), cash per share, as paid, or what changes no factor.

    numerator, denominator: of a split the two numbers of its ratio, where they are known.
    """

    kind: str
    ex_date: date
    value: float
    numerator: float | None
    denominator: float | None


class UnknownAdjustment(ValueError):
    """An adjustment that there is not; the text says which there are."""


@dataclass(frozen=True, slots=True)
class Factors:
    """What to multiply by, for the sessions before each ex date; `prices` and `volumes` end with 1 for those after."""

    ex_dates: Sequence[date]
    prices: Sequence[float]
    volumes: Sequence[float]

    def at(self, session_date: date) -> tuple[float, float]:
        """The factors of a session's prices and volume."""
        index = bisect_right(self.ex_dates, session_date)
        return self.prices[index], self.volumes[index]


NONE = Factors([], [1.0], [1.0])  # changes nothing


def factors(actions: Iterable[Action], adjusted: str, closes: Sequence[tuple[date, float]] = ()) -> Factors:
    """The factors of an adjustment; `closes` are sessions and their closes as traded, oldest first.

    Closes are needed for `split_dividend` alone. A dividend without a close before it changes nothing.
    """
    if adjusted not in ADJUSTMENTS:
        raise UnknownAdjustment(f"no adjustment {adjusted!r}; there are {', '.join(ADJUSTMENTS)}")
    counted = [] if adjusted == "raw" else list(actions)
    splits: dict[date, Fraction] = {}
    news: dict[date, Fraction] = {}  # new shares for old ones, which a spin-off does not give
    paid: dict[date, float] = {}
    for action in counted:
        if action.kind in RESTATING:
            splits[action.ex_date] = splits.get(action.ex_date, 1) * ratio(action)
        if action.kind == SPLIT:
            news[action.ex_date] = news.get(action.ex_date, 1) * ratio(action)
        elif adjusted == DIVIDENDS and action.kind in CASH:
            paid[action.ex_date] = paid.get(action.ex_date, 0.0) + action.value
    ex_dates = sorted({*splits, *paid})
    parts, shares, kept = Fraction(1), Fraction(1), 1.0
    prices, volumes = [1.0], [1.0]
    for ex_date in reversed(ex_dates):
        kept *= _without_cash(paid.get(ex_date, 0.0), ex_date, float(splits.get(ex_date, 1)), closes)
        parts, shares = parts * splits.get(ex_date, 1), shares * news.get(ex_date, 1)
        prices.append(kept * float(1 / parts))
        volumes.append(float(shares))
    return Factors(ex_dates, prices[::-1], volumes[::-1])


def ratio(split: Action) -> Fraction:
    """The new shares for one old, exactly; where the value alone is known, what is nearest to it."""
    if split.numerator and split.denominator:
        return Fraction(split.numerator) / Fraction(split.denominator)
    near = Fraction(split.value).limit_denominator(_LARGEST_DENOMINATOR)
    return near if float(near) == split.value else Fraction(split.value)


def restated(
    found: Factors, session_date: date, open: float, high: float, low: float, close: float, volume: int | None
) -> tuple[float, float, float, float, int | None]:
    """A session's prices and volume in the shares of the newest session."""
    price, shares = found.at(session_date)
    if price == 1.0 and shares == 1.0:
        return open, high, low, close, volume
    return open * price, high * price, low * price, close * price, None if volume is None else round(volume * shares)


def over(found: Factors, columns: Columns) -> Columns:
    """Columns of bars in the shares of the newest session; where nothing changes, the same arrays.

    columns: session_date, datetime64[D] (n,); open, high, low, close, volume, float64 (n,).
    """
    if not found.ex_dates:
        return columns
    after = np.searchsorted(np.array(found.ex_dates, dtype="datetime64[D]"), columns["session_date"], side="right")
    by, shares = np.array(found.prices)[after], np.array(found.volumes)[after]
    prices = {name: columns[name] * by for name in _PRICES}
    return {**columns, **prices, "volume": np.round(columns["volume"] * shares)}


def _without_cash(cash: float, ex_date: date, split: float, closes: Sequence[tuple[date, float]]) -> float:
    """What is left of a price before the ex date; all of it where no close before is known."""
    index = bisect_left(closes, ex_date, key=lambda row: row[0]) if cash else 0
    if not index:
        return 1.0
    kept = 1 - cash * split / closes[index - 1][1]
    return kept if kept > 0 else 1.0
