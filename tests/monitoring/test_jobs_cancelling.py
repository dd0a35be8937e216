"""A cancel that was accepted: the job never completes, whatever it does meanwhile."""

import pytest
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.ending import attempts, endings
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.errors import Cancelled, WrongState
from monitoring.jobs.running.context import Current
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.ledger import add, claim, complete, state

pytestmark = [pytest.mark.django_db, pytest.mark.db]


def test_a_waiting_job_that_is_cancelled_never_starts():
    asked = add()
    assert jobs.cancel(asked.pk) == "cancelled"
    assert claim() == []


def test_a_running_job_whose_cancel_was_accepted_never_completes():
    add()
    current = Current(claim()[0])
    assert jobs.cancel(current.job.pk) == "running"
    with pytest.raises(Cancelled), current.commit():
        pass
    endings.write([Ending(current.job, Job.State.COMPLETED)])
    assert state(current.job) == "cancelled"


@pytest.mark.parametrize("ending", [Job.State.RETRYING, Job.State.FAILED, Job.State.TIMED_OUT])
def test_a_running_job_whose_cancel_was_accepted_is_cancelled_however_it_ends(ending):
    add()
    job = claim()[0]
    jobs.cancel(job.pk)
    endings.write([Ending(job, ending, error_code="no_answer", retry_at=timezone.now())])
    assert state(job) == "cancelled"


def test_a_cancelled_job_whose_worker_stops_does_not_start_again():
    add()
    job = claim()[0]
    jobs.cancel(job.pk)
    attempts.release(job)
    assert state(job) == "cancelled"


def test_what_has_ended_cannot_be_cancelled():
    asked = add()
    complete(claim()[0])
    with pytest.raises(WrongState):
        jobs.cancel(asked.pk)
