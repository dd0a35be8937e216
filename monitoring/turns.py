"""Transactions that write, by turns where a database has one writer. Whoever waits for SQLite's write lock only looks
again every few moments: a series of writes that follow each other at once would leave no moment free for all others.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models import Model, QuerySet

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

LONGEST_REST_SECONDS = 0.1  # as long as SQLite sleeps between two looks

RETRIES = 3
_AHEAD = timedelta(days=1)  # no clock that is right is ahead of another by so much
_DEADLOCK, _LOCK_TIMEOUT = 1213, 1205

_turn = threading.Lock()
_rests: list[float] = []  # until when, by this process's clock


@contextmanager
def taken() -> Iterator[None]:
    """A transaction of a series. SQLite's lock is then left alone by all series here for as long as it was held."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    with _turn:
        _rest()
        with transaction.atomic():
            begun = time.monotonic()  # what was waited for it is no part of it
            yield
        now = time.monotonic()
        _rests[:] = [now + min(now - begun, LONGEST_REST_SECONDS)]


def _rest() -> None:
    """Until the lock was left alone for long enough; meanwhile whoever writes next may think."""
    left = max(_rests, default=0.0) - time.monotonic()
    if left > 0:
        time.sleep(left)


def again(write: Callable[[], Answer]) -> Answer:
    """What `write` answers, in a transaction of a series; done again where the database made it a deadlock's victim.

    Within another transaction, which is gone then, whoever began that does it again.
    """
    for attempt in range(RETRIES + 1):
        try:
            with taken():
                return write()
        except OperationalError as error:
            is_ours = error.args and error.args[0] in (_DEADLOCK, _LOCK_TIMEOUT)
            if not is_ours or attempt == RETRIES or connection.in_atomic_block:
                raise
            wait = random.uniform(0.01, 0.05) * 2**attempt
            logger.info("%s; trying again in %.2f s", error, wait)
            time.sleep(wait)
    raise AssertionError("unreachable")


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
    # What a wrong clock dated ahead would stand before all that was written since, until its day comes.
    told = model.objects.filter(**{f"{written_at}__lte": datetime.now(UTC) + _AHEAD}).order_by("pk")
    while True:
        oldest = told.values_list("pk", written_at)[:at_once]
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
