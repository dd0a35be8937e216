"""A connection that the database's owner kills costs no attempt, and what writes over it takes a new one."""

import pytest
from django.db import connection

from monitoring import jobs
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.conftest import until

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


def test_a_process_whose_connections_were_killed_goes_on_to_say_how_far_it_is_and_ends(worker, tmp_path):
    asked = jobs.submit("sample.count_on", {"path": str(tmp_path / "enough")})
    until(lambda: Job.objects.get(pk=asked.pk).progress_done)
    kill_others()
    before = Job.objects.get(pk=asked.pk).progress_done
    until(lambda: Job.objects.get(pk=asked.pk).progress_done > before, 20)
    (tmp_path / "enough").touch()
    done = jobs.wait(asked.pk, 20)
    assert (done.state, done.tried) == ("completed", 1)
    assert f"sample.count_on {asked.pk}: its progress is not written" in worker.log.read_text()
