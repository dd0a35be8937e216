"""Stored bars as rows of plain values, read without the ORM: an instant that only passes through stays a text."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import connection

from market import clock, prices
from market.models import Bar as BarRow
from market.models import BarRevision, ProvisionalBar, Symbol
from market.prices import Bar

_AROUND = timedelta(days=2)  # further from its date's midnight, UTC, no bar of a session opens


class Row(NamedTuple):
    """A stored bar as traded. opened_at, received_at: UTC as the database writes it; session_date: ISO 8601."""

    opened_at: str
    session_date: str
    open: float
    high: float
    low: float
    close: float
    volume: int | None
    is_final: int
    source: str
    received_at: str
    revision: int
    state: str | None


KEY = ("symbol_id", "interval", "opened_at")
_NUMBERS = ("open", "high", "low", "close", "volume", "source", "revision", "state")
_CHARACTERS = ("opened_at", "session_date", "received_at")  # a driver makes objects of these, unless they are text
# What former values do not say themselves, as their table says it.
_FORMER = {
    BarRevision: {"is_final": "1", "state": "'final'"},
    ProvisionalBar: {"is_final": "0", "revision": "CAST(0 AS UNSIGNED)", "state": "'closed'"},  # as the others are
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which bars count, from `start` to `end`, both counted: a date is of their session, a datetime of their opening.

    before: they opened before it.
    """

    start: date | datetime | None = None
    end: date | datetime | None = None
    before: datetime | None = None

    def hold(self, bar: Bar) -> bool:
        first, last = (
            bar.opened_at if isinstance(each, datetime) else bar.session_date for each in (self.start, self.end)
        )
        is_since, is_until = self.start is None or first >= self.start, self.end is None or last <= self.end
        return is_since and is_until and (self.before is None or bar.opened_at < self.before)

    def compared(self) -> Iterator[tuple[str, str, date | datetime]]:
        """Columns, how they compare, and with what; a session also as the key can serve it, in which openings are."""
        for bound, sign, around in ((self.start, ">=", -_AROUND), (self.end, "<=", _AROUND)):
            if isinstance(bound, datetime):
                yield "opened_at", sign, bound
            elif bound is not None:
                yield "session_date", sign, bound
                yield "opened_at", sign, prices.midnight(bound) + around
        if self.before is not None:
            yield "opened_at", "<", self.before


def read(
    ticker: str, bounds: Bounds, *, interval: str, limit: int | None = None, known_at: datetime | None = None
) -> list[tuple]:
    """The bars of a ticker as Row has their fields, oldest first; with a limit the newest of them.

    known_at: as they were known then, of all that was received up to it; None: as they are.
    """
    parts = [_stored(ticker, bounds, interval)] if known_at is None else _known(ticker, bounds, interval, known_at)
    asked, values = " UNION ALL ".join(each for each, _ in parts), [value for _, each in parts for value in each]
    asked += " ORDER BY 1 DESC" if known_at else f" ORDER BY {connection.ops.quote_name('opened_at')} DESC"
    with connection.cursor() as cursor:
        cursor.execute(*((asked, values) if limit is None else (f"{asked} LIMIT %s", [*values, limit])))
        return list(reversed(cursor.fetchall()))


def moment(text: str) -> datetime:
    """An instant of a row."""
    return datetime.fromisoformat(f"{text}+00:00")


def instant(text: str) -> str:
    """The same as prices.instant tells it, without the datetime."""
    fraction = text[20:23]
    return f"{text[:10]}T{text[11:23]}Z" if fraction and fraction != "000" else f"{text[:10]}T{text[11:19]}Z"


def _stored(ticker: str, bounds: Bounds, interval: str) -> tuple[str, list]:
    # Written out, as to build it of querysets takes longer than to ask it.
    quoted = connection.ops.quote_name
    where, values = _where("", ticker, bounds, interval)
    columns = ", ".join(_selected(quoted(name), name) for name in Row._fields)
    return f"SELECT {columns} FROM {quoted(BarRow._meta.db_table)} WHERE {where}", values


def _known(ticker: str, bounds: Bounds, interval: str, at: datetime) -> list[tuple[str, list]]:
    """Those that stand and had come by then, and the former ones whose successor came after it."""
    quoted, until = connection.ops.quote_name, _adapted(at)
    asked, values = _stored(ticker, bounds, interval)
    found = [(f"{asked} AND {quoted('received_at')} <= %s", [*values, until])]
    where, values = _where("bar.", ticker, bounds, interval)
    same = " AND ".join(f"former.{quoted(name)} = bar.{quoted(name)}" for name in KEY)
    had_come = "former.received_at <= %s AND former.replaced_at > %s"
    for model, facts in _FORMER.items():
        columns = ", ".join(
            facts.get(name) or _selected(f"{_owner(name)}.{quoted(name)}", name) for name in Row._fields
        )
        tables = f"{quoted(model._meta.db_table)} former JOIN {quoted(BarRow._meta.db_table)} bar ON {same}"
        found.append((f"SELECT {columns} FROM {tables} WHERE {where} AND {had_come}", [*values, until, until]))
    return found


def _owner(name: str) -> str:
    return "bar" if name in ("opened_at", "session_date") else "former"


def _where(owner: str, ticker: str, bounds: Bounds, interval: str) -> tuple[str, list]:
    quoted, compared = connection.ops.quote_name, list(bounds.compared())
    within = "".join(f" AND {owner}{quoted(column)} {sign} %s" for column, sign, _ in compared)
    come = clock.cut(f"{owner}{quoted('session_date')}")
    named = f"(SELECT id FROM {quoted(Symbol._meta.db_table)} WHERE ticker = %s)"
    values = [ticker, interval, *(_adapted(value) for *_, value in compared)]
    return f"{owner}symbol_id = {named} AND {owner}{quoted('interval')} = %s{within}{come}", values


def _selected(column: str, name: str) -> str:
    if name in _CHARACTERS:
        return f"CAST({column} AS CHAR)"
    return column if name in _NUMBERS else f"{column} + 0"


def _adapted(value: date | datetime) -> object:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return connection.ops.adapt_datefield_value(value)
