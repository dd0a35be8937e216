"""Jobs that only the tests know."""

import asyncio
import itertools
import os
import signal
import subprocess
import time
from functools import reduce
from pathlib import Path
from typing import Literal

from asgiref.sync import sync_to_async
from celery import shared_task

from monitoring import jobs, redis
from monitoring.jobs import condition, job
from monitoring.models import JobTemplate


class Hiccup(Exception):
    temporary = True
    code = "hiccup"


@job("sample.add", about="title")
def add(a: int, b: int = 1, title: str = "") -> int:
    return a + b


@job("sample.add_async")
async def add_async(a: int, b: int) -> int:
    await asyncio.sleep(0.01)
    return a + b


@job("sample.log")
def log(path: str, word: str, seconds: float = 0.0) -> None:
    """Append a word to a file, which tells how often and in which order jobs ran."""
    with Path(path).open("a") as file:
        file.write(f"{word}\n")
    time.sleep(seconds)


@job("sample.save")
def save(name: str) -> None:
    with jobs.current().commit() as end:
        end.result = JobTemplate.objects.create(name=name, submission={}).name


@job("sample.sleep", timeout=60)
def sleep(seconds: float, every: float = 0.05) -> str:
    """Sleeps as a good citizen, who looks up at checkpoints."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        jobs.current().progress(0, 1, "asleep")
        time.sleep(every)
    return "rested"


@job("sample.deaf")
def deaf(seconds: float) -> None:
    time.sleep(seconds)


@job("sample.hiccup", backoff_seconds=0.1)
def hiccup(path: str, times: int) -> int:
    """Fails for a while, as a network does."""
    log(path, "tried")
    tried = len(Path(path).read_text().split())
    if tried <= times:
        raise Hiccup(f"try number {tried}")
    return tried


@job("sample.wrong")
def wrong(kind: Literal["value", "result"]) -> object:
    if kind == "value":
        raise ValueError("a secret in an unexpected place")
    return object()


@job("sample.poison", max_attempts=3)
def poison(path: str) -> None:
    log(path, f"{os.getpid()}")
    os.kill(os.getpid(), signal.SIGKILL)


@job("sample.isolated", isolated=True)
def isolated(seconds: float = 0.0) -> int:
    jobs.current().progress(1, 2, "half")
    time.sleep(seconds)
    return os.getpid()


@job("sample.isolated_wrong", isolated=True)
def isolated_wrong() -> None:
    raise ValueError("in its own process")


@job("sample.many", about="names", backoff_seconds=0.1)
def many(names: list[str]) -> list[str]:
    """Whose name begins with a small letter fails alone."""
    return sorted(jobs.fan_out(names, _capital, parallel=1).done)


@job("sample.many_isolated", isolated=True)
def many_isolated(names: list[str]) -> None:
    with jobs.current().commit() as end:
        end.result = list(jobs.fan_out(names, _capital, parallel=1).done)


@job("sample.before")
def before() -> list[list]:
    """What became of the jobs before it."""
    return [[job.outcome, job.parts_failed] for job in jobs.current().before()]


def _capital(name: str) -> None:
    if name.islower():
        raise ValueError("it is small")


def _unknown_exchange(exchange: str) -> dict[str, list[str]]:
    return {"exchange": [f"{exchange} is unknown; there is XOPEN"]} if exchange == "NOPE" else {}


@condition("sample.open", check=_unknown_exchange)
def is_open(exchange: str) -> bool:
    """Open at all."""
    return exchange == "XOPEN"


@condition("sample.any")
def is_any(value: dict) -> bool:
    return True


@job("sample.deep")
def deep(value: dict) -> dict:
    return value


@job("sample.count")
def count(name: str) -> None:
    """The smallest job that can be counted from outside."""
    redis.client().incr(name)


@shared_task(name="sample.bare")
def bare(name: str) -> None:
    """The same without the ledger."""
    redis.client().incr(name)


@job("sample.open_to_all", audience="user", quick={"sample": {}, "sample-week": {"days": 7}})
def open_to_all(symbol: str = "", days: int = 1, symbols: list[str] | None = None) -> None: ...


@job("sample.isolated_pid", isolated=True)
def isolated_pid(path: str) -> None:
    Path(path).write_text(f"{os.getpid()}\n")
    time.sleep(30)


@job("sample.isolated_parent", isolated=True)
def isolated_parent(path: str) -> None:
    """Waits for a process of its own."""
    child = subprocess.Popen(["sleep", "30"])
    Path(path).write_text(f"{child.pid}\n")
    child.wait()


@job("sample.count_on", isolated=True)
def count_on(path: str) -> None:
    """Until there is such a file."""
    for number in itertools.count():
        jobs.current().progress(number)
        if Path(path).exists():
            return
        time.sleep(0.02)


@job("sample.save_slowly", timeout=60)
def save_slowly(name: str, path: str, seconds: float = 1.0) -> None:
    """Begins, waits for so long where it is the first to begin, and writes a row of its attempt."""
    is_first = not Path(path).exists()
    Path(path).touch()
    time.sleep(seconds if is_first else 0.1)
    running = jobs.current()
    with running.commit():
        JobTemplate.objects.create(name=f"{name} {running.job.attempt}", submission={})


class Odd(Exception):
    code = "\udcff"


RAISED = {"text": ValueError("bad \udcff"), "code": Odd(), "exit": SystemExit(3), "interrupt": KeyboardInterrupt()}
SAID = {"word": "abc", "large": 2**70, "negative": -1}
RETURNED = {"surrogate": "\ud800", "huge": 2**70, "deep": reduce(lambda nested, _: [nested], range(600), [])}


@job("sample.odd", max_attempts=2)
def odd(what: str) -> object:
    """Does what no body should: each must cost its own job and nobody else's."""
    if what in RAISED:
        raise RAISED[what]
    if what in SAID:
        jobs.current().progress(SAID[what])
    return RETURNED[what]


@job("sample.die", isolated=True, max_attempts=1)
def die() -> None:
    os._exit(3)


@job("sample.await", timeout=60)
async def await_long(seconds: float, path: str = "") -> str:
    try:
        await asyncio.sleep(seconds)
    finally:
        await asyncio.sleep(0.05)
        if path:
            Path(path).write_text("cleaned up")
    return "rested"


@job("sample.save_async")
async def save_async(name: str) -> None:
    await sync_to_async(commit)(name)


def commit(name: str) -> None:
    with jobs.current().commit() as end:
        end.result = JobTemplate.objects.create(name=name, submission={}).name


@job("sample.large")
def large(characters: int) -> str:
    return "x" * characters
