"""What is left to say of a job whose process has ended, and which jobs have one."""

import uuid
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import attempts, endings
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.running import isolated
from monitoring.jobs.running.context import Current
from monitoring.models import Job
from tests.monitoring import sample_jobs
from tests.monitoring.locks import locked

pytestmark = [pytest.mark.django_db, pytest.mark.db]


@pytest.fixture
def current() -> Current:
    """An attempt whose process runs."""
    jobs.submit("sample.isolated", {"seconds": 0.0})
    return Current(claims.claim(uuid.uuid4(), 1, timezone.now())[0])


@pytest.fixture
def here(monkeypatch) -> None:
    """The life of a process, in this one."""
    for what in ("os.setsid", "threading.Thread.start", "connections.close_all"):
        monkeypatch.setattr(f"monitoring.jobs.running.isolated.{what}", lambda *_: None)


@pytest.mark.parametrize(("exit_code", "code"), [(-9, "process_died_9"), (3, "process_died_3"), (0, "process_died_0")])
def test_a_process_that_died_without_a_word_is_lost_and_tried_again(current, exit_code, code):
    assert not endings.write([isolated._epitaph(current, exit_code)])
    job = Job.objects.get()
    assert (job.state, job.error_code, job.losses) == ("retrying", code, 1)


@pytest.mark.rows
@pytest.mark.django_db(transaction=True)
def test_a_process_that_died_while_its_row_is_locked_is_lost_and_written_when_the_row_is_free(current):
    with locked(current.job):
        ((ending, error),) = endings.write([isolated._epitaph(current, -9)])
    assert not endings.write([endings.instead(ending, error)])
    job = Job.objects.get()
    assert (job.state, job.error_code, job.losses) == ("retrying", "process_died_9", 1)
    assert job.attempts.get().outcome == "lost"


def test_a_process_that_was_killed_for_a_cancel_is_cancelled(current):
    current.stop("cancelled")
    ending = isolated._epitaph(current, -9)
    assert (ending.state, ending.error_code) == ("cancelled", "cancelled")


def test_a_process_that_died_after_its_job_was_cancelled_is_cancelled(current):
    jobs.cancel(current.job.pk)
    assert isolated._epitaph(current, -9).state == "cancelled"


def test_a_process_that_was_killed_at_its_deadline_is_timed_out_and_not_before(clocks, current):
    clocks.go(current.deadline - clocks.monotonic - 1)
    assert isolated._epitaph(current, -9).state == "retrying"
    clocks.go(1)
    assert isolated._epitaph(current, -9).state == "timed_out"


def test_a_process_that_ended_its_job_itself_leaves_nothing_to_say(current):
    attempts.end(Ending(current.job, "failed", error_code="wrong"))
    assert isolated._epitaph(current, 0) is None
    assert (current.ended_as, Job.objects.get().error_code) == ("failed", "wrong")


def test_a_process_whose_job_somebody_else_has_leaves_nothing_to_say(current):
    attempts.lose(current.job, "worker_lost")
    claims.claim(uuid.uuid4(), 1, timezone.now())
    assert isolated._epitaph(current, -9) is None
    assert (current.ended_as, Job.objects.get().state) == ("", "running")


@pytest.mark.parametrize(
    ("name", "losses", "is_needed"),
    [("sample.isolated", 0, True), ("sample.add", 0, False), ("sample.add", 1, True), ("sample.gone", 0, False)],
)
def test_a_process_is_for_what_is_declared_so_and_for_what_may_have_killed_a_worker(name, losses, is_needed):
    assert isolated.is_needed(Job(name=name, losses=losses)) is is_needed


def test_the_process_of_an_attempt_that_was_given_up_does_nothing(current, here):
    isolated.live(current.job.pk, current.job.attempt + 1, None)
    assert Job.objects.get().state == "running"
    attempts.end(Ending(current.job, "failed"))
    isolated.live(current.job.pk, current.job.attempt, None)
    assert Job.objects.get().state == "failed"


def test_a_process_that_began_late_has_what_is_left_of_its_time(current, here):
    Job.objects.update(deadline_at=timezone.now() - timedelta(seconds=1))
    isolated.live(current.job.pk, 1, None)
    assert Job.objects.get().state == "timed_out"


def test_a_process_that_is_on_time_ends_its_job_with_how_far_it_was(current, here):
    isolated.live(current.job.pk, 1, sample_jobs.__name__)
    job = Job.objects.get()
    assert (job.state, job.progress_done, job.progress_total, job.progress_word) == ("completed", 1, 2, "half")


def test_a_process_that_has_ended_its_job_takes_its_leave_of_the_database(current, here, monkeypatch):
    left = []
    monkeypatch.setattr(connections, "close_all", lambda: left.append(Job.objects.get().state))
    isolated.live(current.job.pk, 1, None)
    assert left == ["completed"]
