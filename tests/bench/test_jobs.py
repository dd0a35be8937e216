"""Jobs through the whole ledger against bare Celery tasks on the same worker, with MariaDB and Redis.

BENCH_SCALE makes it smaller while developing.
"""

import os
import signal
import statistics
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from monitoring import jobs, redis
from monitoring.jobs import doorbell
from tests.bench import jobs_rows, jobs_sample
from tests.bench.evidence import Evidence, Line, alternated
from tests.chaos import jobs_ground
from tests.chaos.jobs_ground import Ground, Process, quantile, until

pytestmark = pytest.mark.bench
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
ROUNDS = max(2, round(3 * SCALE))
APP = "tests.bench.jobs_app"


@pytest.fixture(scope="module")
def ground(django_db_blocker) -> Iterator[Ground]:
    with django_db_blocker.unblock(), jobs_ground.opened() as ground:
        yield ground


@pytest.fixture(scope="module")
def evidence() -> Iterator[Evidence]:
    made = Evidence("jobs")
    yield made
    made.tell()


@pytest.fixture
def worker(ground, request) -> Iterator[Process]:
    started = ground.ready_worker(getattr(request, "param", 10), app=APP)
    time.sleep(2)  # until Celery has greeted its neighbours
    yield started
    ground.clean()


def test_small_jobs(ground, worker, evidence):
    number, fewer = round(10_000 * SCALE), round(2_500 * SCALE)  # as bare ones take long, and their rate is the same

    def ours() -> float:
        return _drain(worker, number, lambda name: jobs.submit_many("bench.count", [{"name": name}] * number))

    def bare() -> float:
        return _drain(worker, fewer, lambda name: [jobs_sample.bare_count.delay(name) for _ in range(fewer)])

    line = evidence.add(Line("small jobs through the ledger", *alternated(ROUNDS, ours, bare), "jobs/s", 2, 4))
    assert line.reaches(line.gate)


def test_jobs_asked_for_one_by_one(ground, worker, evidence):
    number = round(2_000 * SCALE)

    def ours() -> float:
        return _flow(worker, number, lambda name: jobs.submit("bench.count", {"name": name}))

    def bare() -> float:
        return _flow(worker, number, jobs_sample.bare_count.delay)

    line = evidence.add(Line("asked for one by one, until done", *alternated(ROUNDS, ours, bare), "jobs/s", 1, 1.5))
    assert line.reaches(line.gate)


def test_from_submission_to_start(ground, worker, evidence):
    number = round(400 * SCALE)

    def ours() -> float:
        return _p99(number, lambda name: jobs.submit("bench.start", {"name": name, "sent": time.time()}))

    def bare() -> float:
        return _p99(number, lambda name: jobs_sample.bare_start.delay(name, time.time()))

    measured = alternated(max(3, ROUNDS), ours, bare)
    line = Line("submit to start at low load, p99", *measured, "ms", 20, 10, is_smaller_better=True, gates_ours=True)
    assert evidence.add(line).reaches(line.gate)


@pytest.mark.parametrize("worker", [50], indirect=True)
def test_jobs_that_wait(ground, worker, evidence):
    number, limit = round(2_000 * SCALE), 50 / 0.1

    def ours() -> float:
        asked = {"seconds": 0.1}
        return _drain(worker, number, lambda name: jobs.submit_many("bench.wait", [{"name": name, **asked}] * number))

    def bare() -> float:
        return _drain(worker, number, lambda name: [jobs_sample.bare_wait.delay(name, 0.1) for _ in range(number)])

    rates, bare_rates = alternated(ROUNDS, ours, bare)
    line = evidence.add(Line("100 ms jobs on 50 threads, of 500/s", rates, [limit] * ROUNDS, "jobs/s", 0.95, 0.99))
    evidence.add(Line("100 ms jobs on 50 threads, bare Celery", bare_rates, [limit] * ROUNDS, "jobs/s", 0, 0))
    assert line.reaches(line.gate)


def test_ten_symbols(ground, worker, evidence):
    each, per_second = 5 * max(SCALE, 0.2), 2 / max(SCALE, 0.2)
    ideal = 9 / per_second + each

    def ours() -> float:
        asked = jobs.submit("bench.symbols", {"count": 10, "seconds": each, "per_second": per_second})
        done = jobs.wait(asked.pk, 120)
        assert len(done.result["done"]) == 10
        return (done.finished_at - done.created_at).total_seconds()

    took = [ours() for _ in range(2)]
    what = f"ten symbols ({10 * each:g} s one by one), {per_second:g} begin a second"
    line = Line(what, [ideal / seconds for seconds in took], [1.0] * 2, "of the limit", 0.9, 0.98)
    assert evidence.add(line).reaches(line.gate)


def test_a_tick(ground, evidence):
    took = statistics.mean(jobs_rows.ticks(_clock(ground)))
    ground.clean()
    _judge(evidence, f"a tick, {jobs_rows.SLOTS:,} slots, CPU of both", took, 15, 5)


def test_a_claim_beside_jobs_of_tomorrow(ground, evidence):
    took = statistics.mean(jobs_rows.claims_beside_tomorrow(_clock(ground)))
    ground.clean()
    _judge(evidence, f"a claim, {jobs_rows.TOMORROW:,} for tomorrow, CPU of both", took, 5, 2)


def test_a_cancelled_chain(ground, evidence):
    took = statistics.mean(jobs_rows.chain_cancelled(_clock(ground)) for _ in range(ROUNDS))
    ground.clean()
    _judge(evidence, f"a chain of {jobs_rows.CHAIN} cancelled, CPU of both", took, 1000, 200)


def _clock(ground: Ground) -> Callable[[], float]:
    """CPU seconds of this process and of the database's."""
    server = psutil.Process(ground.mariadb.pid)
    return lambda: time.process_time() + sum(server.cpu_times()[:2])


def _judge(evidence: Evidence, what: str, milliseconds: float, gate: float, goal: float) -> None:
    line = evidence.add(Line(what, [milliseconds], [gate], "ms", gate, goal, is_smaller_better=True, gates_ours=True))
    assert line.reaches(line.gate)


def _drain(worker: Process, number: int, fill) -> float:
    """Jobs a second, from a queue that was filled while the worker was frozen, until the last row has ended."""
    name = f"bench:{time.time_ns()}"
    os.kill(worker.process.pid, signal.SIGSTOP)
    fill(name)
    doorbell.flush()
    os.kill(worker.process.pid, signal.SIGCONT)
    begun = time.perf_counter()
    _until_ended(worker, name, number)
    return number / (time.perf_counter() - begun)


def _flow(worker: Process, number: int, ask) -> float:
    """Jobs a second, each asked for alone while the worker runs those before it."""
    name, begun = f"bench:{time.time_ns()}", time.perf_counter()
    for _ in range(number):
        ask(name)
    _until_ended(worker, name, number)
    return number / (time.perf_counter() - begun)


def _until_ended(worker: Process, name: str, number: int) -> None:
    until(lambda: int(redis.client().get(name) or 0) >= number, 120, worker)
    until(lambda: not jobs.Job.objects.exclude(state="completed").exists(), 60, worker)


def _p99(number: int, ask) -> float:
    name = f"bench:{time.time_ns()}"
    for _ in range(number):
        ask(name)
        time.sleep(0.02)
    until(lambda: redis.client().llen(name) >= number, 30)
    return 1000 * quantile([float(each) for each in redis.client().lrange(name, 0, -1)], 0.99)
