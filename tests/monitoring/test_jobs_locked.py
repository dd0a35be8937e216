"""Rows that somebody's transaction holds: what concerns them waits, and nothing else does."""

import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs import Step
from monitoring.jobs.claiming import claims
from monitoring.jobs.claiming.holding import Holding
from monitoring.jobs.claiming.pulse import Pulse
from monitoring.jobs.ending import finisher as endings_of_a_worker
from monitoring.jobs.ending import reaper
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.ending.finisher import Finisher
from monitoring.jobs.running.context import Current
from monitoring.models import Job, ids_from
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.conftest import until
from tests.monitoring.ledger import state
from tests.monitoring.locks import aside, locked, patient

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]


@pytest.fixture
def holding() -> Holding:
    """What a worker that does not run would hold."""
    return Holding(40)


@pytest.fixture
def pulse(holding) -> Pulse:
    return Pulse(holding, abandon=lambda current: None)


@pytest.fixture
def finisher(holding) -> Iterator[Finisher]:
    """It turns, beside the test."""
    made = Finisher(holding, wake_at=lambda instant: None)
    thread = aside(made.run)
    yield made
    made.stop(10)
    thread.join(10)


def claimed(holding: Holding, count: int) -> list[Current]:
    """So many jobs that stand alone, claimed, and whatever else waits before them."""
    jobs.submit_many("sample.add", [{"a": number} for number in range(count)])
    holding.add(claims.claim(holding.worker, 40, timezone.now()))
    return sorted(holding.everything(), key=lambda current: current.job.pk)


def complete(finisher: Finisher, attempts: list[Current]) -> None:
    """Some of them said how far they were, so that they are written one by one."""
    for number, current in enumerate(attempts):
        progress = {"progress_done": 1} if number % 3 == 2 else None
        finisher.put(current, Ending(current.job, Job.State.COMPLETED, progress=progress))


def completed(attempts: list[Current]) -> int:
    return Job.objects.filter(pk__in=[each.job.pk for each in attempts], state="completed").count()


def test_a_follower_that_is_locked_keeps_no_other_ending_from_its_row(holding, finisher):
    head, follower = jobs.chain([Step("sample.add", {"a": 1}), Step("sample.add", {"a": 2})])
    # By its key: those of one millisecond are in no order.
    first, *others = sorted(claimed(holding, 30), key=lambda current: current.job.pk != head.pk)
    with locked(follower):
        complete(finisher, [first, *others])
        until(lambda: completed(others) == 30)
    until(lambda: state(first.job) == "completed")
    until(lambda: not holding.everything())
    assert Job.objects.get(pk=follower.pk).waits == 0


@pytest.mark.rows
def test_rows_that_are_locked_themselves_keep_no_other_ending_from_its_row(holding, finisher):
    mine, *others = claimed(holding, 10)
    with locked(mine.job):
        complete(finisher, [mine, *others])
        until(lambda: completed(others) == 9)
        until(lambda: holding.everything() == [mine])
    until(lambda: completed([mine]) == 1)


@pytest.mark.rows
def test_an_ending_that_stays_locked_past_its_time_is_given_up_and_its_job_tried_again(holding, finisher, monkeypatch):
    monkeypatch.setattr(endings_of_a_worker, "GIVEN_SECONDS", 0.0)
    (current,) = claimed(holding, 1)
    current.deadline = time.monotonic()
    with locked(current.job):
        complete(finisher, [current])
        until(lambda: not holding.everything())
    reaper.expire(timezone.now() + claims.LEASE + timedelta(seconds=1))
    assert state(current.job) == "retrying"


@pytest.mark.rows
def test_more_endings_than_can_be_set_aside_are_given_up_and_never_piled_up(holding, finisher, monkeypatch):
    monkeypatch.setattr(endings_of_a_worker, "ASIDE_AT_MOST", 3)
    attempts = claimed(holding, 6)
    with locked(*(each.job for each in attempts)):
        complete(finisher, attempts)
        until(lambda: len(holding.everything()) <= 3)


