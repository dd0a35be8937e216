"""Turns at a database that has one writer. Whoever waits for SQLite's write lock only looks again every few moments: a
series of writes that follow each other at once would leave no moment free for all others.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

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
