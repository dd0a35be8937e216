"""What the ledger forgets, and when."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import attempts, endings
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.errors import InvalidArguments
from monitoring.jobs.running import body
from monitoring.jobs.running.context import Current
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.db]
WORKER = uuid.uuid4()


def claim(limit: int = 1) -> list[Job]:
    return claims.claim(WORKER, limit, timezone.now())


def add(**options) -> Job:
    return jobs.submit("sample.add", {"a": 1}, **options)


def complete(job: Job) -> None:
    endings.write([Ending(job, Job.State.COMPLETED, 1)])


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


@pytest.mark.parametrize("days", [0, -1, 3_651, 10**10])
def test_retention_of_no_sensible_span_deletes_nothing(days):
    add()
    complete(claim()[0])
    with pytest.raises(InvalidArguments, match="days must be a whole number from 1 to 3650"):
        jobs.everything()["monitoring.retention"](days=days)
    assert Job.objects.exists()
