"""The loops of a worker, each handed something bad: what is behind it is served."""

import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs import ledger, reaper
from monitoring.jobs.context import Current
from monitoring.jobs.errands import Errands
from monitoring.jobs.ledger import Ending
from monitoring.jobs.pulse import Pulse
from monitoring.jobs.worker import Worker
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.conftest import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two(worker_of_two) -> list[Current]:
    """Two claimed attempts of a worker that does not run."""
    return list(worker_of_two.held.values())


@pytest.fixture
def worker_of_two(db) -> Worker:
    made = Worker(2)
    for number in range(2):
        jobs.submit("sample.add", {"a": number})
    for job in ledger.claim(made.id, 2, timezone.now()):
        made.held[job.pk, job.attempt] = Current(job)
    return made


@pytest.fixture
def turning(db, monkeypatch) -> Iterator[Worker]:
    """A worker of this process, without its runners: its dispatcher claims and its finisher writes."""
    made = Worker(1)
    finisher = threading.Thread(target=made._finish, daemon=True)
    finisher.start()
    yield made
    made._endings.put(None)
    finisher.join(10)
    connections.close_all()


def test_a_progress_that_no_row_can_hold_keeps_the_pulse_from_no_other(worker_of_two, two):
    bad, good = two
    bad.progress(1)
    bad._progress = {"progress_done": object()}
    good.progress(1, 2)
    Pulse(worker_of_two)._beat(time.monotonic())
    assert Job.objects.get(pk=good.job.pk).progress_done == 1


def test_an_attempt_whose_time_is_no_time_keeps_the_pulse_from_no_lease(worker_of_two, two):
    two[0].deadline = "tomorrow"
    Job.objects.update(lease_until=timezone.now())
    Pulse(worker_of_two)._beat(time.monotonic())
    assert all(job.lease_until > timezone.now() + ledger.LEASE / 2 for job in Job.objects.all())


def test_an_ending_that_cannot_be_written_keeps_the_finisher_from_no_other(worker_of_two, two, turning):
    bad, good = two
    turning.held |= worker_of_two.held
    turning._endings.put((bad, Ending(bad.job, Job.State.RETRYING, retry_at="soon")))
    until(lambda: (bad.job.pk, 1) not in turning.held)
    turning._endings.put((good, Ending(good.job, Job.State.COMPLETED)))
    until(lambda: Job.objects.get(pk=good.job.pk).state == "completed")


def test_a_job_that_breaks_the_reaper_keeps_it_from_no_other(monkeypatch):
    for number in range(2):
        jobs.submit("sample.add", {"a": number})
    broken, lost = ledger.claim(uuid.uuid4(), 2, timezone.now())
    lose = ledger.lose
    monkeypatch.setattr(ledger, "lose", lambda job, *code, **facts: _lose(job, broken, lose, *code, **facts))
    Job.objects.filter(pk=broken.pk).update(lease_until=timezone.now() - timedelta(seconds=2))
    Job.objects.filter(pk=lost.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    reaper.expire(timezone.now())
    assert Job.objects.get(pk=lost.pk).state == "retrying"


def test_an_errand_that_breaks_is_followed_by_the_next():
    done = []

    def do(items: list) -> None:
        done.extend(1 / item for item in items)

    errands = Errands(do)
    for item in (0, 4):
        errands.put(item)
        assert errands.flush(10)
    assert done == [0.25]


def _lose(job: Job, broken: Job, lose, *code, **facts) -> bool:
    if job.pk == broken.pk:
        raise ValueError("a row that nobody understands")
    return lose(job, *code, **facts)
