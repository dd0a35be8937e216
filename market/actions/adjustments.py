"""What a price of the past is in today's shares. Pure; bars stay as traded and are restated on reading.

Convention: a bar is restated by the actions whose ex date follows its session, so the newest bar is as traded.
`split` divides prices by the new shares for one old and multiplies the volume by them. `split_dividend` also takes
each dividend out of the prices before it, by 1 - dividend / the close before the ex date in the ex date's shares
(CRSP's, Yahoo's "adjusted close"); the volume is that of `split`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import Protocol

DIVIDENDS = "split_dividend"
ADJUSTMENTS = ("raw", "split", DIVIDENDS)


class Action(Protocol):
    """A split (value: new shares for one old) or a dividend (value: cash per share, as paid)."""

    kind: str
    ex_date: date
    value: float


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


def factors(actions: Iterable[Action], adjusted: str, closes: Sequence[tuple[date, float]] = ()) -> Factors:
    """The factors of an adjustment; `closes` are sessions and their closes as traded, oldest first.

    Closes are needed for `split_dividend` alone. A dividend without a close before it changes nothing.
    """
    if adjusted not in ADJUSTMENTS:
        raise UnknownAdjustment(f"no adjustment {adjusted!r}; there are {', '.join(ADJUSTMENTS)}")
    counted = [] if adjusted == "raw" else sorted(actions, key=lambda action: (action.ex_date, action.kind))
    splits = {action.ex_date: action.value for action in counted if action.kind == "split"}
    dates, prices, volumes = [], [], []
    for action in counted:
        if action.kind == "split":
            step = 1 / action.value, action.value
        elif adjusted == DIVIDENDS:
            step = _without_dividend(action, splits.get(action.ex_date, 1.0), closes), 1.0
        else:
            continue
        dates.append(action.ex_date)
        prices.append(step[0])
        volumes.append(step[1])
    return Factors(dates, _from_the_end(prices), _from_the_end(volumes))


def restated(
    found: Factors, session_date: date, open: float, high: float, low: float, close: float, volume: int | None
) -> tuple[float, float, float, float, int | None]:
    """A session's prices and volume in the shares of the newest session."""
    price, shares = found.at(session_date)
    if price == 1.0 and shares == 1.0:
        return open, high, low, close, volume
    return open * price, high * price, low * price, close * price, None if volume is None else round(volume * shares)


def _without_dividend(action: Action, split: float, closes: Sequence[tuple[date, float]]) -> float:
    index = bisect_left(closes, action.ex_date, key=lambda row: row[0])
    if not index:
        return 1.0
    kept = 1 - action.value * split / closes[index - 1][1]
    return kept if kept > 0 else 1.0


def _from_the_end(steps: list[float]) -> list[float]:
    """Each factor with all that follow it, and 1 for what comes after the last."""
    return [*list(accumulate(reversed(steps), lambda left, right: left * right))[::-1], 1.0]
