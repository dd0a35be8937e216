"""The broker loses rings, restarts and forgets: each job is done once, and submitting costs nothing."""

import os
import signal
import time
from collections.abc import Iterator

import pytest
import redis
from django.db import connection

from monitoring import jobs
from monitoring.jobs import doorbell
from monitoring.models import Job
from tests.chaos import jobs_ground, jobs_sample  # noqa: F401
from tests.chaos.jobs_ground import Ground, quantile, report, times, until

pytestmark = pytest.mark.chaos
QUEUED = 2_000


@pytest.fixture(scope="module")
def whole_ground(django_db_blocker) -> Iterator[Ground]:
    with django_db_blocker.unblock(), jobs_ground.opened() as ground:
        yield ground


@pytest.fixture
def ground(whole_ground) -> Iterator[Ground]:
    yield whole_ground
    whole_ground.clean()


def test_workers_that_die_with_a_ring_in_their_hands(ground):
    lost = die_with_rings(ground, times(20))
    report(
        "between pop and acknowledgement", f"{times(20)} workers frozen, rung for and killed", "0 lost", f"{lost} lost"
    )
    assert lost == 0


def test_without_a_reaper_their_jobs_are_lost(ground):
    assert die_with_rings(ground, 2, without="reaper") == 2


def test_a_broker_that_restarts_and_forgets_while_jobs_wait(ground):
    queued = times(QUEUED)
    for _ in range(2):
        ground.ready_worker(8)
    slowest, restarts = 0.0, times(5)
    for number in range(restarts):
        slowest = max(slowest, _submit(queued // restarts))
        ground.kill_broker()
        slowest = max(slowest, _submit(5))
        time.sleep(ground.random.uniform(0.2, 1))
        ground.start_broker()
        if number == 0:
            _broker(ground).flushall()
    asked = Job.objects.count()
    until(lambda: Job.objects.filter(state="completed").count() == asked, 120, *ground.processes)
    runs, different = _runs()
    report(
        "the broker under queued jobs",
        f"{restarts} restarts that lose all it held, one FLUSHALL, {asked} jobs",
        f"{asked} done, 0 twice; a submission ≤ 0.5 s",
        f"{different} done, {runs - different} twice; slowest submission {slowest * 1000:.0f} ms",
    )
    assert (runs, different) == (asked, asked)
    assert slowest <= 0.5


def test_a_broker_that_is_full(ground):
    ground.ready_worker(4)
    _broker(ground).config_set("maxmemory", "1mb")
    slowest = _submit(times(200))
    until(lambda: not Job.objects.exclude(state="completed").exists(), 60, *ground.processes)
    _broker(ground).config_set("maxmemory", "0")
    report("a broker at maxmemory", f"{times(200)} jobs", "all done; a submission ≤ 0.5 s",
           f"all done; slowest {slowest * 1000:.0f} ms")  # fmt: skip
    assert slowest <= 0.5


def test_jobs_that_were_cancelled_while_they_waited_never_start(ground):
    asked = jobs.submit_many("chaos.run", [{}] * times(100))
    for job in asked:
        jobs.cancel(job.pk)
    ground.kill_broker()
    ground.start_broker()
    ground.ready_worker(4), ground.ready_worker(4)
    jobs.wait(jobs.submit("chaos.run", priority="low").pk, 30)
    started = Job.objects.filter(pk__in=[job.pk for job in asked], attempt__gt=0).count()
    report(
        "cancelled while waiting", f"{len(asked)} jobs, workers and broker restarted", "0 start", f"{started} started"
    )
    assert started == 0


def die_with_rings(ground: Ground, rounds: int, without: str = "") -> int:
    """Each worker is frozen while it waits for a ring, gets one, and dies. Returns how many jobs nobody ran."""
    lost = 0
    while rounds:
        victim = ground.ready_worker(2, without)
        time.sleep(2)  # until it waits for rings
        time.sleep(ground.random.uniform(0.1, 1.1))
        os.kill(victim.process.pid, signal.SIGSTOP)
        asked = jobs.submit("chaos.run")
        doorbell.flush()
        time.sleep(0.1)
        is_popped = _broker(ground).llen("finstage:celery:celery") == 0
        victim.kill()
        if is_popped:  # else it was frozen between two waits, and the ring still hangs in the broker
            rounds -= 1
            lost += not _is_done(ground, asked, without)
        _broker(ground).flushall()
    return lost


def _is_done(ground: Ground, asked: Job, without: str) -> bool:
    ground.ready_worker(2, without)
    try:
        return jobs.wait(asked.pk, 12).state == "completed"
    except TimeoutError:
        return False
    finally:
        ground.processes[-1].kill()


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
