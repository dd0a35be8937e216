"""Signs of life of our long-running processes, so that others can say how old the last one is."""

import os
import time

import orjson

from monitoring import redis


def key() -> str:
    """The hash of the last signs of life by process name."""
    return redis.key("heartbeats")


def beat(name: str, **facts: str | float | None) -> None:
    """Say that `name` (feed, worker, beat) is alive now, and what else is worth knowing of it."""
    redis.client().hset(key(), name, orjson.dumps({"at": time.time(), "pid": os.getpid(), **facts}))


def end(name: str) -> None:
    """Say that `name` stops, and does not fail."""
    redis.client().hdel(key(), name)


def last(name: str) -> dict | None:
    """The last sign of life as it was given, or None if there is none."""
    text = redis.client().hget(key(), name)
    return None if text is None else orjson.loads(text)


def age(name: str) -> float | None:
    """Seconds since the last sign of life, or None if there is none."""
    return age_of(redis.client().hget(key(), name))


def age_of(text: bytes | None) -> float | None:
    """As `age`, for a caller that has read the hash's field by itself."""
    return None if text is None else max(0.0, time.time() - orjson.loads(text)["at"])
