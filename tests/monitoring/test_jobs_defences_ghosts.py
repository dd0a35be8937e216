"""An attempt that was given up goes on somewhere: whenever it wakes, and whatever it tries, it writes nothing."""

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import attempts, endings, reaper
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.errors import Superseded
from monitoring.jobs.running import isolated
from monitoring.jobs.running.context import Current
from monitoring.models import Job, JobAttempt, JobTemplate
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.db]


def claim() -> Job:
    """By a worker of its own."""
    (claimed,) = claims.claim(uuid.uuid4(), 1, timezone.now())
    return claimed


@pytest.fixture
def ghost() -> Current:
    """It froze for longer than its lease, and somebody noticed."""
    jobs.submit("sample.add", {"a": 1})
    frozen = Current(claim())
    reaper.expire(timezone.now() + claims.LEASE + timedelta(seconds=1))
    return frozen


def nobody_has_it(ghost: Current) -> None:
    assert Job.objects.get().state == "retrying"


def the_second_attempt_runs(ghost: Current) -> None:
    assert claim().attempt == ghost.job.attempt + 1


def the_second_attempt_has_ended(ghost: Current) -> None:
    endings.write([Ending(claim(), Job.State.COMPLETED, "of the second")])
    assert Job.objects.get().state == "completed"


def commit(ghost: Current) -> None:
    with pytest.raises(Superseded), ghost.commit() as end:
        end.result = JobTemplate.objects.create(name="twice", submission={}).name


def end_alone(state: str) -> Callable[[Current], None]:
    ending = {"error_code": "of the ghost", "retry_at": timezone.now()}
    return lambda ghost: endings.write([Ending(ghost.job, state, "of the ghost", **ending)])


def end_among_others(ghost: Current) -> None:
    jobs.submit_many("sample.add", [{"a": 1}] * 2, priority="high")
    others = claims.claim(uuid.uuid4(), 2, timezone.now())
    endings.write([Ending(job, Job.State.COMPLETED, "of many") for job in (ghost.job, *others)])
    assert Job.objects.filter(pk__in=[job.pk for job in others], state="completed").count() == 2
    Job.objects.filter(pk__in=[job.pk for job in others]).delete()


def say_how_far_it_is(ghost: Current) -> None:
    ghost.progress(1, 2, "of the ghost")
    ghost.save_progress()


def bury_its_process(ghost: Current) -> None:
    if ending := isolated._epitaph(ghost, -9):
        endings.write([ending])


MOVES = {
    "commit": commit,
    "complete": end_alone("completed"),
    "complete among others": end_among_others,
    "fail": end_alone("failed"),
    "retry": end_alone("retrying"),
    "time out": end_alone("timed_out"),
    "cancel": end_alone("cancelled"),
    "give back": lambda ghost: claims.give_back(ghost.job),
    "release": lambda ghost: attempts.release(ghost.job),
    "lose": lambda ghost: attempts.lose(ghost.job, "worker_broke"),
    "say how far it is": say_how_far_it_is,
    "bury its process": bury_its_process,
}


def written() -> list:
    """All that is written about jobs, and by them."""
    return [list(model.objects.order_by("pk").values()) for model in (Job, JobAttempt, JobTemplate)]


@pytest.mark.parametrize("meanwhile", [nobody_has_it, the_second_attempt_runs, the_second_attempt_has_ended])
@pytest.mark.parametrize("move", MOVES)
def test_a_ghost_writes_nothing(ghost, move, meanwhile):
    meanwhile(ghost)
    before = written()
    MOVES[move](ghost)
    assert written() == before


@pytest.mark.parametrize("move", MOVES)
def test_who_is_no_ghost_does_write(move):
    jobs.submit("sample.add", {"a": 1})
    current, before = Current(claim()), written()
    with suppress(pytest.fail.Exception):  # a commit that is not refused
        MOVES[move](current)
    assert written() != before
