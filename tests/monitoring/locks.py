"""Rows that somebody has locked, where a database locks rows, and work aside that would wait long for them."""

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
