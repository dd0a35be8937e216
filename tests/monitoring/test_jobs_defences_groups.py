"""Members of a group that end at the same time: the job behind them runs once, and not before the last has ended."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs import Step
from monitoring.jobs.claiming import claims
from monitoring.jobs.database import patiently
from monitoring.jobs.ending import attempts, endings
from monitoring.jobs.ending.attempts import Ending
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.locks import aside

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
MEETING_SECONDS = 1.0


def group(members: int) -> tuple[list[Job], Job]:
    """A group whose members all run."""
    steps = [Step("sample.add", {"a": number}) for number in range(members)]
    _, finishing = jobs.group(steps, then=Step("sample.add", {"a": 9}), max_attempts=1)
    return claim(), finishing


def claim() -> list[Job]:
    return claims.claim(uuid.uuid4(), 10, timezone.now())


@contextmanager
def pausing_after_reads_of(row: Job, meeting: threading.Barrier) -> Iterator[None]:
    """Whoever has read the row waits until another has read it too, or in vain where nobody else can."""

    def execute(run: Callable, statement: str, values: object, is_many: bool, context: dict) -> object:
        answer = run(statement, values, is_many, context)
        if statement.startswith("SELECT") and row.pk.hex in str(values).replace("-", ""):
            with suppress(threading.BrokenBarrierError):
                meeting.wait(MEETING_SECONDS)
        return answer

    with connection.execute_wrapper(execute):
        yield


def at_once(finishing: Job, *moves: Callable[[], object]) -> None:
    """Make moves that each read the finishing job's row before another has written it, where its locks allow that."""
    meeting = threading.Barrier(len(moves))

    def move_aside(move: Callable[[], object]) -> None:
        with pausing_after_reads_of(finishing, meeting):
            patiently(move, 30)

    threads = [aside(partial(move_aside, move)) for move in moves]
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def ended(job: Job, state: str) -> Callable[[], object]:
    return partial(attempts.end, Ending(job, state, error_code="" if state == "completed" else "wrong"))


@pytest.mark.parametrize("states", [("completed", "completed"), ("completed", "failed"), ("failed", "cancelled")])
def test_two_that_end_at_once_are_followed_once(states):
    members, finishing = group(2)
    at_once(finishing, *(ended(job, state) for job, state in zip(members, states, strict=True)))
    assert claim() == [finishing]
    assert claim() == []


def test_two_of_three_that_end_at_once_are_not_followed_before_the_third():
    (first, second, third), finishing = group(3)
    at_once(finishing, ended(first, "completed"), ended(second, "completed"))
    assert claim() == []
    endings.write([Ending(third, Job.State.COMPLETED)])
    assert claim() == [finishing]


def test_one_that_ends_while_another_is_lost_is_followed_once():
    (first, second), finishing = group(2)
    at_once(finishing, ended(first, "completed"), partial(attempts.lose, second, "worker_lost"))
    assert claim() == [finishing]
