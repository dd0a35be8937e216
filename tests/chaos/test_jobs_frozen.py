"""The database freezes under workers, or the whole machine sleeps: each job is done once, by workers that go on."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from django.db import connection, transaction

from monitoring import jobs
from monitoring.models import Job, JobAttempt
from tests.chaos import jobs_ground, jobs_sample  # noqa: F401
from tests.chaos.jobs_ground import Ground, Process, report, until

pytestmark = pytest.mark.chaos
FROZEN_SECONDS = 15  # longer than a lease, and than a read that is given up and a connect that is tried then
PATIENCE_SECONDS = 40
THREADS = 8
LONG = THREADS + 4  # jobs: neither worker has room for all of them, so each holds some when things freeze


@dataclass(frozen=True)
class Seen:
    """What became of the jobs and their workers. given_up: attempts that were taken from their worker."""

    asked: int
    left: int
    twice: int
    given_up: int
    ended: int


@pytest.fixture(scope="module")
def whole_ground(django_db_blocker) -> Iterator[Ground]:
    with django_db_blocker.unblock(), jobs_ground.opened() as ground:
        yield ground


@pytest.fixture
def ground(whole_ground) -> Iterator[Ground]:
    yield whole_ground
    whole_ground.clean()


def test_jobs_outlive_a_database_that_freezes(ground):
    seen = freeze_the_database(ground)
    report(
        "a frozen database under two workers",
        f"SIGSTOP for {FROZEN_SECONDS} s over {seen.asked} running and queued jobs",
        "0 left over, 0 done twice, 0 workers ended",
        f"{seen.left} left over, {seen.twice} done twice, {seen.ended} workers ended",
    )
    assert (seen.left, seen.twice, seen.ended) == (0, 0, 0)


def test_without_a_second_write_a_database_that_freezes_ends_workers(ground):
    assert freeze_the_database(ground, without="second_write").ended


def test_without_another_attempt_a_database_that_freezes_fails_jobs(ground):
    assert freeze_the_database(ground, without="another_attempt").left


def test_workers_that_sleep_with_their_database_keep_their_jobs(ground):
    seen = put_all_to_sleep(ground)
    report(
        "a machine that sleeps",
        f"the database and two workers stopped for {FROZEN_SECONDS} s over {seen.asked} jobs, one wakes 5 s later",
        "0 left over, 0 done twice, 0 taken from their worker",
        f"{seen.left} left over, {seen.twice} done twice, {seen.given_up} taken from their worker",
    )
    assert (seen.left, seen.twice, seen.given_up, seen.ended) == (0, 0, 0, 0)


def test_without_fairness_who_wakes_first_takes_the_jobs_of_the_other(ground):
    assert put_all_to_sleep(ground, without="fairness").given_up


def freeze_the_database(ground: Ground, without: str = "") -> Seen:
    _busy_workers(ground, without)
    os.kill(ground.mariadb.pid, signal.SIGSTOP)
    time.sleep(FROZEN_SECONDS)
    os.kill(ground.mariadb.pid, signal.SIGCONT)
    return _seen(ground)


def put_all_to_sleep(ground: Ground, without: str = "") -> Seen:
    early, late = _busy_workers(ground, without)
    for process in (early.process, late.process, ground.mariadb):
        os.kill(process.pid, signal.SIGSTOP)
    time.sleep(FROZEN_SECONDS)
    os.kill(ground.mariadb.pid, signal.SIGCONT)
    time.sleep(0.5)  # so that answers are there before anybody has waited too long for them
    os.kill(early.process.pid, signal.SIGCONT)
    time.sleep(5)  # three looks of a reaper
    os.kill(late.process.pid, signal.SIGCONT)
    return _seen(ground)


def _busy_workers(ground: Ground, without: str) -> list[Process]:
    """Two workers in the middle of jobs that are long, that end with a row of their own and that end plainly."""
    workers = [ground.ready_worker(THREADS, without) for _ in range(2)]
    asked = jobs.submit_many("chaos.run", [{"seconds": 21.0}] * LONG)
    with transaction.atomic():  # all at once, so that some still wait when the others run
        for _ in range(40):
            jobs.submit("chaos.run", {"seconds": 0.5})
            jobs.submit_many("chaos.rest", [{"seconds": 0.1}] * 5)
    running = Job.objects.filter(pk__in=[job.pk for job in asked], state="running")
    until(lambda: running.count() == len(asked), 30, *workers)
    time.sleep(0.5)
    assert Job.objects.filter(state="pending").exists()
    return workers


def _seen(ground: Ground) -> Seen:
    connection.close()
    left = Job.objects.exclude(state="completed")
    with suppress(AssertionError):
        until(lambda: not left.exclude(state="failed").exists(), PATIENCE_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) - COUNT(DISTINCT job) FROM chaos_runs")
        twice = cursor.fetchone()[0]
    ended = [each for each in ground.processes if each.process.poll() is not None]
    given_up = JobAttempt.objects.filter(error_code="worker_lost")
    return Seen(Job.objects.count(), left.count(), twice, given_up.count(), len(ended))
