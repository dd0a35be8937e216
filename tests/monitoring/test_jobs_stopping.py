"""A worker that starts, is woken, stops or breaks: what it had in hand others find, and it leaves nothing behind."""

import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs import doorbell
from monitoring.jobs.ending import reaper
from monitoring.models import Job, Worker
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.conftest import LOOPS, until
from tests.monitoring.ledger import state
from tests.monitoring.locks import in_the_way, read_only

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]


@pytest.fixture
def nobody_looks(monkeypatch) -> None:
    """No reaper comes by and finds what was not heard."""
    monkeypatch.setattr(reaper, "EVERY_SECONDS", 3600)


@pytest.fixture
def terminated() -> Iterator[list[int]]:
    """How often this process was told to end."""
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    yield told
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def begun(tmp_path) -> Iterator[Callable[..., Job]]:
    """begun(): a job that a thread has begun and that hears of nothing until the test is over; begun(seconds): for so
    long.
    """

    def ask(seconds: float = 120, **options) -> Job:
        path = tmp_path / uuid.uuid4().hex
        asked = jobs.submit("stopping.deaf", {"path": str(path), "seconds": seconds}, **options)
        until(path.exists)
        return asked

    let_go.clear()
    yield ask
    let_go.set()


hung: list[BaseDatabaseWrapper] = []
let_go = threading.Event()


@jobs.job("stopping.deaf")
def deaf(path: str, seconds: float) -> None:
    """Not by a clock alone: a busy machine takes longer to come to what the test does meanwhile."""
    Path(path).touch()
    let_go.wait(seconds)


@jobs.job("stopping.hang")
def hang() -> None:
    """For longer than its time, with a connection in hand."""
    Job.objects.exists()
    time.sleep(1.5)
    hung.append(connections["default"])


def threads() -> set[str]:
    return {each.name for each in threading.enumerate() if each.name.startswith("jobs ")}


def test_what_waited_before_a_worker_came_is_run_without_a_ring(start_inside, nobody_looks):
    asked = jobs.submit("sample.add", {"a": 1})
    start_inside()
    assert jobs.wait(asked.pk, 20).state == "completed"


def test_what_is_asked_for_beside_a_worker_is_run_without_a_look(start_inside, nobody_looks):
    start_inside(concurrency=1)
    jobs.wait(jobs.submit("sample.add", {"a": 1}).pk, 20)
    many = jobs.submit_many("sample.add", [{"a": number} for number in range(30)])
    assert {jobs.wait(job.pk, 20).state for job in many} == {"completed"}


def test_what_failed_for_now_is_tried_again_without_a_look(start_inside, nobody_looks, tmp_path):
    start_inside()
    done = jobs.wait(jobs.submit("sample.hiccup", {"path": str(tmp_path / "tries"), "times": 2}).pk, 20)
    assert (done.state, done.attempt) == ("completed", 3)


def test_a_worker_that_stops_gives_back_what_runs_and_says_goodbye(start_inside, begun):
    worker = start_inside()
    asked = begun()
    until(Worker.objects.exists)
    worker.stop()
    again = Job.objects.get(pk=asked.pk)
    assert (again.state, again.error_code, again.max_attempts) == ("retrying", "released", asked.max_attempts + 1)
    assert Worker.objects.get().stopped_at


def test_what_was_claimed_and_never_began_is_as_if_nobody_had_claimed_it(start_inside, begun):
    worker = start_inside(concurrency=1)
    for job in jobs.submit_many("sample.add", [{"a": 1}] * 30):
        jobs.wait(job.pk, 20)
    begun(priority="high")
    waiting = jobs.submit_many("sample.add", [{"a": 1}] * 3)
    until(lambda: Job.objects.filter(pk__in=[job.pk for job in waiting], state="running").count() == 3)
    worker.stop()
    for job in waiting:
        job.refresh_from_db()
        assert (job.state, job.tried, job.max_attempts, job.attempts.count()) == ("pending", 0, 4, 0)


def test_what_ends_in_time_is_waited_for(start_inside, begun, settings):
    worker = start_inside()
    settings.JOBS_DRAIN_SECONDS = 20
    asked = begun(0.3)
    worker.stop()
    assert state(asked) == "completed"


def test_a_body_that_looks_up_stops_with_its_worker(start_inside):
    worker = start_inside()
    asked = jobs.submit("sample.sleep", {"seconds": 250})  # for longer than the test waits
    until(lambda: Job.objects.get(pk=asked.pk).progress_total)
    (held,) = worker._holding.everything()
    worker.stop()
    until(lambda: held.is_over, 20)


def test_a_worker_that_stopped_turns_no_more_and_hears_nothing(start_inside):
    worker = start_inside(concurrency=1)
    assert worker.wake in doorbell.listeners
    assert threads() >= LOOPS
    worker.stop()
    assert worker.wake not in doorbell.listeners
    until(lambda: not LOOPS & threads())


def test_a_worker_that_is_told_to_stop_twice_stops_once(start_inside, begun, settings):
    worker = start_inside()
    asked = begun()
    worker.stop()
    settings.JOBS_DRAIN_SECONDS = 3600  # which a second drain would wait for
    worker.stop()
    assert state(asked) == "retrying"


def test_what_is_locked_when_a_worker_stops_keeps_no_other_from_being_given_back(start_inside, begun, caplog):
    worker = start_inside()
    held = [begun(), begun()]
    with in_the_way(*held):
        worker.stop()
    assert caplog.text.count("what is left of a lease has to run out") == 2
    assert {state(job) for job in held} == {"running"}


def test_a_database_that_takes_nothing_is_asked_once_when_a_worker_stops(start_inside, begun, caplog):
    worker = start_inside()
    begun(), begun()
    with read_only():
        worker.stop()
    assert caplog.text.count("what is left of a lease has to run out") == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_of_which_a_thread_broke_ends_and_loses_what_it_ran(start_inside, begun, terminated, caplog):
    worker = start_inside()
    asked = begun()
    worker._begin("odd", lambda: 1 / 0)
    until(lambda: terminated)
    worker.stop()
    lost = Job.objects.get(pk=asked.pk)
    assert (lost.state, lost.error_code, lost.losses) == ("retrying", "worker_broke", 1)
    assert "the odd broke" in caplog.text


def test_a_thread_that_hangs_past_its_jobs_time_is_replaced_and_too_many_end_the_worker(start_inside, terminated):
    start_inside(concurrency=1)
    first = jobs.submit("sample.deaf", {"seconds": 5}, timeout=1)
    assert jobs.wait(first.pk, 20).state == "timed_out"
    assert jobs.wait(jobs.submit("sample.add", {"a": 1}).pk, 20).state == "completed"
    assert terminated == []
    jobs.wait(jobs.submit("sample.deaf", {"seconds": 5}, timeout=1).pk, 20)
    until(lambda: terminated)


def test_a_thread_that_hung_and_came_back_leaves_no_connection(start_inside):
    start_inside(concurrency=1)
    assert jobs.wait(jobs.submit("stopping.hang", timeout=1).pk, 20).state == "timed_out"
    until(lambda: hung and not hung[0].connection)


def test_a_thread_that_hung_and_came_back_is_not_held_against_its_worker(start_inside, terminated):
    worker = start_inside(concurrency=1)
    for _ in range(2):
        jobs.wait(jobs.submit("sample.deaf", {"seconds": 1.5}, timeout=1).pk, 20)
        until(lambda: worker._holding.abandoned == 0)
    assert terminated == []
    assert jobs.wait(jobs.submit("sample.add", {"a": 1}).pk, 20).finished_at <= timezone.now()
