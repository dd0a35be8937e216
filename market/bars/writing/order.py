"""What a bar is and was, by all that was told of it. Pure: of the same tellings in any order the same comes.

In the order of their receipt, what says the same as what stands before it confirms it, and what says otherwise takes
its place. Of several of one receipt the largest by its values counts alone, as no order of them is known. A settled bar
stands above one that is only closed: what is told of a closed bar once it has settled counts for nothing. A volume that
is not told is that which stands.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from market.bars.batch import CLOSED, UNKNOWN

# Yahoo's volumes still move by so much of themselves after a bar has settled.
VOLUME_MOVES = 0.0035


class Told(NamedTuple):
    """One telling; the tuple's order is the tellings'. state: CLOSED or FINAL; received: microseconds since 1970."""

    state: int
    received: int
    open: float
    high: float
    low: float
    close: float
    volume: int  # UNKNOWN where it is not told
    source: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stood:
    """What stood from its receipt until the next; confirmed: when it was told last, its receipt where that was once."""

    first: Told
    volume: int
    confirmed: int


def stood(tellings: Iterable[Told], slack: int = 0) -> tuple[list[Stood], list[Told]]:
    """What stood one after the other, and those tellings that began none of these as it stands.

    slack: shares by which a volume may be off because its source rounded it.
    """
    found: list[Stood] = []
    aside: list[Told] = []
    for told in counted(tellings):
        last = found[-1] if found else None
        if last and is_same(last, told, slack):
            found[-1] = replace(last, confirmed=told.received)
            if told[:7] != last.first[:7]:
                aside.append(told)
        else:
            volume = last.volume if last and told.volume == UNKNOWN else told.volume
            found.append(Stood(told, volume, told.received))
            if volume != told.volume:
                aside.append(told)
    return found, aside


def counted(tellings: Iterable[Told]) -> list[Told]:
    """In their order, one of each receipt, without what was told of the closed bar once it had settled."""
    ordered = list({told[:2]: told for told in sorted(set(tellings))}.values())
    settled = min((told.received for told in ordered if told.state != CLOSED), default=None)
    return [told for told in ordered if settled is None or told.state != CLOSED or told.received < settled]


def is_same(last: Stood, told: Told, slack: int = 0) -> bool:
    if (told.state, *told[2:6]) != (last.first.state, *last.first[2:6]):
        return False
    return told.volume == UNKNOWN or is_same_volume(last.volume, told.volume, slack)


def is_same_volume(held: int, told: int, slack: int = 0) -> bool:
    if held == UNKNOWN:
        return told == UNKNOWN
    return abs(held - told) <= max(VOLUME_MOVES * max(held, told), slack)
