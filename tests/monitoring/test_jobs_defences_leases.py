"""A worker holds on to what it runs for as long as it runs, and to nothing else; what nobody holds on to is taken."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.claiming.holding import Holding
from monitoring.jobs.claiming.pulse import BEAT_SECONDS, HOLD_SECONDS, Pulse
from monitoring.jobs.ending import attempts, reaper
from monitoring.jobs.ending.reaper import EVERY_SECONDS, Reaper
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.clocks import Clocks

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
LEASE_SECONDS = claims.LEASE.total_seconds()


@pytest.fixture
def holding(clocks) -> Holding:
    """What a worker that does not run would hold: one job, which a thread has begun."""
    made = Holding(1)
    jobs.submit("sample.add", {"a": 1})
    made.add(claims.claim(made.worker, 1, timezone.now()))
    made.next()
    return made


def beat(clocks: Clocks, holding: Holding, seconds: float) -> None:
    """Let the pulse of a worker beat for so long, and then somebody look for leases that ran out."""
    pulse = Pulse(holding, abandon=lambda current: None)
    for _ in range(round(seconds / BEAT_SECONDS)):
        clocks.go(BEAT_SECONDS)
        pulse._beat(clocks.monotonic)
    reaper.expire(timezone.now())


def state() -> str:
    return Job.objects.get().state


def test_a_job_that_runs_for_longer_than_a_lease_stays_with_its_worker(clocks, holding):
    beat(clocks, holding, 1.5 * LEASE_SECONDS)
    assert (state(), Job.objects.get().attempt) == ("running", 1)
    assert Job.objects.get().lease_until > timezone.now() + claims.LEASE / 2


def test_a_job_of_another_worker_is_held_on_to_by_nobody_else(clocks, holding):
    Job.objects.update(worker=uuid.uuid4())
    beat(clocks, holding, LEASE_SECONDS + 1)
    assert state() == "retrying"


def test_an_earlier_attempt_that_still_hangs_here_holds_on_to_no_later_one(clocks, holding):
    (first,) = holding.everything()
    attempts.lose(first.job, "worker_lost")
    claims.claim(holding.worker, 1, timezone.now())  # and what became of this one could not be written
    beat(clocks, holding, LEASE_SECONDS + 1)
    assert state() == "retrying"


def look(clocks: Clocks, made: Reaper, seconds: float) -> None:
    """Let the reaper look for so long, as often as it does."""
    for _ in range(round(seconds / EVERY_SECONDS)):
        clocks.go(EVERY_SECONDS)
        made.round(timezone.now())


def deaf() -> None:
    """Wake nobody."""


def test_a_worker_that_is_silent_while_others_can_speak_loses_its_job(clocks, holding):
    made = Reaper(deaf)
    look(clocks, made, LEASE_SECONDS)
    assert state() == "running"
    look(clocks, made, 2 * EVERY_SECONDS)
    assert state() == "retrying"


@pytest.mark.parametrize("frozen_seconds", [LEASE_SECONDS / 2 + 1, 3 * LEASE_SECONDS])
def test_who_wakes_first_after_a_freeze_gives_the_others_a_lease_of_time(clocks, holding, frozen_seconds):
    made = Reaper(deaf)
    Job.objects.update(lease_until=timezone.now())
    clocks.go(frozen_seconds)
    made.round(timezone.now())
    look(clocks, made, LEASE_SECONDS - EVERY_SECONDS)
    assert state() == "running"
    look(clocks, made, 2 * EVERY_SECONDS)
    assert state() == "retrying"


def test_a_clock_that_was_set_takes_no_job_from_a_worker_that_may_live(clocks, holding):
    made = Reaper(deaf)
    clocks.wall += timedelta(hours=1)
    look(clocks, made, LEASE_SECONDS)
    assert state() == "running"
    look(clocks, made, 2 * EVERY_SECONDS)
    assert state() == "retrying"


def test_leases_are_extended_every_few_seconds_and_not_at_each_beat(clocks, holding):
    pulse = Pulse(holding, abandon=lambda current: None)
    leases = set()
    for _ in range(round(2 * HOLD_SECONDS / BEAT_SECONDS)):
        pulse._beat(clocks.monotonic)
        leases.add(Job.objects.get().lease_until)
        clocks.go(BEAT_SECONDS)
    assert len(leases) == 2


def test_what_waits_for_a_thread_for_half_a_second_is_given_back(clocks, holding):
    jobs.submit("sample.add", {"a": 2})
    holding.add(claims.claim(holding.worker, 1, timezone.now()))
    pulse = Pulse(holding, abandon=lambda current: None)
    for seconds, held in ((0.4, 2), (0.2, 1)):
        clocks.go(seconds)
        pulse._beat(clocks.monotonic)
        assert len(holding.everything()) == held


@pytest.mark.parametrize("hours", [1, -1])
def test_a_deadline_moves_with_a_clock_that_is_set_and_that_is_told(clocks, holding, hours, caplog):
    pulse = Pulse(holding, abandon=lambda current: None)
    pulse._beat(clocks.monotonic)
    left = Job.objects.get().deadline_at - timezone.now()
    clocks.wall += timedelta(hours=hours)
    clocks.go(BEAT_SECONDS)
    pulse._beat(clocks.monotonic)
    row = Job.objects.get()
    assert abs(row.deadline_at - timezone.now() - left) < timedelta(seconds=1)
    assert row.lease_until == timezone.now() + claims.LEASE
    assert f"the clock was moved by {3600 * hours} s" in caplog.text
