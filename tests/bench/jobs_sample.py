"""The measured jobs, and the same work as bare Celery tasks."""

import time

from celery import shared_task

from market.sources.pace import Pace
from monitoring import jobs, redis
from monitoring.jobs import job


@job("bench.count")
def count(name: str) -> None:
    redis.client().incr(name)


@shared_task(name="bench.bare_count")
def bare_count(name: str) -> None:
    redis.client().incr(name)


@job("bench.start")
def start(name: str, sent: float) -> None:
    """Tells how long it took from asking until this line."""
    redis.client().rpush(name, time.time() - sent)


@shared_task(name="bench.bare_start")
def bare_start(name: str, sent: float) -> None:
    redis.client().rpush(name, time.time() - sent)


@job("bench.wait")
def wait(name: str, seconds: float) -> None:
    time.sleep(seconds)
    redis.client().incr(name)


@shared_task(name="bench.bare_wait")
def bare_wait(name: str, seconds: float) -> None:
    time.sleep(seconds)
    redis.client().incr(name)


@job("bench.symbols")
def symbols(count: int, seconds: float, per_second: float) -> dict:
    """As many symbols, each of which takes a while, behind the pace of one source."""
    pace = Pace("bench", per_second, burst=1)

    def fetch(_: str) -> None:
        pace.wait(longest_seconds=3600)
        time.sleep(seconds)

    return jobs.fan_out([f"S{number}" for number in range(count)], fetch, parallel=count).as_json()
