"""Signs of life of our long-running processes, so that others can say how old the last one is, and what is wrong.

`heartbeats` has the last sign by name, whichever process gave it. `processes` has that of each process, with what is
wrong with its loops.
"""

import os
import time
from dataclasses import dataclass
from typing import Any

from monitoring import formats, loops, place, redis

LATE_SECONDS = 30.0  # a process that says nothing for so long is in trouble
FORGOTTEN_SECONDS = 600.0  # and after so long, where nobody can tell whether it was killed, it is no longer expected


@dataclass(frozen=True, slots=True)
class Sign:
    """What every sign of life says, whatever facts go with it."""

    at: float
    pid: int


@dataclass(frozen=True, slots=True)
class ProcessSign:
    """The last sign of one process. faults: sentences about its loops."""

    name: str
    place: str
    pid: int
    birth: float
    at: float
    faults: list[str]

    def trouble(self, now: float) -> str | None:
        silent = abs(now - self.at)  # one from the future, by a clock that was wrong, says nothing of now
        said = self.faults if silent <= LATE_SECONDS else [f"no sign of life for {silent:.0f} s"]
        return f"{self.name} (process {self.pid}): {'; '.join(said)}" if said else None


_SIGN, _FACTS, _PROCESS = formats.Format(Sign), formats.Format(dict[str, Any]), formats.Format(ProcessSign)


def key() -> str:
    """The hash of the last signs of life by process name."""
    return _SIGN.key("heartbeats")


def beat(name: str, **facts: str | float | None) -> None:
    """Say that `name` (web, feed, worker, beat) is alive now, what else is worth knowing of it, and which of the loops
    of this process do not turn.
    """
    now = time.time()
    mine = ProcessSign(name, place.here(), os.getpid(), place.birth(), now, loops.faults())
    with redis.client().pipeline(transaction=False) as pipe:
        pipe.hset(key(), name, _FACTS.pack({"at": now, "pid": os.getpid(), **facts}))
        pipe.hset(_processes(), _me(name), _PROCESS.pack(mine))
        pipe.execute()


def end(name: str) -> None:
    """Say that `name` stops, and does not fail."""
    redis.client().hdel(key(), name)
    redis.client().hdel(_processes(), _me(name))


def last(name: str) -> dict | None:
    """The last sign of life as it was given, or None if there is none."""
    return _FACTS.unpack(redis.client().hget(key(), name))


def age(name: str) -> float | None:
    """Seconds since the last sign of life, or None if there is none. One from the future is as old as it is ahead."""
    sign = _SIGN.unpack(redis.client().hget(key(), name))
    return None if sign is None else abs(time.time() - sign.at)


def troubles() -> list[str]:
    """What is wrong with the loops of all processes, and which of them have gone silent, a sentence each."""
    now, found = time.time(), []
    for field, text in redis.client().hgetall(_processes()).items():
        sign = _PROCESS.unpack(text)
        if sign is None or place.is_gone(sign) or abs(now - sign.at) > FORGOTTEN_SECONDS:
            redis.client().hdel(_processes(), field)
        elif trouble := sign.trouble(now):
            found.append(trouble)
    return sorted(found)


def _processes() -> str:
    return _PROCESS.key("processes")


def _me(name: str) -> str:
    return f"{name} {place.here()} {os.getpid()} {place.birth()}"
