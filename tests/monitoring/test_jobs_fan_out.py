"""Many at once: one bad symbol fails alone, and one limiter holds all back."""

import threading
import time

import pytest

from monitoring import jobs, redis
from monitoring.jobs import Limiter, context, ledger
from monitoring.jobs.context import Current
from monitoring.jobs.errors import Cancelled
from monitoring.models import Job


def fetch(symbol: str) -> int:
    if symbol == "BAD":
        raise ValueError("no such symbol")
    return len(symbol)


def test_one_bad_symbol_fails_alone_and_says_why():
    outcome = jobs.fan_out(["AAPL", "BAD", "FB"], fetch)
    assert outcome.done == {"AAPL": 4, "FB": 2}
    assert outcome.failed == {"BAD": "ValueError: no such symbol"}


def test_no_more_run_side_by_side_than_asked():
    running, most, lock = [], [], threading.Lock()

    def work(symbol: str) -> None:
        with lock:
            running.append(symbol)
            most.append(len(running))
        time.sleep(0.01)
        with lock:
            running.remove(symbol)

    jobs.fan_out(map(str, range(20)), work, parallel=3)
    assert max(most) == 3


def test_a_limiter_spaces_what_all_threads_do():
    times = []
    jobs.fan_out(map(str, range(6)), lambda _: times.append(time.monotonic()), limiter=Limiter("test", 50))
    times.sort()
    assert times[-1] - times[0] >= 5 / 50 - 0.005


def test_a_limiter_lets_a_burst_pass_after_a_pause():
    limiter, started = Limiter("test", 10, burst=5), time.monotonic()
    for _ in range(5):
        limiter.wait()
    assert time.monotonic() - started < 0.1


@pytest.fixture
def no_redis(settings):
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    redis.client.cache_clear()
    yield
    redis.client.cache_clear()


def test_without_redis_every_item_fails_and_says_why(no_redis):
    symbols = [f"S{number}" for number in range(20)]
    outcome = jobs.fan_out(symbols, fetch, parallel=4, limiter=Limiter("test", 50))
    assert (outcome.done, sorted(outcome.failed)) == ({}, sorted(symbols))
    assert all(reason.startswith("ConnectionError: ") for reason in outcome.failed.values())


@pytest.mark.django_db
def test_a_cancelled_job_begins_no_further_item():
    jobs.submit("monitoring.retention")
    current = Current(ledger.claim(context.uuid.uuid4(), 1, ledger.timezone.now())[0])
    seen = []

    def work(symbol: str) -> None:
        seen.append(symbol)
        current.stop("cancelled")

    with context.entered(current), pytest.raises(Cancelled):
        jobs.fan_out(map(str, range(50)), work, parallel=2)
    assert len(seen) <= 2
    assert Job.objects.get().state == "running"  # whoever runs the body ends it


def test_items_are_dealt_in_chunks():
    assert list(jobs.chunks(["A", "B", "C"], 2)) == [["A", "B"], ["C"]]
