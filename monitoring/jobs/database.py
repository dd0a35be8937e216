"""What a database says for now and what it says for good: a lock and a lost connection pass, a refused row does not."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from django.db import Error, InterfaceError, OperationalError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.utils import timezone

LOCKED = {1205, 1213, 3572}  # waited in vain or not at all, a deadlock, and MySQL's word for a row that is not free now
# MariaDB and MySQL: too many connections, killed, shutting down, the network, read-only while another takes over, full.
PASSING = {1020, 1021, 1028, 1030, 1040, 1053, 1129, 1152, 1184, 1203, 1205, 1213, 1226, 1290, 1317, 1637, 1836, 1927}
PASSING |= {1969, 3024, 3572, *range(1158, 1162), *range(2000, 3000)}
# SQLite: busy, locked, read-only, interrupted, the disk, full, can't be opened, its file's locks.
SQLITE_LOCKED, SQLITE_PASSING = {5, 6}, {5, 6, 8, 9, 10, 13, 14, 15}
PATIENCE_SECONDS = 1.0
BETWEEN_SECONDS, EAGER_SECONDS = (0.005, 0.05), (0.001, 0.003)  # between two tries

_Answer = TypeVar("_Answer")


def is_locked(error: BaseException) -> bool:
    """Whether somebody else's lock is all that is in the way."""
    return isinstance(error, OperationalError) and _code(error) in (LOCKED, SQLITE_LOCKED)[_is_sqlite(error)]


def may_pass(error: BaseException) -> bool:
    """Whether the same may go well later: the connection or a lock failed, and not what was asked for."""
    if isinstance(error, OperationalError):
        return _code(error) in (PASSING, SQLITE_PASSING)[_is_sqlite(error)]
    return isinstance(error, InterfaceError)


def direct() -> BaseDatabaseWrapper:
    """The connection of this thread itself, for many words with it: `connection` looks for it at each of them."""
    return connections[connection.alias]


def is_there() -> bool:
    """Whether the database answers, over a new connection."""
    try:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def now() -> datetime:
    """By the clock that all machines have in common: the database's. SQLite is on one machine, and asks its clock."""
    if connection.vendor != "mysql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT UTC_TIMESTAMP(6)")
        return cursor.fetchone()[0].replace(tzinfo=UTC)


def patiently(
    move: Callable[[], _Answer], seconds: float = PATIENCE_SECONDS, between: tuple[float, float] = BETWEEN_SECONDS
) -> _Answer:
    """Try again for so long while rows are locked, unless a transaction around us would have to."""
    end = time.monotonic() + seconds
    while True:
        try:
            return move()
        except OperationalError as error:
            if not is_locked(error) or connection.in_atomic_block or time.monotonic() >= end:
                raise
            time.sleep(random.uniform(*between))


def eagerly(move: Callable[[], _Answer]) -> _Answer:
    """Do what somebody waits for as soon as SQLite's write lock is free, also for a moment between two of a series.

    SQLite itself looks less and less often, up to every 100 ms, and misses such moments.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return move()
    seconds = connection.settings_dict["OPTIONS"].get("timeout", PATIENCE_SECONDS)
    _wait_at_most(0.0)
    try:
        return patiently(move, seconds, between=EAGER_SECONDS)
    finally:
        _wait_at_most(seconds)


def _wait_at_most(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {round(1000 * seconds)}")


def update_free(rows: QuerySet, **values: object) -> int:
    """Update those of the rows that nobody else has locked. Returns how many: nobody waits for a lock here."""
    if not connection.features.has_select_for_update_skip_locked:
        return rows.update(**values)
    with transaction.atomic():
        free = list(rows.order_by().select_for_update(skip_locked=True).values_list("pk", flat=True))
        return rows.model.objects.filter(pk__in=free).update(**values) if free else 0


def _is_sqlite(error: BaseException) -> bool:
    return hasattr(error.__cause__, "sqlite_errorcode")


def _code(error: BaseException) -> object:
    if _is_sqlite(error):
        return error.__cause__.sqlite_errorcode & 0xFF  # its primary code
    return error.args[0] if error.args else None
