"""The measured jobs, and the same work as bare Celery tasks."""

import time

from celery import shared_task

from monitoring import jobs, redis
from monitoring.jobs import Limiter, job


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
    """As many symbols, each of which takes a while, behind one limiter."""
    names = [f"S{number}" for number in range(count)]
    limiter = Limiter("bench", per_second)
    return jobs.fan_out(names, lambda _: time.sleep(seconds), parallel=count, limiter=limiter).as_json()
