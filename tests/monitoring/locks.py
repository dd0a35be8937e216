"""Rows that somebody has locked, where a database locks rows, work aside that would wait long for them, and a database
that takes nothing.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import Model

PATIENCE_SECONDS = 100  # longer than a test waits for anything


@contextmanager
def locked(*rows: Model) -> Iterator[None]:
    """By another's transaction that goes no further. SQLite has no locks of rows: there it locks none."""
    is_locked, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            for row in rows:
                type(row).objects.select_for_update().get(pk=row.pk)
            is_locked.set()
            may_end.wait(PATIENCE_SECONDS)
        connection.close()

    holder = threading.Thread(target=hold)
    if connection.vendor != "sqlite":
        holder.start()
        assert is_locked.wait(10)
    try:
        yield
    finally:
        may_end.set()
        if holder.is_alive():
            holder.join()


@contextmanager
def in_the_way(*rows: Model) -> Iterator[None]:
    """Of this thread, which does not wait: another's transaction holds the rows, and on SQLite the whole database."""
    if connection.vendor != "sqlite":
        with locked(*rows):
            yield
        return
    is_held, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            is_held.set()
            may_end.wait(PATIENCE_SECONDS)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_held.wait(10)
    _sqlite("busy_timeout = 0")
    try:
        yield
    finally:
        may_end.set()
        holder.join()
        _sqlite(f"busy_timeout = {1000 * PATIENCE_SECONDS}")


@contextmanager
def read_only() -> Iterator[None]:
    """The database refuses what this thread writes, and no lock is to blame."""
    is_sqlite = connection.vendor == "sqlite"
    _sqlite("query_only = ON") if is_sqlite else _session("TRANSACTION READ ONLY")
    try:
        yield
    finally:
        _sqlite("query_only = OFF") if is_sqlite else _session("TRANSACTION READ WRITE")


@contextmanager
def away() -> Iterator[None]:
    """There is no database where this thread looks for it."""
    settings = connection.settings_dict
    connection.close()
    nowhere = "/nowhere/at/all"
    place = {"NAME": nowhere} if connection.vendor == "sqlite" else {"OPTIONS": {"unix_socket": nowhere}}
    connection.settings_dict = settings | place
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = settings


def _sqlite(pragma: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {pragma}")


def _session(setting: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION {setting}")


@contextmanager
def patient() -> Iterator[None]:
    """This thread's connection waits for locks for longer than a test does: who waits for one is seen to hang."""
    settings = connection.settings_dict
    connection.close()
    if connection.vendor == "mysql":
        waits = {"read_timeout": PATIENCE_SECONDS, "init_command": f"SET innodb_lock_wait_timeout={PATIENCE_SECONDS}"}
        connection.settings_dict = {**settings, "OPTIONS": {**settings["OPTIONS"], **waits}}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = settings


def aside(work: Callable[[], object]) -> threading.Thread:
    """Do it on a thread whose connection is patient."""

    def run() -> None:
        with patient():
            work()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread
