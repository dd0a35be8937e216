"""What a load balancer asks: are we alive, and is what we stand on there?

`database` and `redis` decide about readiness: without them this process can't serve, and another one may. `feed`, its
`source`, `worker`, `beat` and the `loops` of all processes are told and do not decide, because taking every web process
away would not bring prices back.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from django.conf import settings
from django.db import close_old_connections, connection

from finstage import processes
from monitoring import heartbeats, loops, redis
from monitoring.heartbeats import LATE_SECONDS

PATIENCE_SECONDS = 1.0
DECIDING = ("database", "redis")


def database() -> dict:
    try:
        close_old_connections()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        close_old_connections()
    return {"ok": True}


def redis_protocol() -> dict:
    redis.client().ping()
    return {"ok": True}


def heartbeat(name: str) -> Callable[[], dict]:
    """A check that a process has shown itself lately."""

    def check() -> dict:
        age = heartbeats.age(name)
        if age is None:
            return {"ok": False, "detail": "never seen"}
        return {"ok": age <= LATE_SECONDS, "age_seconds": round(age, 1)}

    return check


def feed() -> dict:
    """Whether it shows itself, and what is behind the prices, as it tells it."""
    told, shown = heartbeats.last("feed"), heartbeat("feed")()
    late = told and told.get("late")
    return {"ok": False, "detail": late} if shown["ok"] and late else shown


def source() -> dict:
    """Whether prices come from the source, as the feed tells it."""
    told = heartbeats.last("feed")
    if told is None:
        return {"ok": False, "detail": "no feed that could tell"}
    if trouble := told.get("trouble"):
        return {"ok": False, "detail": trouble}
    return {"ok": True}


def supervisor() -> list[str]:
    """What is wrong with who starts again what ends, where that is `up` on this machine."""
    trouble = processes.Register(settings.VAR / processes.REGISTER).trouble()
    return [trouble] if trouble else []


def turning() -> dict:
    """Whether every loop of every process turns: what watches must not end in silence."""
    faults = loops.faults() or heartbeats.troubles() + supervisor()
    return {"ok": False, "detail": "; ".join(faults)} if faults else {"ok": True}


CHECKS = {
    "database": database,
    "redis": redis_protocol,
    "feed": feed,
    "source": source,
    "worker": heartbeat("worker"),
    "beat": heartbeat("beat"),
    "loops": turning,
}


class Readiness:
    """Asks each dependency in a thread of its own, one question at a time: a frozen one costs one thread and 1 s."""

    def __init__(self, checks: dict[str, Callable[[], dict]] = CHECKS):
        self._checks = checks
        self._pool = ThreadPoolExecutor(len(checks), thread_name_prefix="health")
        self._asked: dict[str, Future] = {}

    async def report(self) -> tuple[int, dict]:
        """The HTTP status and the state of every dependency, within a second."""
        asked = {name: asyncio.wrap_future(self._ask(name)) for name in self._checks}
        await asyncio.wait(asked.values(), timeout=PATIENCE_SECONDS)
        states = {name: _state(answer) for name, answer in asked.items()}
        is_ready = all(states[name]["ok"] for name in DECIDING)
        is_whole = all(state["ok"] for state in states.values())
        status = ("ready" if is_whole else "degraded") if is_ready else "unavailable"
        return 200 if is_ready else 503, {"status": status, "checked_at": time.time(), "dependencies": states}

    def _ask(self, name: str) -> Future:
        """The question that is still open, or a new one."""
        if (asked := self._asked.get(name)) is None or asked.done():
            asked = self._asked[name] = self._pool.submit(self._checks[name])
        return asked


def _state(answer: asyncio.Future) -> dict:
    if not answer.done():
        return {"ok": False, "detail": f"no answer within {PATIENCE_SECONDS:g} s"}
    if error := answer.exception():
        return {"ok": False, "detail": type(error).__name__}
    told = answer.result()
    return told if isinstance(told, dict) and "ok" in told else {"ok": False, "detail": "its check answers nonsense"}
