"""The loops of a worker, each handed something bad: what is behind it is served."""

import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from monitoring import jobs
from monitoring.errands import Errands
from monitoring.jobs.claiming import claims
from monitoring.jobs.claiming.holding import Holding
from monitoring.jobs.claiming.pulse import Pulse
from monitoring.jobs.ending import attempts, reaper
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.ending.finisher import Finisher
from monitoring.jobs.running.context import Current
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.conftest import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def holding(db) -> Holding:
    """Two claimed attempts of a worker that does not run."""
    made = Holding(2)
    for number in range(2):
        jobs.submit("sample.add", {"a": number})
    made.add(claims.claim(made.worker, 2, timezone.now()))
    return made


@pytest.fixture
def two(holding) -> list[Current]:
    return holding.everything()


@pytest.fixture
def pulse(holding) -> Pulse:
    return Pulse(holding, abandon=lambda current: None)


@pytest.fixture
def finisher(holding) -> Iterator[Finisher]:
    """It turns, beside the test."""
    made = Finisher(holding, wake_at=lambda instant: None)
    thread = threading.Thread(target=_run, args=(made,), daemon=True)
    thread.start()
    yield made
    made.stop(10)
    thread.join(10)


def test_a_progress_that_no_row_can_hold_keeps_the_pulse_from_no_other(pulse, two):
    bad, good = two
    bad.progress(1)
    bad._progress = {"progress_done": object()}
    good.progress(1, 2)
    pulse._beat(time.monotonic())
    assert Job.objects.get(pk=good.job.pk).progress_done == 1


def test_an_attempt_whose_time_is_no_time_keeps_the_pulse_from_no_lease(pulse, two):
    two[0].deadline = "tomorrow"
    Job.objects.update(lease_until=timezone.now())
    pulse._beat(time.monotonic())
    assert all(job.lease_until > timezone.now() + claims.LEASE / 2 for job in Job.objects.all())


def test_an_ending_that_cannot_be_written_keeps_the_finisher_from_no_other(finisher, two):
    bad, good = two
    finisher.put(bad, Ending(bad.job, Job.State.RETRYING, retry_at="soon"))
    finisher.put(good, Ending(good.job, Job.State.COMPLETED))
    until(lambda: Job.objects.get(pk=good.job.pk).state == "completed")
    until(lambda: Job.objects.get(pk=bad.job.pk).error_code == "unwritable")


def test_what_ended_before_a_finisher_stops_is_written_when_it_has_stopped(finisher, two):
    stopping = threading.Thread(target=finisher.stop, args=[10])
    with transaction.atomic():  # nobody else writes on SQLite meanwhile
        for current in two:
            finisher.put(current, Ending(current.job, Job.State.COMPLETED))
        stopping.start()
        stopping.join(0.1)
        assert stopping.is_alive()
    stopping.join(10)
    assert {job.state for job in Job.objects.all()} == {"completed"}


def test_a_job_that_breaks_the_reaper_keeps_it_from_no_other(monkeypatch):
    for number in range(2):
        jobs.submit("sample.add", {"a": number})
    broken, lost = claims.claim(uuid.uuid4(), 2, timezone.now())
    lose = attempts.lose
    monkeypatch.setattr(attempts, "lose", lambda job, *code, **facts: _lose(job, broken, lose, *code, **facts))
    Job.objects.filter(pk=broken.pk).update(lease_until=timezone.now() - timedelta(seconds=2))
    Job.objects.filter(pk=lost.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    reaper.expire(timezone.now())
    assert Job.objects.get(pk=lost.pk).state == "retrying"


def test_a_pulse_replaces_a_connection_that_is_past_its_time(pulse):
    connection.ensure_connection()
    before, connection.close_at = connection.connection, time.monotonic()
    pulse._beat(time.monotonic())
    assert connection.connection not in (before, None)


def test_a_reaper_replaces_a_connection_that_is_past_its_time(monkeypatch):
    monkeypatch.setattr(reaper, "EVERY_SECONDS", 0.0)
    jobs.submit("sample.add", {"a": 1})
    seen = []

    def wake() -> None:
        seen.append(connection.connection)
        connection.close_at = time.monotonic()
        if len(seen) == 2:
            made.stop()

    made = reaper.Reaper(wake)
    made.run()
    assert seen[0] is not seen[1]


def test_an_errand_that_breaks_is_followed_by_the_next():
    done = []

    def do(items: list) -> None:
        done.extend(1 / item for item in items)

    errands = Errands(do, limit=2)
    for item in (0, 4):
        errands.put(item)
        assert errands.flush(10)
    assert done == [0.25]


def _lose(job: Job, broken: Job, lose, *code, **facts) -> bool:
    if job.pk == broken.pk:
        raise ValueError("a row that nobody understands")
    return lose(job, *code, **facts)


def _run(finisher: Finisher) -> None:
    finisher.run()
    connections.close_all()
