"""A submission beside SQLite's one writer: it waits for it, and leaves its connection as it was."""

import sqlite3
import threading
import time
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection, connections, transaction

from monitoring import jobs
from monitoring.jobs import database
from monitoring.jobs.database import eagerly
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="others have a lock a row"),
]


@pytest.fixture
def writer(db):
    """Somebody in a transaction, who commits a moment after the test has begun."""
    holds, may_commit = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            holds.set()
            may_commit.wait(10)
        connections.close_all()

    thread = threading.Thread(target=write)
    thread.start()
    holds.wait(10)
    threading.Timer(0.3, may_commit.set).start()
    yield thread
    thread.join()


def busy_timeout() -> int:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        return cursor.fetchone()[0]


def test_a_submission_waits_for_the_writer_and_changes_nothing_for_those_behind_it(writer):
    before = busy_timeout()
    asked = jobs.submit("sample.add", {"a": 1})
    assert Job.objects.filter(pk=asked.pk).exists()
    assert busy_timeout() == before > 0


def test_a_submission_of_many_waits_for_the_writer(writer):
    jobs.submit_many("sample.add", [{"a": number} for number in range(3)])
    assert Job.objects.count() == 3


def test_who_is_eager_looks_itself_and_does_not_wait_for_sqlite_to_look():
    before = busy_timeout()
    assert (eagerly(busy_timeout), busy_timeout()) == (0, before)


def test_who_is_eager_looks_again_within_three_milliseconds(monkeypatch):
    pauses, locked = [], OperationalError("database is locked")
    locked.__cause__ = sqlite3.OperationalError("database is locked")
    locked.__cause__.sqlite_errorcode = 5
    monkeypatch.setattr(database, "time", SimpleNamespace(sleep=pauses.append, monotonic=time.monotonic))

    def move() -> None:
        if len(pauses) < 20:
            raise locked

    eagerly(move)
    assert 0.001 <= min(pauses) <= max(pauses) <= 0.003
