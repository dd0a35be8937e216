"""What changed held bars, told to whoever keeps them: appended to a bounded list that the feed reads.

Every change of a version is told, also those that say nothing else of what was held before, as new bars at the end:
by them the feed follows the versions, and knows where one moved of which it was told nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from monitoring import formats
from monitoring.lists import BoundedList

LIMIT = 10_000
# Why: another value was told of what was final, or what had only closed is final now; the others are kinds of actions.
REVISION, SETTLED, RENAMED = "revision", "settled", "renamed"


@dataclass(frozen=True, slots=True)
class Span:
    """The sessions, both counted, whose bars say something else now, and why."""

    first: date
    last: date
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """The version of a symbol's bars, by its key, moved from `before` to `after`; span: None where no bar that was held
    says anything else.
    """

    symbol: int
    interval: str
    before: str
    after: str
    span: Span | None = None


FORMAT = formats.Format(Change)
LIST = BoundedList(FORMAT.key("changes", "bars"), limit=LIMIT, what="change of bars")


def after_commit(changes: Iterable[Change]) -> None:
    """Append these once they are committed; what is rolled back is told to nobody."""
    told = list(changes)
    if told:
        transaction.on_commit(lambda: LIST.put(*told))
