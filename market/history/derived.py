"""What is computed from bars and kept as rows: each says the version of the bars that it came from.

By it is told what was computed from a value that a source has corrected since.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from market.actions import adjustments
from market.coverage import tokens
from market.intervals import DAY
from market.models import Record

# By adjustment, the kinds of actions that restate a bar.
_RESTATING = {
    "raw": frozenset(),
    "split": adjustments.RESTATING,
    adjustments.DIVIDENDS: adjustments.RESTATING | adjustments.CASH,
}


@dataclass(frozen=True, slots=True)
class Derived:
    """A row that was computed. kind, name: what it is. version: None where a version before wrote it.

    first, last: the sessions that it counted, None where they are not known.
    """

    kind: str
    name: str
    symbol: int
    interval: str
    adjustment: str
    version: str | None
    computed_at: datetime
    first: date | None = None
    last: date | None = None

    @property
    def stands_at(self) -> datetime:
        """When what it was computed from had been written."""
        return (self.version and tokens.given_at(self.version)) or self.computed_at

    def counts_bar(self, interval: str, session: date | None) -> bool:
        """Whether a bar is one of those that it was computed from."""
        is_since = session is None or self.first is None or session >= self.first
        return interval == self.interval and is_since and (session is None or self.last is None or session <= self.last)

    def counts_action(self, kind: str, ex_date: date) -> bool:
        """Whether an action restated bars that it was computed from."""
        are_some = self.first is None or self.first < ex_date
        return are_some and kind in _RESTATING[self.adjustment]


def _records(symbols: Collection[int]) -> Iterator[Derived]:
    columns = ("scope", "symbol_id", "version", "computed_at", "since", "as_of")
    for scope, symbol, *rest in (
        Record.objects.running().filter(symbol_id__in=symbols).order_by("scope").values_list(*columns)
    ):
        yield Derived("record", scope, symbol, DAY.name, "split", *rest)


# Whatever is computed from bars and kept has its entry here, from above too.
KINDS: dict[str, Callable[[Collection[int]], Iterator[Derived]]] = {"record": _records}


def of(symbols: Collection[int]) -> list[Derived]:
    """All that is kept of these symbols, by their keys."""
    return [each for kind in KINDS.values() for each in kind(symbols)]
