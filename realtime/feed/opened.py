"""Which streams a feed tells of those that are told only while somebody holds them."""

import time
from collections.abc import Set

from realtime import kinds, streams, wanted
from realtime.kinds import BARS, INDICATORS

LOOK_SECONDS = 1.0  # and as soon as there is more


class Opened:
    """From the first who holds one to a while after the last. Where one ends it begins anew: who comes back to what was
    told before hears that there is a gap.

    names: those that are told. A Redis that forgets who holds them closes none: it is soon said again.
    """

    def __init__(self) -> None:
        self.names: Set[str] = frozenset()
        self._until: dict[str, float] = {}
        self._told: Set[str] = frozenset()
        self._look_at = 0.0

    def begin(self) -> None:
        """End what the feed before told and nobody holds now. Safe to run again."""
        wanted.tell(())
        wanted.close(set(filter(_is_ours, streams.names({BARS.name, INDICATORS.name}))))

    def is_due(self) -> bool:
        return time.monotonic() >= self._look_at

    def hurry(self) -> None:
        """Somebody holds what nobody held before."""
        self._look_at = 0.0

    def look(self) -> None:
        """Close what nobody holds any more, and see what is to be opened. Safe to run again."""
        now = time.monotonic()
        self._look_at = now + LOOK_SECONDS
        said = {name: now + wanted.CLOSE_SECONDS - age for name, age in wanted.ages().items() if _is_ours(name)}
        self._until = {name: until for name, until in (self._until | said).items() if until > now}
        if ended := self.names - self._until.keys():
            self.tell(self._told - ended)
            ended = wanted.close(ended)
        self.names = (self.names - ended) | self._until.keys()

    def tell(self, names: Set[str]) -> None:
        """Of these the newest was told: whoever comes now finds it."""
        if names or self._told:
            wanted.tell(names)
        self._told = names

    def rename(self, old: str, new: str) -> None:
        """A symbol's streams are told by its new ticker."""
        moved = {name: kinds.renamed(name, new) for name in self._until if kinds.address(name).ticker == old}
        self._until = {moved.get(name, name): until for name, until in self._until.items()}
        self.names = frozenset(moved.get(name, name) for name in self.names)


def _is_ours(name: str) -> bool:
    return kinds.is_by_symbol(name) and kinds.is_while_held(name)