def test_a_row_that_is_locked_keeps_the_pulse_from_no_progress_and_no_lease_of_others(holding, pulse):
    mine, other = claimed(holding, 2)
    Job.objects.update(lease_until=timezone.now())
    for current in (mine, other):
        current.progress(1, 2)
    with locked(mine.job):
        beating = aside(lambda: pulse._beat(time.monotonic()))
        until(lambda: Job.objects.get(pk=other.job.pk).progress_done == 1)
        until(lambda: Job.objects.get(pk=other.job.pk).lease_until > timezone.now() + claims.LEASE / 2)
        beating.join(60)
        assert not beating.is_alive()
    pulse._beat(time.monotonic())
    assert Job.objects.get(pk=mine.job.pk).progress_done == 1
    assert Job.objects.get(pk=mine.job.pk).lease_until > timezone.now() + claims.LEASE / 2


@pytest.mark.parametrize("is_follower", [False, True])
def test_a_row_that_a_frozen_worker_locked_keeps_the_reaper_from_no_other(is_follower):
    chained, follower = jobs.chain([Step("sample.add", {"a": 1}), Step("sample.add", {"a": 2})], max_attempts=1)
    free = jobs.submit("sample.add", {"a": 3})
    claims.claim(uuid.uuid4(), 2, timezone.now())
    Job.objects.filter(pk=chained.pk).update(lease_until=timezone.now())
    with locked(follower if is_follower else chained):
        reaping = aside(lambda: reaper.expire(timezone.now() + claims.LEASE + timedelta(seconds=1)))
        until(lambda: state(free) == "retrying")
        reaping.join(60)


@pytest.mark.rows
@pytest.mark.parametrize("what", ["lease", "waits", "retries"])
def test_a_row_that_the_reaper_would_heal_is_locked_and_what_is_behind_it_in_its_round_comes(what):
    dated, lost = (jobs.submit("sample.add", {"a": number}) for number in range(2))
    now, later = timezone.now(), timezone.now() + timedelta(days=1)
    claims.claim(uuid.uuid4(), 2, now)
    Job.objects.filter(pk=lost.pk).update(lease_until=now - timedelta(seconds=1))
    free = {"state": "pending" if what == "waits" else "retrying", "lane": 1, "not_before": later}
    news = {"lease_until": later} if what == "lease" else free
    Job.objects.filter(pk=dated.pk).update(**news)
    if what == "waits":
        dated = _made_in(later)
    with locked(dated):
        reaping = aside(lambda: reaper.Reaper(lambda: None).round(now))
        until(lambda: state(lost) == "retrying", 10)
        reaping.join(60)
        assert not reaping.is_alive()


def test_a_step_of_the_reaper_that_breaks_keeps_none_behind_it_from_its_work(caplog):
    lost = jobs.submit("sample.add", {"a": 1})
    claims.claim(uuid.uuid4(), 1, timezone.now())
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    jobs.submit("sample.add", {"a": 2})

    def break_down() -> None:
        raise ValueError("nobody hears it")

    reaper.Reaper(break_down).round(timezone.now())
    assert state(lost) == "retrying"
    assert "nobody hears it" in caplog.text


@pytest.mark.rows
@pytest.mark.parametrize("move", ["cancel", "retry"])
def test_who_cancels_or_retries_a_job_that_is_locked_is_told_that_asking_again_can_help(admin_client, move):
    job = jobs.submit("sample.add", {"a": 1})
    if move == "retry":
        Job.objects.update(state="failed", lane=None)
    with locked(job), patient():
        answer = admin_client.post(f"/api/tasks/task/{job.pk}/{move}")
        assert (answer.status_code, answer.json()["code"]) == (409, "job_busy")
    assert admin_client.post(f"/api/tasks/task/{job.pk}/{move}").status_code == 202


def _made_in(later: datetime) -> Job:
    """One that a clock which was ahead dated."""
    job = jobs.submit("sample.add", {"a": 3})
    Job.objects.filter(pk=job.pk).update(id=ids_from(later), created_at=later, not_before=later)
    return Job.objects.get(pk=ids_from(later))
