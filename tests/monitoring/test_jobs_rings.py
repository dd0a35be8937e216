"""Each move after which a job may be claimed rings, and not before it is committed."""

import uuid

import pytest
from django.db import transaction
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs import Step, doorbell
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import attempts
from monitoring.jobs.ending.attempts import Ending
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]


@pytest.fixture
def claimed() -> Job:
    """The first of a chain."""
    jobs.chain([Step("sample.add", {"a": 1}), Step("sample.add", {"a": 2})])
    return claims.claim(uuid.uuid4(), 1, timezone.now())[0]


@pytest.fixture
def heard(claimed):
    """The rings that this process hears."""
    rings: list[bool] = []

    def hear() -> None:
        rings.append(True)

    doorbell.listeners.add(hear)
    yield rings
    doorbell.listeners.discard(hear)


def run_again(job: Job) -> None:
    attempts.end(Ending(job, Job.State.FAILED))
    jobs.retry(job.pk)


MOVES = {
    "asked for": lambda job: jobs.submit("sample.add", {"a": 1}),
    "asked for again": run_again,
    "given back": claims.give_back,
    "released": attempts.release,
    "lost": lambda job: attempts.lose(job, "worker_lost"),
    "followed": lambda job: attempts.end(Ending(job, Job.State.COMPLETED)),
}


@pytest.mark.parametrize("move", MOVES)
def test_a_job_that_may_be_claimed_rings_when_that_is_committed(claimed, heard, move):
    with transaction.atomic():
        MOVES[move](claimed)
        assert not heard
    assert heard
