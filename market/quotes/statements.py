"""How snapshots are written: many in a statement, in either dialect.

A row is told as the database takes it, and no model is made of it: there are some hundred a second, and making the
models and having Django convert each of their values took four times as long as the database does.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain

from django.db import connection, transaction

from market.models import Snapshot
from market.prices import Quote

ROWS = 500  # of one statement
Row = tuple[int, Quote]  # the key of the quote's symbol, and it

_COLUMNS = (
    "symbol_id", "received_at", "as_of", "price", "previous_close", "volume", "session_date", "as_of_precision",
    "source",
)  # fmt: skip
_KEY, _MOVED = _COLUMNS[:3], _COLUMNS[3:6]


@transaction.atomic
def insert(rows: Sequence[Row]) -> int:
    """Write snapshots, all or none; one that is there tells the newer price of the same receipt. Returns how many."""
    with connection.cursor() as cursor:
        for first in range(0, len(rows), ROWS):
            part = rows[first : first + ROWS]
            cursor.execute(_statement(len(part), connection.vendor), list(chain.from_iterable(map(_values, part))))
    return len(rows)


def _values(row: Row) -> tuple:
    symbol, quote = row
    return (
        symbol, _text(quote.received_at), _text(quote.as_of), quote.price, quote.previous_close, quote.volume,
        quote.session_date.isoformat(), quote.as_of_precision, quote.source,
    )  # fmt: skip


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(" ")[:-6]


@lru_cache(maxsize=8)
def _statement(count: int, vendor: str) -> str:
    quoted = connection.ops.quote_name
    row = f"({', '.join(['%s'] * len(_COLUMNS))})"
    return f"""INSERT INTO {quoted(Snapshot._meta.db_table)} ({", ".join(map(quoted, _COLUMNS))})
        VALUES {", ".join([row] * count)} {_on_conflict(vendor)}"""


def _on_conflict(vendor: str) -> str:
    quoted = connection.ops.quote_name
    if vendor == "mysql":  # which finds the unique key by itself and refuses to be told
        return "ON DUPLICATE KEY UPDATE " + ", ".join(f"{quoted(name)} = VALUES({quoted(name)})" for name in _MOVED)
    moved = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in _MOVED)
    return f"ON CONFLICT ({', '.join(map(quoted, _KEY))}) DO UPDATE SET {moved}"
