"""The broker loses rings, restarts and forgets: each job is done once, and submitting costs nothing."""

import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import pytest
import redis
from django.db import connection

from monitoring import jobs
from monitoring.jobs import doorbell
from monitoring.models import Job
from tests.chaos import jobs_ground, jobs_sample  # noqa: F401
from tests.chaos.jobs_ground import Ground, quantile, report, until
from tests.chaos.scale import times

pytestmark = pytest.mark.chaos
QUEUED = 2_000
SUBMISSION_SECONDS = 0.5
LOST_SECONDS = 8  # a job that waits for longer, and a reaper looks every 1.5 s, is lost
AT_ONCE = 5  # workers that die with a ring in their hands
RINGS = "finstage:celery:celery"  # where the broker keeps them


@dataclass(frozen=True)
class Seen:
    """What became of jobs and their workers. slowest: the longest that a submission took, in seconds.

    flushed: rings that a FLUSHALL took. met: jobs that waited when the broker died, at its least worst death.
    """

    asked: int
    left: int
    ended: int
    slowest: float
    flushed: int = 0
    met: int = 0


@pytest.fixture(scope="module")
def whole_ground(django_db_blocker) -> Iterator[Ground]:
    with django_db_blocker.unblock(), jobs_ground.opened() as ground:
        yield ground


@pytest.fixture
def ground(whole_ground) -> Iterator[Ground]:
    yield whole_ground
    whole_ground.clean()


def test_workers_that_die_with_a_ring_in_their_hands(ground):
    lost = die_with_rings(ground, times(20), patience=30)
    report(
        "between pop and acknowledgement", f"{times(20)} workers frozen, rung for and killed", "0 lost", f"{lost} lost"
    )
    assert lost == 0


def test_without_a_reaper_their_jobs_are_lost(ground):
    assert die_with_rings(ground, 2, patience=LOST_SECONDS, without="reaper") == 2


def test_a_broker_that_restarts_and_forgets_while_jobs_wait(ground):
    restarts = times(5)
    seen = restart_under_jobs(ground, times(QUEUED), restarts, patience=120)
    runs, different = _runs()
    report(
        "the broker under queued jobs",
        f"{restarts} times frozen, killed over {seen.met} jobs or more and started empty, "
        f"one FLUSHALL of {seen.flushed} rings, {seen.asked} jobs",
        f"{seen.asked} done, 0 twice; a submission ≤ {SUBMISSION_SECONDS} s",
        f"{different} done, {runs - different} twice; slowest submission {seen.slowest * 1000:.0f} ms",
    )
    assert (seen.left, runs, different) == (0, seen.asked, seen.asked)
    assert seen.slowest <= SUBMISSION_SECONDS
    assert seen.flushed > 0
    assert seen.met >= times(QUEUED) // 2 // restarts


def test_without_a_reaper_a_broker_that_forgets_leaves_jobs_waiting(ground):
    assert restart_under_jobs(ground, 20, 1, patience=LOST_SECONDS, without="reaper").left


def test_without_a_thread_aside_a_broker_that_hangs_holds_submissions_up(ground, monkeypatch):
    _ring_in_the_callers_thread(monkeypatch)
    assert restart_under_jobs(ground, 20, 1, patience=60).slowest > SUBMISSION_SECONDS


def test_a_broker_that_is_full(ground):
    seen = fill_under_jobs(ground, times(200), patience=60)
    report(
        "a broker that refuses every ring",
        f"{seen.asked} jobs, for a worker that was there before and one that starts meanwhile",
        f"0 left over, 0 workers ended; a submission ≤ {SUBMISSION_SECONDS} s",
        f"{seen.left} left over, {seen.ended} workers ended; slowest submission {seen.slowest * 1000:.0f} ms",
    )
    assert (seen.left, seen.ended) == (0, 0)
    assert seen.slowest <= SUBMISSION_SECONDS


def test_without_a_reaper_a_full_broker_leaves_jobs_waiting(ground):
    seen = fill_under_jobs(ground, 20, patience=LOST_SECONDS, without="reaper")
    assert (seen.left, seen.ended) == (20, 0)


def test_without_a_retry_after_refusals_a_full_broker_ends_workers(ground):
    assert fill_under_jobs(ground, 20, patience=LOST_SECONDS, without="retry_after_refusals").ended


def test_jobs_that_were_cancelled_while_they_waited_never_start(ground):
    asked = times(100)
    started = cancel_while_they_wait(ground, asked)
    report("cancelled while waiting", f"{asked} jobs, workers and broker restarted", "0 start", f"{started} started")
    assert started == 0


def test_without_leaving_the_lane_cancelled_jobs_start(ground, monkeypatch):
    monkeypatch.setattr(jobs, "cancel", _cancel_in_word_only)
    assert cancel_while_they_wait(ground, 10) == 10


