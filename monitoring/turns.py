"""Turns at a database that has one writer. Whoever waits for SQLite's write lock only looks again every few moments: a
series of writes that follow each other at once would leave no moment free for all others.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection
from django.db.models import Model, QuerySet

LONGEST_REST_SECONDS = 0.1  # as long as SQLite sleeps between two looks

_turn = threading.Lock()


@contextmanager
def taken() -> Iterator[None]:
    """One write of a series. On SQLite the lock is then left alone for as long as it was held, by all series here."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with _turn:
        begun = time.monotonic()
        yield
        time.sleep(min(time.monotonic() - begun, LONGEST_REST_SECONDS))


def delete_before(
    model: type[Model],
    written_at: str,
    instant: datetime,
    at_once: int,
    *,
    tell: Callable[[int], object] = lambda deleted: None,
) -> int:
    """Delete the rows of a log whose column `written_at` is before an instant, oldest first. Returns how many.

    tell: called with how many so far, after each turn.
    """
    deleted = 0
    while True:
        oldest = model.objects.order_by("pk").values_list("pk", written_at)[:at_once]
        old = [key for key, at in oldest if at < instant]
        if not old:
            return deleted
        deleted += _delete(model.objects.filter(pk__in=old))
        tell(deleted)


def delete(rows: QuerySet, at_once: int, *, tell: Callable[[int], object] = lambda deleted: None) -> int:
    """Delete these rows, so many in a turn, for which an index finds them. Returns how many; tell: as above."""
    deleted = 0
    while some := list(rows.values_list("pk", flat=True)[:at_once]):
        gone = _delete(rows.model.objects.filter(pk__in=some))
        if not gone:  # somebody else is at it
            return deleted
        deleted += gone
        tell(deleted)
    return deleted


def _delete(rows: QuerySet) -> int:
    with taken():
        return rows.delete()[1].get(rows.model._meta.label, 0)
