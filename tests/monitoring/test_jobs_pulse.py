"""What the pulse of a worker does at a beat: it says who lives, ends what is late, and hears who must stop."""

import os
import uuid

import pytest
from django.utils import timezone

from monitoring import heartbeats, jobs, place
from monitoring.jobs.claiming import claims
from monitoring.jobs.claiming.holding import Holding
from monitoring.jobs.claiming.pulse import HOLD_SECONDS, LOOK_SECONDS, Pulse
from monitoring.jobs.ending import attempts, endings
from monitoring.jobs.running.context import Current
from monitoring.jobs.running.threads import Threads
from monitoring.models import Job, Worker
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.clocks import Clocks
from tests.monitoring.locks import read_only

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]


@pytest.fixture
def holding(clocks) -> Holding:
    """What a worker that does not run would hold: two jobs."""
    made = Holding(3)
    jobs.submit_many("sample.add", [{"a": number} for number in range(2)], timeout=60)
    made.add(claims.claim(made.worker, 2, timezone.now()))
    for _ in range(2):
        made.next()
    return made


@pytest.fixture
def abandoned() -> list[Current]:
    return []


@pytest.fixture
def pulse(holding, abandoned) -> Pulse:
    return Pulse(holding, abandon=abandoned.append)


def beat(pulse: Pulse, clocks: Clocks, seconds: float = 0.0) -> None:
    clocks.go(seconds)
    pulse._beat(clocks.monotonic)


def test_a_worker_says_who_it_is_and_what_it_did(pulse, clocks, holding):
    began = timezone.now()
    beat(pulse, clocks)
    row = Worker.objects.get()
    assert (row.pk, row.pid, row.concurrency, row.place) == (holding.worker, os.getpid(), 3, place.here())
    assert (row.started_at, row.heartbeat_at, row.processed, row.failed) == (began, began, 0, 0)
    first, second = holding.everything()
    holding.forget(first, "completed")
    holding.forget(second, "failed")
    Worker.objects.update(lost_at=began)  # as a neighbour thought
    beat(pulse, clocks, HOLD_SECONDS)
    row.refresh_from_db()
    assert (row.heartbeat_at, row.processed, row.failed, row.lost_at) == (timezone.now(), 2, 1, None)
    assert heartbeats.last("worker")


def test_a_lease_outlives_three_looks_at_a_database_that_is_away():
    assert claims.LEASE.total_seconds() >= 4 * HOLD_SECONDS


def test_what_is_late_is_abandoned_and_not_before(pulse, clocks, holding, abandoned):
    first, second = holding.everything()
    second.deadline += 10
    beat(pulse, clocks, 59)
    assert abandoned == []
    beat(pulse, clocks, 1)
    assert abandoned == [first]


def test_what_is_late_stops_for_that_reason_though_its_row_says_already_how_it_ended(clocks, holding):
    threads = Threads(holding, begin=lambda *_: None, finish=lambda _, ending: endings.write([ending]))
    beat(Pulse(holding, threads.abandon), clocks, 60)
    assert {each.stop_code for each in holding.everything()} == {"deadline_exceeded"}
    assert set(Job.objects.values_list("state", flat=True)) == {"timed_out"}


def test_what_is_late_in_a_process_of_its_own_is_told_to_stop(pulse, clocks, holding, abandoned):
    first, second = holding.everything()
    first.is_isolated = second.is_isolated = True
    beat(pulse, clocks, 60)
    assert (abandoned, first.stop_code, second.stop_code) == ([], "deadline_exceeded", "deadline_exceeded")


def test_who_is_cancelled_must_stop_and_the_other_goes_on(pulse, clocks, holding):
    first, second = holding.everything()
    beat(pulse, clocks)
    jobs.cancel(first.job.pk)
    beat(pulse, clocks, LOOK_SECONDS / 2)
    assert first.stop_code is None
    beat(pulse, clocks, LOOK_SECONDS / 2)
    assert (first.stop_code, second.stop_code) == ("cancelled", None)


def test_whose_job_somebody_else_has_or_nobody_must_stop(pulse, clocks, holding):
    first, second = holding.everything()
    attempts.lose(first.job, "worker_lost")
    claims.claim(uuid.uuid4(), 1, timezone.now())
    second.job.delete()
    beat(pulse, clocks)
    assert (first.stop_code, second.stop_code) == ("superseded", "superseded")


def test_whose_row_has_ended_must_stop(pulse, clocks, holding):
    first, second = holding.everything()
    attempts.end(attempts.Ending(first.job, "failed"))
    beat(pulse, clocks)
    assert (first.stop_code, second.stop_code) == ("superseded", None)


def test_progress_that_the_database_does_not_take_is_told_with_its_job_and_what_comes_later_is_written(
    pulse, clocks, holding, caplog
):
    beat(pulse, clocks)  # of all it has to write, progress is due again at the next one
    current = holding.everything()[0]
    current.progress(1, 3)
    with read_only():
        beat(pulse, clocks)
    assert f"{current.job}: its progress is not written" in caplog.text
    current.progress(2, 3)
    beat(pulse, clocks)
    current.job.refresh_from_db()
    assert current.job.progress_done == 2