def restart_under_jobs(ground: Ground, queued: int, restarts: int, *, patience: float, without: str = "") -> Seen:
    """Over jobs that wait in numbers the broker forgets their rings, and then hangs, dies and comes back empty."""
    for _ in range(2):
        ground.ready_worker(8, without)
    _until_rings_are_heard()
    with _paused(ground):
        slowest = _submit(queued // 2)
        flushed = _forget(ground)
    met = []
    for _ in range(restarts):
        _seen(ground, slowest, patience)  # nothing waits: who is paused now has no row locked
        with _paused(ground):
            slowest = max(slowest, _submit(queued // 2 // restarts), _submit_while_it_dies(ground))
            met.append(Job.objects.filter(state="pending").count())
        time.sleep(ground.random.uniform(0.2, 1))
        slowest = max(slowest, _submit(5))
        assert doorbell.flush(60)  # in vain: none waits for the broker to come back
        ground.start_broker()
    return replace(_seen(ground, slowest, patience), flushed=flushed, met=min(met))


def fill_under_jobs(ground: Ground, asked: int, *, patience: float, without: str = "") -> Seen:
    """The broker refuses all that is put into it: rings, and what workers themselves keep there."""
    ground.ready_worker(4, without)
    _until_rings_are_heard()
    with _full(ground):
        ground.worker(4, without)
        for each in ground.processes:
            until(lambda each=each: b"'maxmemory'" in each.log.read_bytes(), 60, each)
        time.sleep(2)  # so that one that ends of it has ended
        return _seen(ground, _submit(asked), patience)


def cancel_while_they_wait(ground: Ground, count: int) -> int:
    """Returns how many of them started all the same."""
    asked = jobs.submit_many("chaos.run", [{}] * count)
    for job in asked:
        jobs.cancel(job.pk)
    ground.kill_broker()
    ground.start_broker()
    ground.ready_worker(4), ground.ready_worker(4)
    jobs.wait(jobs.submit("chaos.run", priority="low").pk, 30)
    return Job.objects.filter(pk__in=[job.pk for job in asked], attempt__gt=0).count()


def die_with_rings(ground: Ground, rounds: int, *, patience: float, without: str = "") -> int:
    """Some workers at once are frozen while they wait for a ring, get one each, and die. Returns how many jobs nobody
    ran.
    """
    lost = 0
    while rounds:
        count = min(AT_ONCE, rounds)
        victims = ground.ready(*(ground.worker(2, without) for _ in range(count)))
        time.sleep(2)  # until they wait for rings
        time.sleep(ground.random.uniform(0.1, 1.1))
        for victim in victims:
            os.kill(victim.process.pid, signal.SIGSTOP)
        asked = [_submit_and_ring() for _ in victims]
        time.sleep(0.1)
        is_popped = _broker(ground).llen(RINGS) == 0
        for victim in victims:
            victim.kill()
        if is_popped:  # else one was frozen between two waits, and its ring still hangs in the broker
            rounds -= count
            lost += _left_undone(ground, asked, patience, without)
        _broker(ground).flushall()
    return lost


def _submit_and_ring() -> Job:
    asked = jobs.submit("chaos.run")
    doorbell.flush()
    return asked


def _left_undone(ground: Ground, asked: list[Job], patience: float, without: str) -> int:
    """How many of them a new worker does not run."""
    worker = ground.ready_worker(2, without)
    left = Job.objects.filter(pk__in=[job.pk for job in asked]).exclude(state="completed")
    with suppress(AssertionError):
        until(lambda: not left.exists(), patience)
    worker.kill()
    return left.count()


def _until_rings_are_heard() -> None:
    jobs.wait(jobs.submit("chaos.run").pk, 30)


@contextmanager
def _paused(ground: Ground) -> Iterator[None]:
    """All that runs on the ground stands still: what is submitted now waits, and so does every ring."""
    for each in ground.processes:
        os.kill(each.process.pid, signal.SIGSTOP)
    time.sleep(doorbell.AWAKE_SECONDS)  # so long the word of one that was awake keeps others from ringing
    # Else those that wait for a ring would find one in their hands when they go on.
    _broker(ground).client_kill_filter(_type="normal", skipme=True)
    try:
        yield
    finally:
        for each in ground.processes:
            os.kill(each.process.pid, signal.SIGCONT)


def _forget(ground: Ground) -> int:
    """Returns how many rings the broker held when all was taken from it."""
    doorbell.flush()
    rings = _broker(ground).llen(RINGS)
    _broker(ground).flushall()
    return rings


@contextmanager
def _full(ground: Ground) -> Iterator[None]:
    broker = _broker(ground)
    broker.config_set("maxmemory", "1mb")
    try:
        with pytest.raises(redis.OutOfMemoryError):
            broker.lpush("anything", 1)
        yield
    finally:
        broker.config_set("maxmemory", "0")


def _seen(ground: Ground, slowest: float, patience: float) -> Seen:
    left = Job.objects.exclude(state="completed")
    with suppress(AssertionError):
        until(lambda: not left.exists(), patience)
    ended = [each for each in ground.processes if each.process.poll() is not None]
    return Seen(Job.objects.count(), left.count(), len(ended), slowest)


def _ring_in_the_callers_thread(monkeypatch) -> None:
    def put(*rings: None) -> None:
        with suppress(Exception):  # whatever the broker says, as on the thread aside
            doorbell._send(list(rings))

    monkeypatch.setattr(doorbell._errands, "put", put)


def _cancel_in_word_only(pk: uuid.UUID) -> str:
    """The row says so, and stays where workers find it."""
    Job.objects.filter(pk=pk, state__in=Job.WAITING).update(state="cancelled", error_code="cancelled")
    return "cancelled"


def _submit_while_it_dies(ground: Ground) -> float:
    """The broker hangs for a second, then it is gone. Returns the longest that a submission took."""
    os.kill(ground.broker.pid, signal.SIGSTOP)
    death = threading.Timer(1, ground.kill_broker)
    death.start()
    slowest = _submit(5)
    death.join()
    time.sleep(ground.random.uniform(0.2, 1))
    slowest = max(slowest, _submit(5))
    doorbell.flush()
    return slowest


def _submit(count: int) -> float:
    """The longest that one of them took."""
    took = []
    for _ in range(count):
        begun = time.perf_counter()
        jobs.submit("chaos.run")
        took.append(time.perf_counter() - begun)
    return quantile(took, 1)


def _broker(ground: Ground) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(ground.folder / "valkey.sock"))


def _runs() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*), COUNT(DISTINCT job) FROM chaos_runs")
        return cursor.fetchone()
