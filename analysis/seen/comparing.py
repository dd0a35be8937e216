"""What becomes of the signals of a symbol's bars, by what its history says now: new ones, and new states. Pure.

A signal is never taken away. One that was seen before its bar was settled is confirmed or withdrawn then; where the bar
is corrected later, it is revised, and fires no second time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

PROVISIONAL, CONFIRMED, WITHDRAWN, REVISED = "provisional", "confirmed", "withdrawn", "revised"
Key = tuple[datetime, str]  # a bar's opening and a rule


class Kept(Protocol):
    """What analysis.models.Signal holds."""

    opened_at: datetime
    rule: str
    state: str
    holds: bool
    price: float


@dataclass(frozen=True, slots=True)
class Bar:
    """price: its close, as traded."""

    price: float
    is_final: bool
    source: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """What a signal becomes. is_otherwise: its bar says something else than what was kept."""

    state: str
    holds: bool
    is_otherwise: bool


def state_of_new(bar: Bar, *, was_counted: bool) -> str:
    """Of one that nobody has seen. was_counted: its bar was looked at before, and nothing fired there then."""
    if was_counted:
        return REVISED
    return CONFIRMED if bar.is_final else PROVISIONAL


def change(kept: Kept, bar: Bar | None, *, fires: bool, is_past: bool) -> Change | None:
    """What becomes of one that is kept; None where it stays as it is.

    bar: None where there is none. is_past: there are later bars, so that none comes any more.
    """
    if bar is None:
        return _without_bar(kept) if is_past else None
    is_otherwise = bar.price != kept.price
    if kept.state == PROVISIONAL:
        if not bar.is_final:
            return None
        return Change(CONFIRMED, True, is_otherwise) if fires else Change(WITHDRAWN, False, is_otherwise)
    if fires == kept.holds and not (fires and is_otherwise):
        return None
    return Change(REVISED, fires, is_otherwise)


def _without_bar(kept: Kept) -> Change | None:
    if kept.state == PROVISIONAL:
        return Change(WITHDRAWN, False, False)
    return Change(REVISED, False, False) if kept.holds else None


def changes(
    kept: Iterable[Kept], fired: Mapping[Key, int], bars: Mapping[datetime, Bar], *, last: datetime, left_out: set[str]
) -> list[tuple[Kept, Change]]:
    """Of all that are kept. last: the opening of the last bar. left_out: rules of which nobody knows now."""
    found = []
    for each in kept:
        if each.rule in left_out:
            continue
        fires = (each.opened_at, each.rule) in fired
        told = change(each, bars.get(each.opened_at), fires=fires, is_past=each.opened_at <= last)
        if told is not None:
            found.append((each, told))
    return found
