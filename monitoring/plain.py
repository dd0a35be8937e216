"""Rows read and added without the ORM's way to SQL, for what is asked for each of thousands of symbols.

To make a query's text takes the ORM twenty times as long as the database takes to answer it.
"""

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import TypeVar

from django.db import connection
from django.db.models import Model
from django.db.models.sql import Query

Row = TypeVar("Row", bound=Model)
_AT_ONCE = 50  # rows of one statement: more are more parameters than SQLite likes


def read(model: type[Row], where: str, values: Sequence[object]) -> list[Row]:
    """The rows for which a condition holds, in the order that it says. where: SQL, with a %s for each value."""
    fields = model._meta.concrete_fields
    names, compiler = [field.attname for field in fields], Query(model).get_compiler(connection.alias)
    converters = compiler.get_converters([field.get_col(model._meta.db_table) for field in fields])
    with connection.cursor() as cursor:
        cursor.execute(f"{_selected(model, connection.vendor)} WHERE {where}", list(map(_adapted, values)))
        found = cursor.fetchall()
    told = compiler.apply_converters(found, converters) if converters else found
    return [model.from_db(connection.alias, names, each) for each in told]


def among(column: str, many: int) -> str:
    """That a column has one of so many values."""
    return f"{column} IN ({', '.join(['%s'] * many)})" if many else "1 = 0"


def add(rows: Sequence[Model]) -> None:
    """Add rows of one model that no row is in the place of. The keys that the database gives are not told."""
    for first in range(0, len(rows), _AT_ONCE):
        some = rows[first : first + _AT_ONCE]
        names = _own(type(some[0]))
        values = [_adapted(getattr(row, name)) for row in some for name in names]
        with connection.cursor() as cursor:
            cursor.execute(_insert(type(some[0]), len(some), connection.vendor), values)


@lru_cache(maxsize=64)
def _selected(model: type[Model], vendor: str) -> str:
    quoted = connection.ops.quote_name
    columns = ", ".join(quoted(field.column) for field in model._meta.concrete_fields)
    return f"SELECT {columns} FROM {quoted(model._meta.db_table)}"


@lru_cache(maxsize=64)
def _insert(model: type[Model], many: int, vendor: str) -> str:
    quoted = connection.ops.quote_name
    columns = [quoted(field.column) for field in model._meta.concrete_fields if field.attname in _own(model)]
    one = f"({', '.join(['%s'] * len(columns))})"
    table = quoted(model._meta.db_table)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one] * many)}"


@lru_cache(maxsize=64)
def _own(model: type[Model]) -> tuple[str, ...]:
    """The attributes of the columns that the database does not fill itself."""
    return tuple(each.attname for each in model._meta.concrete_fields if each is not model._meta.auto_field)


def _adapted(value: object) -> object:
    """As the driver wants it."""
    if not isinstance(value, date):
        return value
    ops = connection.ops
    return ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else ops.adapt_datefield_value(value)
