"""What we hold of a symbol's bars, as every answer of bars tells it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection

from market import clock, intervals, prices
from market.coverage import so_far
from market.coverage.so_far import NO_ENDS, Ends
from market.coverage.versions import NONE, cut
from market.intervals import DAY
from market.models import Coverage, Symbol

# Why an answer has no bars.
NOT_HELD, NOT_LOADED, NONE_THERE = "interval_not_held", "not_loaded_yet", "source_has_none"
NOT_IN_RANGE = "not_in_range"
REASONS = (NOT_HELD, NOT_LOADED, NONE_THERE, NOT_IN_RANGE)

_FACTS = (
    "first_held",
    "last_held",
    "unbroken_until",
    "held",
    "refused",
    "quarantined",
    "complete_since",
    "first_wanted",
)


@dataclass(frozen=True, slots=True)
class Held:
    """What we hold of one interval that is stored, and its version. first, last: the openings of its ends, as text.

    wanted: the session from which on all was loaded that there is; None where it was not yet.
    """

    interval: str
    version: str
    first: str | None = None
    last: str | None = None
    unbroken_until: str | None = None
    held: int = 0
    refused: int = 0
    quarantined: int = 0
    complete: bool = False
    wanted: str | None = None

    def fields(self, *, is_empty: bool) -> dict[str, Any]:
        """As an answer says it. is_empty: no bar is in it."""
        return {
            "interval": self.interval,
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


def held(tickers: Collection[str], interval: str) -> dict[str, Held]:
    """Of each ticker in one query, with the version; of a symbol that there is not, nothing.

    Of an interval whose bars are made on reading it is what those are made from.
    """
    if not tickers:
        return {}
    interval = intervals.named(interval).stored_as
    quoted = connection.ops.quote_name
    # Written out, as that of the versions is, and for the same reason.
    facts = ", ".join(f"covered.{quoted(name)}" for name in _FACTS)
    asked = f"""SELECT named.ticker, {clock.asked()}, covered.version, {facts}
        FROM {quoted(Symbol._meta.db_table)} named
        JOIN {quoted(Coverage._meta.db_table)} covered
        ON covered.symbol_id = named.id AND covered.{quoted("interval")} = %s
        WHERE named.ticker IN ({", ".join(["%s"] * len(tickers))})"""
    with connection.cursor() as cursor:
        cursor.execute(asked, [interval, *tickers])
        rows = cursor.fetchall()
    found = {ticker: _held(interval, *row) for ticker, _, *row in rows}
    if session := next((session for _, session, *_ in rows if session is not None), None):
        ends = so_far.counted(list(found), session)
        found = {ticker: _cut(each, session, ends.get((ticker, interval))) for ticker, each in found.items()}
    return {ticker: found.get(ticker) or Held(interval, NONE) for ticker in tickers}


def _held(
    interval: str,
    version: str,
    first: datetime | str | None,
    last: datetime | str | None,
    unbroken_until: object,
    *rest: Any,
) -> Held:
    *counts, complete_since, first_wanted = rest
    is_complete, days = complete_since is not None, (unbroken_until, first_wanted)
    until, wanted = (None if day is None else str(day) for day in days)
    ends = _instant(first), _instant(last), until
    return Held(interval, version, *ends, *counts, is_complete, wanted if is_complete else None)


def _cut(whole: Held, session: date | str, ends: Ends | None) -> Held:
    """The same up to a session that runs."""
    count, first, last = ends or NO_ENDS
    until = whole.unbroken_until and last and min(whole.unbroken_until, last.date().isoformat())
    now = {"held": count, "first": first and prices.instant(first), "last": last and prices.instant(last)}
    return replace(whole, version=cut(whole.version, session), unbroken_until=until, **now)


def _instant(value: datetime | str | None) -> str | None:
    """Of what a database gives: MariaDB an instant without its zone, SQLite its text."""
    if value is None:
        return None
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return prices.instant(at.replace(tzinfo=UTC))
