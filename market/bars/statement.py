"""How bars are written: one statement for many rows, in either dialect."""

from datetime import datetime

from django.db import connection

from market.models import Bar as BarRow
from market.prices import Bar

KEY = ("symbol_id", "interval", "opened_at")
VALUES = ("open", "high", "low", "close", "volume")
COLUMNS = (*KEY, *VALUES, "is_final", "source", "received_at", "revision", "session_date", "state")
Key = tuple[int, str, datetime]


def insert_or_update(changes: list[tuple[Key, Bar, int]]) -> None:
    """One statement for all rows."""
    if not changes:
        return
    stamp, day = connection.ops.adapt_datetimefield_value, connection.ops.adapt_datefield_value
    parameters = []
    for (symbol, interval, opened_at), bar, revision in changes:
        parameters += (symbol, interval, stamp(opened_at), *(getattr(bar, name) for name in VALUES))
        parameters += (bar.is_final, bar.source, stamp(bar.received_at), revision, day(bar.session_date), bar.state)
    row = f"({', '.join(['%s'] * len(COLUMNS))})"
    with connection.cursor() as cursor:
        cursor.execute(f"{_insert()} VALUES {', '.join([row] * len(changes))} {_on_conflict()}", parameters)


def _insert() -> str:
    quoted = connection.ops.quote_name
    return f"INSERT INTO {quoted(BarRow._meta.db_table)} ({', '.join(map(quoted, COLUMNS))})"


def _on_conflict() -> str:
    quoted = connection.ops.quote_name
    moved = [quoted(name) for name in COLUMNS if name not in KEY]
    if connection.vendor == "mysql":
        return "ON DUPLICATE KEY UPDATE " + ", ".join(f"{name} = VALUES({name})" for name in moved)
    key = ", ".join(map(quoted, KEY))
    return f"ON CONFLICT ({key}) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in moved)
