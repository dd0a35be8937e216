"""Up to where the doors of bars, actions and coverage read: the market's clock.

Of a recorded source it stands at the session that its player plays: the sessions before it are history, it is the bar
that forms, also after its close, and of later ones nobody knows yet. Of a live source it is now, and cuts nothing.
It is asked for within the statement that reads, so that both are of one moment.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date

from django.db import connection
from django.db.models import DateField, Q, Subquery, Value
from django.db.models.functions import Coalesce

from market.models import DataSource

_is_lifted: ContextVar[bool] = ContextVar("is_lifted", default=False)
_ROW = DataSource.objects.filter(pk=1)


@contextmanager
def lifted() -> Iterator[None]:
    """Read all that is held, also what is to come: for who plays it."""
    token = _is_lifted.set(True)
    try:
        yield
    finally:
        _is_lifted.reset(token)


def asked() -> str:
    """The session that runs, in SQL; null of a live source."""
    if _is_lifted.get():
        return "NULL"
    quoted = connection.ops.quote_name
    return f"(SELECT {quoted('session')} FROM {quoted(DataSource._meta.db_table)} WHERE id = 1)"


def cut(column: str) -> str:
    """That a column's session came before it, in SQL, behind other conditions."""
    return "" if _is_lifted.get() else f" AND {column} < COALESCE({asked()}, '9999-12-31')"


def session() -> Subquery | Value:
    """The session that runs, for a query's annotation; null of a live source."""
    if _is_lifted.get():
        return Value(None, output_field=DateField())
    return Subquery(_ROW.values("session")[:1])


def before(field: str = "session_date") -> Q:
    """That a field's session came before it."""
    return Q() if _is_lifted.get() else Q(**{f"{field}__lt": _or_end()})


def until(field: str) -> Q:
    """That a field's day has begun."""
    return Q() if _is_lifted.get() else Q(**{f"{field}__lte": _or_end()})


def _or_end() -> Coalesce:
    return Coalesce(Subquery(_ROW.values("session")[:1]), Value(date.max), output_field=DateField())
