"""Signs of life of our long-running processes, so that others can say how old the last one is."""

import os
import time
from dataclasses import dataclass
from typing import Any

from monitoring import formats, redis


@dataclass(frozen=True, slots=True)
class Sign:
    """What every sign of life says, whatever facts go with it."""

    at: float
    pid: int


_SIGN, _FACTS = formats.Format(Sign), formats.Format(dict[str, Any])


def key() -> str:
    """The hash of the last signs of life by process name."""
    return _SIGN.key("heartbeats")


def beat(name: str, **facts: str | float | None) -> None:
    """Say that `name` (feed, worker, beat) is alive now, and what else is worth knowing of it."""
    redis.client().hset(key(), name, _FACTS.pack({"at": time.time(), "pid": os.getpid(), **facts}))


def end(name: str) -> None:
    """Say that `name` stops, and does not fail."""
    redis.client().hdel(key(), name)


def last(name: str) -> dict | None:
    """The last sign of life as it was given, or None if there is none."""
    return _FACTS.unpack(redis.client().hget(key(), name))


def age(name: str) -> float | None:
    """Seconds since the last sign of life, or None if there is none."""
    sign = _SIGN.unpack(redis.client().hget(key(), name))
    return None if sign is None else max(0.0, time.time() - sign.at)
