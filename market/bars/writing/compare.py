"""What comes beside what is there: what is new, what confirms, what corrects, and what is not the newest. Pure."""

from dataclasses import dataclass

import numpy as np

from market.bars.batch import CLOSED, FINAL, PRICES, UNKNOWN, Batch
from market.bars.writing.held import NEVER, Held
from market.bars.writing.order import VOLUME_MOVES

_OPENINGS = 2**36  # of seconds, before and after 1970


@dataclass(frozen=True, slots=True)
class Compared:
    """Masks over the rows of a batch, each row in one of them, and `at`: the place of its bar in what is held.

    told: these only say again what is known, and `retold` of them at the time of the last confirmation. late: those
    whose place among all tellings must be looked for.
    """

    at: np.ndarray
    new: np.ndarray
    confirming: np.ndarray
    correcting: np.ndarray
    settling: np.ndarray
    moving: np.ndarray
    told: np.ndarray
    retold: np.ndarray
    late: np.ndarray


def compare(batch: Batch, keys: np.ndarray, held: Held, slack: np.ndarray, latest: int) -> Compared:
    """batch, held: in the order of symbol and opening. keys: the symbol's key of each row. slack: as order.stood has
    it. latest: what was received after it, in microseconds, a wrong clock wrote.
    """
    told, known = codes(keys, held, batch)
    at, there = places(told, known)
    alone = _alone(told)
    if not there.any():
        none = np.zeros(len(batch), bool)
        return Compared(at, alone, none, none, none, none, none, none, ~alone)
    bar = held.take(at)
    is_ahead = bar.received > latest
    last = np.where(is_ahead, NEVER, np.maximum(bar.received, np.where(bar.confirmed > latest, NEVER, bar.confirmed)))
    is_later, is_final = batch.received > last, bar.state == FINAL
    same_state = batch.state == bar.state
    same = same_state & np.logical_and.reduce([getattr(batch, name) == getattr(bar, name) for name in PRICES])
    exact = same & (batch.volume == bar.volume)
    same &= (batch.volume == UNKNOWN) | _same_volume(batch.volume, bar.volume, slack)
    held_alone = there & alone
    again = exact & (batch.received == bar.received) & ~is_ahead
    retold = ~again & same & (batch.received == bar.confirmed) & ~is_later
    passed = is_final & (batch.state == CLOSED) & (batch.received >= bar.received) & ~is_ahead
    found = {
        "confirming": held_alone & same & is_later,
        "correcting": held_alone & ~same & is_later & same_state & is_final,
        "moving": held_alone & ~same & is_later & same_state & ~is_final,
        "settling": held_alone & is_later & ~same_state & ~is_final,
        "told": held_alone & (again | retold | passed),
        "retold": held_alone & retold,
    }
    new = ~there & alone
    placed = new | np.logical_or.reduce(list(found.values()))
    return Compared(at, new, late=~placed, **found)


def spans(
    which: np.ndarray, at: np.ndarray, held: Held, received: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of a batch whose bars follow each other in what is held, of one symbol and one receipt, together.

    Returns of each such span the symbol's key, the first and the last opening (n, 2), and the receipt.
    """
    places, times = at[which], received[which]
    if not len(places):
        return np.empty(0, np.int64), np.empty((0, 2), np.int64), times
    symbols = held.symbol[places]
    breaks = (np.diff(places) != 1) | (np.diff(symbols) != 0) | (np.diff(times) != 0)
    first = np.flatnonzero(np.concatenate([[True], breaks]))
    last = np.concatenate([first[1:] - 1, [len(places) - 1]])
    openings = np.stack([held.opened[places[first]], held.opened[places[last]]], axis=1)
    return symbols[first], openings, times[first]


def codes(keys: np.ndarray, held: Held, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """One number a bar, in the order of symbol and opening: of the batch, and of what is held."""
    symbols = np.unique(np.concatenate([keys, held.symbol]))
    return _codes(symbols, keys, batch.opened), _codes(symbols, held.symbol, held.opened)


def places(told: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each told bar its place among the known ones, and whether it is there."""
    at = np.searchsorted(known, told)
    there = at < len(known)
    at[~there] = 0
    return at, there & (known[at] == told) if len(known) else there


def _codes(symbols: np.ndarray, keys: np.ndarray, opened: np.ndarray) -> np.ndarray:
    return np.searchsorted(symbols, keys) * (2 * _OPENINGS) + opened + _OPENINGS


def _alone(codes: np.ndarray) -> np.ndarray:
    """Whether a row is the only one of its bar."""
    differs = np.concatenate([[True], np.diff(codes) != 0, [True]])
    return (differs[1:] & differs[:-1])[: len(codes)]  # of none there is none


def _same_volume(told: np.ndarray, held: np.ndarray, slack: np.ndarray) -> np.ndarray:
    """As order.is_same_volume."""
    are_known = (told != UNKNOWN) & (held != UNKNOWN)
    moved, larger = np.abs(told - held), np.maximum(told, held)
    return (told == held) | (are_known & (moved <= np.maximum(VOLUME_MOVES * larger, slack)))
