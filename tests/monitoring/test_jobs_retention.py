"""What the ledger forgets, and when."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.ending import attempts, retention
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.errors import InvalidArguments
from monitoring.jobs.running import body
from monitoring.jobs.running.context import Current
from monitoring.models import Job, ScheduleSlot
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.ledger import add, claim, complete
from tests.monitoring.locks import locked
from tests.monitoring.plans import planned

pytestmark = [pytest.mark.django_db, pytest.mark.db]


def failed_long_ago(count: int) -> list[Job]:
    """So many, the oldest first."""
    made = jobs.submit_many("sample.add", [{"a": number} for number in range(count)])
    for number, job in enumerate(made):
        ended_at = timezone.now() - timedelta(days=40, seconds=-number)
        Job.objects.filter(pk=job.pk).update(state="failed", lane=None, finished_at=ended_at)
    return made


@pytest.fixture
def impatient() -> None:
    """Who waits for a lock gives up after a second."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")


def test_retention_deletes_what_ended_long_ago_with_its_attempts_and_nothing_else():
    old, young, waiting = add(), add(), add()
    for job in claim(2):
        attempts.end(Ending(job, Job.State.FAILED, error_code="wrong"))
    Job.objects.filter(pk=old.pk).update(finished_at=timezone.now() - timedelta(days=40))
    assert jobs.everything()["monitoring.retention"](days=30)["jobs"] == 1
    assert set(Job.objects.all()) == {young, waiting}


def test_a_job_that_forgets_others_says_how_many_it_has_forgotten():
    for old in (add() for _ in range(3)):
        complete(claim()[0])
        Job.objects.filter(pk=old.pk).update(finished_at=timezone.now() - timedelta(days=40))
    jobs.submit("monitoring.retention")
    current = Current(claim()[0])
    assert body.run(current).result["jobs"] == 3
    assert current.last_progress["progress_done"] == 3


def test_the_last_slot_of_a_monthly_schedule_is_remembered_for_longer_than_a_month():
    schedule, now = planned("0 0 1 * *", "UTC"), timezone.now()
    for days in (64, 65):
        at = now - timedelta(days=days)
        ScheduleSlot.objects.create(schedule=schedule, slot=at, outcome="submitted", claimed_at=at)
    assert jobs.everything()["monitoring.retention"](days=30)["slots"] == 1
    assert schedule.slots.get().slot == now - timedelta(days=64)


@pytest.mark.parametrize("days", [0, -1, 3_651, 10**10])
def test_retention_of_no_sensible_span_deletes_nothing(days):
    add()
    complete(claim()[0])
    with pytest.raises(InvalidArguments, match="days must be a whole number from 1 to 3650"):
        jobs.everything()["monitoring.retention"](days=days)
    assert Job.objects.exists()


def test_a_job_that_is_retried_while_retention_turns_stays():
    retried, _ = failed_long_ago(2)
    before = [retried]

    def retry_once_it_was_found(execute, sql, *rest):
        found = execute(sql, *rest)
        if before and sql.startswith("SELECT"):
            jobs.retry(before.pop().pk)
        return found

    with connection.execute_wrapper(retry_once_it_was_found):
        assert retention.delete_before(timezone.now())["jobs"] == 1
    assert Job.objects.get() == retried


@pytest.mark.rows
@pytest.mark.django_db(transaction=True)
def test_the_oldest_row_is_locked_and_retention_deletes_those_behind_it(impatient, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    oldest, *others = failed_long_ago(5)
    with locked(oldest):
        assert retention.delete_before(timezone.now())["jobs"] == len(others)
    assert Job.objects.get() == oldest
    assert retention.delete_before(timezone.now())["jobs"] == 1


@pytest.mark.rows
@pytest.mark.django_db(transaction=True)
def test_a_row_that_points_to_an_old_one_is_locked_and_retention_deletes_the_others(impatient):
    *others, pointed_to = failed_long_ago(3)
    child = add()
    Job.objects.filter(pk=child.pk).update(parent=pointed_to)
    with locked(child):
        assert retention.delete_before(timezone.now())["jobs"] == len(others)
    assert set(Job.objects.all()) == {pointed_to, child}
