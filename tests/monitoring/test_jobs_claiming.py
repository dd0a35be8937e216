"""Who is claimed next, and what a claim that is given back leaves: nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import attempts, endings
from monitoring.jobs.ending.attempts import Ending
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.ledger import add, claim, complete, state

pytestmark = [pytest.mark.django_db, pytest.mark.db]


def test_the_highest_priority_is_claimed_first_and_then_the_oldest():
    asked = [add(priority=priority) for priority in ("low", "normal", "high", "low", "high")]
    order = [asked.index(job) for job in claim(5)]
    assert order == [2, 4, 1, 0, 3]


def test_of_jobs_of_one_instant_the_first_that_was_asked_for_is_claimed_first():
    asked = sorted((add() for _ in range(20)), key=lambda job: job.pk)
    for job in asked:  # they enter their lane in another order than they were asked for in
        Job.objects.filter(pk=job.pk).update(lane=None)
    for job in asked[::-1]:
        Job.objects.filter(pk=job.pk).update(not_before=asked[0].not_before, lane=1)
    assert [claim()[0] for _ in asked] == asked


def test_a_claimed_job_is_not_claimed_again():
    add()
    assert len(claim(10)) == 1
    assert claim(10) == []


def test_a_job_for_later_waits_for_its_time():
    add(not_before=timezone.now() + timedelta(hours=1))
    assert claim() == []


def test_those_that_wait_for_later_are_before_nobody_in_any_lane():
    lanes = ("low", "normal", "high")
    for priority in lanes:
        add(priority=priority, not_before=timezone.now() + timedelta(hours=1))
    asked = [add(priority=priority) for priority in lanes]
    assert claim(10) == asked[::-1]


@pytest.mark.parametrize("attempts", [0, 1])
def test_a_job_that_is_given_back_before_it_began_is_where_it_was_and_no_attempt_was(attempts):
    asked, after = add(), add()
    for _ in range(attempts):
        attempt = claim()[0]
        again = {"error_code": "hiccup", "retry_at": asked.not_before}
        endings.write([Ending(attempt, Job.State.RETRYING, **again)])
    assert claims.give_back(claim()[0])
    back = Job.objects.get(pk=asked.pk)
    assert (back.state, back.tried, back.max_attempts) == (("pending", "retrying")[attempts], attempts, 4)
    assert (back.attempts.count(), back.started_at, back.worker) == (attempts, None, None)
    assert claim(2) == [asked, after]


def test_who_gave_a_job_back_may_not_end_it_whoever_has_it_then():
    add()
    first = claim()[0]
    claims.give_back(first)
    again = claim()[0]
    assert again.tried == 1
    for stale in (Ending(first, Job.State.COMPLETED), Ending(first, Job.State.FAILED)):
        assert not attempts.end(stale)
    complete(again)


def test_a_job_that_is_given_back_again_and_again_keeps_all_its_attempts():
    asked = add(max_attempts=2)
    for _ in range(5):
        claims.give_back(claim()[0])
    for expected in ("retrying", "failed"):
        attempts.lose(claim()[0], "worker_lost")
        Job.objects.update(not_before=timezone.now())
        assert state(asked) == expected
    assert [each.number for each in asked.attempts.all()] == [1, 2]


def test_a_cancelled_job_that_is_given_back_does_not_start():
    add()
    job = claim()[0]
    jobs.cancel(job.pk)
    claims.give_back(job)
    assert state(job) == "cancelled"
