"""How much a worker claims: what it has threads for, and a little more where jobs are short."""

import uuid

import pytest
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.claiming.holding import Counts, Holding
from monitoring.jobs.running.context import Current
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.locks import in_the_way

SHORT, LONG = 0.001, 10.0


def held(holding: Holding, count: int) -> list[Current]:
    """So many jobs that it has claimed, of no row."""
    before = holding.everything()
    holding.add(Job(id=uuid.uuid4(), name="sample.add", attempt=1, timeout_seconds=60) for _ in range(count))
    return [each for each in holding.everything() if each not in before]


def learned(seconds: float) -> Holding:
    """A worker of ten threads whose jobs took so long until now."""
    holding = Holding(10)
    (current,) = held(holding, 1)
    holding.next()
    holding.over(current, seconds)
    return holding


def test_a_new_worker_claims_one_job_for_each_of_its_threads():
    holding = Holding(10)
    assert [holding.free(), len(held(holding, 4)), holding.free(), len(held(holding, 6)), holding.free()] == [
        10,
        4,
        6,
        6,
        0,
    ]


@pytest.mark.parametrize(("seconds", "ahead"), [(0.0, 40), (SHORT, 40), (0.01, 30), (0.03, 10), (0.3, 1), (LONG, 0)])
def test_so_many_are_claimed_ahead_as_threads_get_through_in_a_moment(seconds, ahead):
    assert learned(seconds).free() == 10 + ahead
    assert learned(seconds).are_short is (ahead > 0)


def test_a_job_that_took_otherwise_than_those_before_changes_the_mean_by_a_tenth():
    holding = learned(0.03)
    (current,) = held(holding, 1)
    holding.next()
    holding.over(current, 0.32)  # the mean is 0.059 now
    assert holding.free() == 10 + 5


def test_where_some_wait_already_a_worker_claims_a_batch_later():
    holding = learned(0.03)
    held(holding, 14)
    assert holding.free() == 6
    held(holding, 1)
    assert holding.free() == 0


def test_a_thread_that_comes_back_makes_room_and_says_so():
    holding = Holding(1)
    (current,) = held(holding, 1)
    assert holding.next() is current
    holding.room.clear()
    assert holding.over(current, LONG)
    assert (holding.room.is_set(), holding.free()) == (True, 1)


def test_an_abandoned_attempt_makes_room_once():
    holding = Holding(1)
    (current,) = held(holding, 1)
    assert holding.abandon(current)
    assert (holding.room.is_set(), holding.free(), holding.abandoned) == (True, 1, 1)
    assert not holding.abandon(current)
    assert not holding.over(current, LONG)
    assert (holding.free(), holding.abandoned) == (1, 0)


def test_what_is_over_cannot_be_abandoned():
    holding = Holding(1)
    (current,) = held(holding, 1)
    holding.over(current, LONG)
    assert not holding.abandon(current)
    assert (holding.free(), holding.abandoned) == (1, 0)


def test_what_is_held_stays_held_until_its_row_says_how_it_ended():
    holding = Holding(1)
    (current,) = held(holding, 1)
    holding.over(current, LONG)
    assert holding.everything() == [current]
    holding.forget(current, "completed")
    holding.forget(current)
    assert holding.everything() == []
    assert holding.counts == Counts(processed=1, failed=0)


def test_only_jobs_that_ended_on_their_own_are_counted():
    counts = Counts()
    for state in ("completed", "failed", "timed_out", "retrying", "cancelled", ""):
        counts.add(state)
    assert counts == Counts(processed=3, failed=2)


@pytest.fixture
def claimed(db) -> Holding:
    """A worker of one thread that claimed three jobs."""
    holding = Holding(1)
    jobs.submit_many("sample.add", [{"a": number} for number in range(3)])
    holding.add(claims.claim(holding.worker, 3, timezone.now()))
    return holding


@pytest.mark.db
def test_what_was_claimed_ahead_and_waits_too_long_is_given_back_and_claimed_by_others(claimed):
    begun = claimed.next()
    claimed.give_back(0.0)
    assert (claimed.everything(), claimed.free()) == ([begun], 0)
    assert Job.objects.filter(state="pending").count() == 2


@pytest.mark.db
def test_what_was_claimed_a_moment_ago_is_kept(claimed):
    claimed.give_back(60.0)
    assert len(claimed.everything()) == 3
    assert not Job.objects.filter(state="pending").exists()


@pytest.mark.db
def test_after_some_were_given_back_none_is_claimed_ahead_until_jobs_prove_short_again(claimed):
    first = claimed.next()
    claimed.over(first, SHORT)
    claimed.give_back(0.0)
    assert claimed.free() == 1
    (second,) = held(claimed, 1)
    claimed.over(second, SHORT)
    assert claimed.free() == 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.db
def test_what_cannot_be_given_back_runs_here(claimed):
    waiting = claimed.everything()
    with in_the_way(*(each.job for each in waiting)):
        claimed.give_back(0.0)
    assert claimed.everything() == waiting
    assert {claimed.next() for _ in waiting} == set(waiting)
