"""Stored bars as rows of plain values, read without the ORM: an instant that only passes through stays a text."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import connection

from market import prices
from market.models import Bar as BarRow
from market.models import Symbol
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


_NUMBERS = ("open", "high", "low", "close", "volume", "source", "revision", "state")
_CHARACTERS = ("opened_at", "session_date", "received_at")  # a driver makes objects of these, unless they are text


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


def read(ticker: str, bounds: Bounds, *, interval: str, limit: int | None = None) -> list[tuple]:
    """The bars of a ticker as Row has their fields, oldest first; with a limit the newest of them."""
    quoted = connection.ops.quote_name
    compared = list(bounds.compared())
    where = "".join(f" AND {quoted(column)} {sign} %s" for column, sign, _ in compared)
    # Written out, as to build it of querysets takes longer than to ask it.
    asked = f"""SELECT {", ".join(_selected(name) for name in Row._fields)} FROM {quoted(BarRow._meta.db_table)}
        WHERE symbol_id = (SELECT id FROM {quoted(Symbol._meta.db_table)} WHERE ticker = %s)
        AND {quoted("interval")} = %s{where} ORDER BY {quoted("opened_at")} DESC"""
    values = [ticker, interval, *(_adapted(value) for *_, value in compared)]
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


def _selected(name: str) -> str:
    quoted = connection.ops.quote_name(name)
    if name in _CHARACTERS:
        return f"CAST({quoted} AS CHAR)"
    return quoted if name in _NUMBERS else f"{quoted} + 0"


def _adapted(value: date | datetime) -> object:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return connection.ops.adapt_datefield_value(value)
