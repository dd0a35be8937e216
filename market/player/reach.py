"""Where something may happen in a symbol's sessions, over whole arrays: it is looked for without playing them. Pure.

What is told here of a session may be a little too much, and is never too little: who looks plays it to be sure.
"""

import numpy as np

from market.actions import adjustments
from market.player.finer import PRICES, Finer
from market.player.held import Held
from market.records import YEAR

SLACK = 1e-9  # of a price: a product of factors is another one in another order
_DAY = ("open", "high", "low", "close")


def prices(held: Held) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest price that each session tells: float64 (n,)."""
    day = np.stack([held.columns[name] for name in _DAY])
    low, high = day.min(axis=0), day.max(axis=0)
    dates = held.columns["session_date"]
    for finer in held.finer:
        sessions, lows, highs = _by_session(finer)
        known = np.isin(sessions, dates)
        place = np.searchsorted(dates, sessions[known])
        low[place] = np.minimum(low[place], lows[known])
        high[place] = np.maximum(high[place], highs[known])
    return low, high


def previous_closes(held: Held) -> np.ndarray:
    """The close of the session before each, in its shares: float64 (n,), NaN of the first, and also across a hole."""
    closes = np.concatenate([[np.nan], held.columns["close"][:-1]])
    for number in np.flatnonzero(begins_anew(held)):
        close = held.previous_close(int(number))
        closes[number] = np.nan if close is None else close
    return closes


def begins_anew(held: Held) -> np.ndarray:
    """Whether what came before each session is of other shares than its own: bool (n,)."""
    ex_dates = np.array([each.ex_date for each in held.actions], "datetime64[D]")
    numbers = np.searchsorted(held.columns["session_date"], ex_dates)
    found = np.zeros(len(held), bool)
    found[numbers[(numbers > 0) & (numbers < len(held))]] = True
    return found


def sets_record(held: Held) -> np.ndarray:
    """Whether each session is higher or lower than all of the 52 weeks before it: bool (n,)."""
    columns = adjustments.over(adjustments.factors(held.actions, "split"), held.columns)
    dates, high, low = (columns[name] for name in ("session_date", "high", "low"))
    if len(dates) < 2:
        return np.zeros(len(dates), bool)
    first = np.concatenate([[0], np.searchsorted(dates, dates[:-1] - YEAR, side="right")])
    top, bottom = _most(high, first), -_most(-low, first)
    return (high > top - SLACK * np.abs(top)) | (low < bottom + SLACK * np.abs(bottom))


def _by_session(finer: Finer) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Its sessions, and the lowest and the highest price of each."""
    sessions, starts = np.unique(finer.session_date, return_index=True)
    told = finer.values[:, :1] if finer.name == PRICES else finer.values[:, : len(_DAY)]
    if not len(starts):
        return sessions, np.empty(0), np.empty(0)
    return sessions, np.minimum.reduceat(told.min(axis=1), starts), np.maximum.reduceat(told.max(axis=1), starts)


def _most(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The largest value from `first` to before each place; NaN where that is none. By spans of 1, 2, 4, .. values, of
    which two cover any other.
    """
    places = np.arange(len(values))
    widths, found = places - first, np.full(len(values), np.nan)
    spans, size = values, 1
    while (widths >= size).any():
        mine = (widths >= size) & (widths < 2 * size)
        found[mine] = np.maximum(spans[first[mine]], spans[places[mine] - size])
        spans, size = np.maximum(spans[:-size], spans[size:]), 2 * size
    return found
