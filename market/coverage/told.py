"""What we hold of a symbol's bars, as every answer of bars tells it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from market import prices
from market.coverage.versions import NONE
from market.intervals import DAY
from market.models import Coverage, Symbol

# Why an answer has no bars.
NOT_HELD, NOT_LOADED, NONE_THERE = "interval_not_held", "not_loaded_yet", "source_has_none"
NOT_IN_RANGE = "not_in_range"
REASONS = (NOT_HELD, NOT_LOADED, NONE_THERE, NOT_IN_RANGE)

_FACTS = ("first_held", "last_held", "unbroken_until", "held", "refused", "quarantined", "complete_since")


@dataclass(frozen=True, slots=True)
class Held:
    """What we hold of one interval, and its version. first, last: the openings of its ends, as text."""

    interval: str
    version: str
    first: str | None = None
    last: str | None = None
    unbroken_until: str | None = None
    held: int = 0
    refused: int = 0
    quarantined: int = 0
    complete: bool = False

    def fields(self, *, is_empty: bool) -> dict[str, Any]:
        """As an answer says it. is_empty: no bar is in it."""
        return {
            "first": self.first,
            "last": self.last,
            "unbroken_until": self.unbroken_until,
            "held": self.held,
            "refused": self.refused,
            "quarantined": self.quarantined,
            "complete": self.complete,
            "reason": self._why() if is_empty else None,
        }

    def _why(self) -> str:
        if self.held:
            return NOT_IN_RANGE
        if self.complete:
            return NONE_THERE
        return NOT_LOADED if self.interval == DAY.name else NOT_HELD


def held(ticker: str, interval: str) -> Held:
    """In one query, with the version; of a symbol that there is not, nothing."""
    quoted = connection.ops.quote_name
    # Written out, as that of the versions is, and for the same reason.
    asked = f"""SELECT covered.version, {", ".join(f"covered.{quoted(name)}" for name in _FACTS)}
        FROM {quoted(Symbol._meta.db_table)} named
        JOIN {quoted(Coverage._meta.db_table)} covered
        ON covered.symbol_id = named.id AND covered.{quoted("interval")} = %s
        WHERE named.ticker = %s"""
    with connection.cursor() as cursor:
        cursor.execute(asked, [interval, ticker])
        found = cursor.fetchone()
    if found is None:
        return Held(interval, NONE)
    version, first, last, unbroken_until, *counts, complete_since = found
    day = None if unbroken_until is None else str(unbroken_until)
    return Held(interval, version, _instant(first), _instant(last), day, *counts, complete_since is not None)


def _instant(value: datetime | str | None) -> str | None:
    """Of what a database gives: MariaDB an instant without its zone, SQLite its text."""
    if value is None:
        return None
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return prices.instant(at.replace(tzinfo=UTC))
