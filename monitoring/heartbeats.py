"""Signs of life of our long-running processes, so that others can say how old the last one is."""

import time

from monitoring import redis


def beat(name: str) -> None:
    """Say that `name` (feed, worker, beat) is alive now."""
    redis.client().hset(redis.key("heartbeats"), name, time.time())


def age(name: str) -> float | None:
    """Seconds since the last sign of life, or None if there never was one."""
    at = redis.client().hget(redis.key("heartbeats"), name)
    return None if at is None else max(0.0, time.time() - float(at))
