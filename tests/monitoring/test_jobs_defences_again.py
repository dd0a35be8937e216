"""How long a job that failed for now waits for its next attempt: longer each time, and as long as it was asked to."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs import job
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import attempts, endings
from monitoring.jobs.running import body
from monitoring.jobs.running.context import Current
from monitoring.models import Job

pytestmark = [pytest.mark.django_db, pytest.mark.db]


class Refused(Exception):
    temporary = True

    def __init__(self, retry_after: object) -> None:
        self.retry_after = retry_after


@job("defences.ask", backoff_seconds=2.0, max_attempts=7)
def ask(retry_after: float | None = None) -> None:
    raise Refused(retry_after)


@job("defences.ask_soon", backoff_seconds=0.5)
def ask_soon() -> None: ...


def waits_for() -> float:
    """Run the one job there is, which fails. Returns for how many seconds it then waits."""
    Job.objects.update(not_before=timezone.now())
    (claimed,) = claims.claim(uuid.uuid4(), 1, timezone.now())
    failed_at = timezone.now()
    endings.write([body.run(Current(claimed))])
    waiting = Job.objects.get()
    assert waiting.state == "retrying"
    assert claims.claim(uuid.uuid4(), 1, waiting.not_before - timedelta(milliseconds=1)) == []
    return (waiting.not_before - failed_at).total_seconds()


def test_each_wait_is_longer_than_the_one_before():
    jobs.submit("defences.ask")
    waits = [waits_for() for _ in range(6)]
    for number, wait in enumerate(waits):
        assert 2.0**number <= wait <= 2.0 ** (number + 1) + 1


def test_who_says_when_to_ask_again_is_asked_no_earlier():
    jobs.submit("defences.ask", {"retry_after": 120.0})
    assert 120 <= waits_for() < 130


def test_who_says_to_ask_again_at_once_is_asked_no_earlier_than_without_a_word():
    jobs.submit("defences.ask", {"retry_after": 0.0})
    assert waits_for() >= 1


def test_who_says_to_ask_again_next_year_is_asked_within_the_hour():
    jobs.submit("defences.ask", {"retry_after": 1e7})
    assert 3_600 <= waits_for() < 3_610


@pytest.mark.parametrize("said", ["soon", float("nan"), -5, 0.0, None, [3]])
def test_who_says_nothing_that_is_a_time_is_asked_again_as_without_a_word(said):
    jobs.submit("defences.ask_soon")
    (claimed,) = claims.claim(uuid.uuid4(), 1, timezone.now())
    ending = body.failed(claimed, Refused(said))
    assert timedelta(0) < ending.retry_at - timezone.now() <= timedelta(seconds=0.5)


def test_many_that_failed_as_one_are_not_all_tried_again_as_one():
    assert len({round(attempts.backoff(8.0, 0), 3) for _ in range(50)}) > 10


def test_no_wait_is_longer_than_ten_minutes():
    assert all(300 <= attempts.backoff(2.0, earlier) <= 600 for earlier in (10, 20, 1_000))


def test_each_worker_that_dies_over_a_job_makes_it_wait_longer():
    jobs.submit("defences.ask")
    waits = []
    for _ in range(4):
        (claimed,) = claims.claim(uuid.uuid4(), 1, timezone.now())
        lost_at = timezone.now()
        attempts.lose(claimed, "worker_lost")
        waits.append((Job.objects.get().not_before - lost_at).total_seconds())
        Job.objects.update(not_before=timezone.now())
    assert waits[0] < 0.5
    for number, wait in enumerate(waits[1:], start=1):
        assert 2.0 ** (number - 1) <= wait <= 2.0**number + 1


@pytest.mark.parametrize(
    ("asked", "rounds"), [({"max_attempts": 1}, [1, 2, 3]), ({"max_attempts": 3}, [3, 6]), ({}, [7])]
)
def test_a_job_that_is_retried_has_as_many_attempts_again_as_were_asked_for(asked, rounds):
    job = jobs.submit("defences.ask", **asked)
    for tried in rounds:
        assert _attempts_until_it_failed() == tried
        jobs.retry(job.pk)


def test_a_job_of_a_version_that_did_not_keep_what_was_asked_gets_no_more_than_it_was_given():
    job = jobs.submit("defences.ask", max_attempts=1)
    Job.objects.update(attempts_asked=None)
    _attempts_until_it_failed()
    jobs.retry(job.pk)
    assert _attempts_until_it_failed() == 2


def _attempts_until_it_failed() -> int:
    while Job.objects.get().state != "failed":
        Job.objects.update(not_before=timezone.now())
        (claimed,) = claims.claim(uuid.uuid4(), 1, timezone.now())
        endings.write([body.run(Current(claimed))])
    return Job.objects.get().tried
