"""The database freezes under workers and submitters, or the whole machine sleeps: each job is done once, by workers
that go on, and who submits is answered.
"""

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import Client

from monitoring import jobs
from monitoring.models import Job, JobAttempt
from tests.chaos import jobs_ground, jobs_sample  # noqa: F401
from tests.chaos.jobs_ground import Ground, Process, report, until
from tests.conftest import free_port

pytestmark = pytest.mark.chaos
FROZEN_SECONDS = 15  # longer than a lease, and than a read that is given up and a connect that is tried then
PATIENCE_SECONDS = 40
ANSWER_SECONDS = 5
ASKED = {"task": "monitoring.retention"}  # one that the web process knows
THREADS = 8
LONG = THREADS + 4  # jobs: neither worker has room for all of them, so each holds some when things freeze


@dataclass(frozen=True)
class Seen:
    """What became of the jobs and their workers.

    left: not completed, such as those that failed. given_up: attempts that were taken from their worker. answers: to
    submissions meanwhile, the status and after how many seconds.
    """

    asked: int
    left: int
    failed: int
    twice: int
    given_up: int
    ended: int
    answers: Sequence[tuple[int, float]] = ()


@pytest.fixture(scope="module")
def whole_ground(django_db_blocker) -> Iterator[Ground]:
    with django_db_blocker.unblock(), jobs_ground.opened() as ground:
        yield ground


@pytest.fixture
def ground(whole_ground) -> Iterator[Ground]:
    yield whole_ground
    whole_ground.clean()


def all_of_it(seen: Seen) -> bool:
    """Nothing is enough before all jobs have ended."""
    return False


class Submitter:
    """Asks for jobs over HTTP, as a logged-in user."""

    def __init__(self, ground: Ground, **environment: str) -> None:
        user, _ = get_user_model().objects.get_or_create(username="staff", defaults={"is_staff": True})
        client = Client()
        client.force_login(user)
        self.session = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self.web = ground.start("web", "manage.py", "web", "--host", "127.0.0.1", "--port", str(port), **environment)
        until(lambda: self.post("/health/live", method="GET")[0] == 200, 30, self.web)

    def post(self, path: str, body: dict | None = None, method: str = "POST") -> tuple[int, float]:
        """The status and how long it took."""
        cookies = f"{settings.SESSION_COOKIE_NAME}={self.session}; csrftoken={'a' * 32}"
        headers = {"Cookie": cookies, "X-CSRFToken": "a" * 32, "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        asked = urllib.request.Request(self.url + path, data, headers, method=method)
        begun = time.monotonic()
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError:
            status = 0
        return status, time.monotonic() - begun


def test_jobs_and_submitters_outlive_a_database_that_freezes(ground):
    seen = freeze_the_database(ground)
    statuses, slowest = sorted({status for status, _ in seen.answers}), max(seconds for _, seconds in seen.answers)
    report(
        "a frozen database under two workers and a submitter",
        f"SIGSTOP for {FROZEN_SECONDS} s over {seen.asked} running and queued jobs and {len(seen.answers)} submissions",
        f"0 left over, 0 done twice, 0 workers ended; every submission 503 within {ANSWER_SECONDS} s",
        f"{seen.left} left over, {seen.twice} done twice, {seen.ended} workers ended; "
        f"statuses {statuses}, slowest {slowest:.1f} s",
    )
    assert (seen.left, seen.twice, seen.ended) == (0, 0, 0)
    assert statuses == [503]
    assert slowest <= ANSWER_SECONDS


def test_without_a_second_write_or_a_watch_workers_end_and_submitters_wait(ground):
    lacks = {"without": "second_write", "DJANGO_SETTINGS_MODULE": "tests.chaos.jobs_web"}
    seen = freeze_the_database(ground, lambda seen: seen.ended, **lacks)
    assert seen.ended
    assert max(seconds for _, seconds in seen.answers) > ANSWER_SECONDS


def test_without_another_attempt_a_database_that_freezes_fails_jobs(ground):
    assert freeze_the_database(ground, lambda seen: seen.failed, without="another_attempt").failed


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
    assert put_all_to_sleep(ground, lambda seen: seen.given_up, without="fairness").given_up


def freeze_the_database(
    ground: Ground, is_enough: Callable[[Seen], object] = all_of_it, *, without: str = "", **environment: str
) -> Seen:
    """without: what the workers lack. environment: of the web process."""
    submitter = Submitter(ground, **environment)
    # Over a connection that is there when it freezes.
    until(lambda: submitter.post("/api/tasks/submit", ASKED)[0] == 202, 30, submitter.web)
    workers = _busy_workers(ground, without)
    answers = submit_while_frozen(ground, submitter)
    if not environment:
        until(lambda: submitter.post("/api/tasks/submit", ASKED)[0] == 202, 30, submitter.web)
    return replace(_seen(workers, is_enough), answers=answers)


def submit_while_frozen(ground: Ground, submitter: Submitter) -> list[tuple[int, float]]:
    """The database stands still for a while, and submissions go on one after another: what came of each."""
    os.kill(ground.mariadb.pid, signal.SIGSTOP)
    thaw_at, answers = time.monotonic() + FROZEN_SECONDS, []
    while time.monotonic() < thaw_at - ANSWER_SECONDS:
        answers.append(submitter.post("/api/tasks/submit", ASKED))
        time.sleep(0.02)
    time.sleep(max(0, thaw_at - time.monotonic()))
    os.kill(ground.mariadb.pid, signal.SIGCONT)
    return answers


def put_all_to_sleep(ground: Ground, is_enough: Callable[[Seen], object] = all_of_it, *, without: str = "") -> Seen:
    early, late = workers = _busy_workers(ground, without)
    for process in (early.process, late.process, ground.mariadb):
        os.kill(process.pid, signal.SIGSTOP)
    time.sleep(FROZEN_SECONDS)
    os.kill(ground.mariadb.pid, signal.SIGCONT)
    time.sleep(0.5)  # so that answers are there before anybody has waited too long for them
    os.kill(early.process.pid, signal.SIGCONT)
    time.sleep(5)  # three looks of a reaper
    os.kill(late.process.pid, signal.SIGCONT)
    return _seen(workers, is_enough)


def _busy_workers(ground: Ground, without: str) -> list[Process]:
    """Two workers in the middle of jobs that are long, that end with a row of their own and that end plainly."""
    workers = ground.ready(*(ground.worker(THREADS, without) for _ in range(2)))
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


def _seen(workers: Sequence[Process], is_enough: Callable[[Seen], object]) -> Seen:
    """When all jobs have ended, or as soon as enough is seen."""
    connection.close()
    left = Job.objects.exclude(state__in=["completed", "failed"])
    with suppress(AssertionError):
        until(lambda: not left.exists() or is_enough(_counted(workers)), PATIENCE_SECONDS)
    return _counted(workers)


def _counted(workers: Sequence[Process]) -> Seen:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) - COUNT(DISTINCT job) FROM chaos_runs")
        twice = cursor.fetchone()[0]
    failed, left = Job.objects.filter(state="failed"), Job.objects.exclude(state="completed")
    given_up = JobAttempt.objects.filter(error_code="worker_lost")
    ended = [each for each in workers if each.has_ended]
    return Seen(Job.objects.count(), left.count(), failed.count(), twice, given_up.count(), len(ended))
