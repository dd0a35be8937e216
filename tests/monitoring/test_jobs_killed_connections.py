"""A connection that the database's owner kills while nothing runs costs no attempt."""

import pytest
from django.db import connection

from monitoring import jobs
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db, pytest.mark.rows]


def kill_others() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE id <> connection_id() AND db = database()")
        for (other,) in cursor.fetchall():
            cursor.execute(f"KILL {other}")


def test_a_thread_whose_connection_was_killed_between_two_jobs_takes_a_new_one(start_inside):
    start_inside(concurrency=1)
    jobs.wait(jobs.submit("sample.save", {"name": "before"}).pk, 20)
    kill_others()
    done = jobs.wait(jobs.submit("sample.save", {"name": "after"}).pk, 20)
    assert (done.state, done.tried) == ("completed", 1)
