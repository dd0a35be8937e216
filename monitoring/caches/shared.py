"""What all processes share of the caches: bytes in Django's cache, which the settings say is our Redis.

It can always be done without: where it is away, or full, each process computes for itself, and that is counted.
"""

import logging
import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache

from monitoring import metrics, redis

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")
FAULTS = (*redis.AWAY, OSError)
LEFT_ALONE_SECONDS = 1.0  # after it was away: else each caller would wait for it
_away_until = 0.0


class Bytes:
    """How Django's cache writes ours: as they are. Nothing that is read from there is run."""

    def dumps(self, value: bytes | int) -> bytes | int:
        return value

    def loads(self, data: bytes) -> bytes:
        return data


def key_of(key: str, prefix: str, version: int) -> str:
    """The name of a cache's key among our keys; `CACHES` names this function."""
    return redis.key("cache", *([prefix] if prefix else []), version, key)


def get(key: str) -> bytes | None:
    """None also where nobody can be asked."""
    return _asked(lambda: backend().get(key), None)


def keep(cache_name: str, key: str, body: bytes, seconds: int) -> bool:
    """Keep it for so long at most. False where there is no room for it, or nobody to keep it.

    All that is put within one span of so many seconds has the bytes of a setting, so that nobody's questions fill a
    store that prices need.
    """
    spent = _asked(lambda: _spent(f"{cache_name}:spent:{int(time.time() // seconds)}", len(body), 2 * seconds), None)
    if spent is None or spent > settings.CACHES_SHARED_BYTES:
        return False
    return _asked(lambda: backend().set(key, body, seconds) or True, False)


def take(key: str, seconds: int) -> bool | None:
    """Whether the caller alone has this for so long; None where nobody can be asked."""
    return _asked(lambda: backend().add(key, b"taken", seconds), None)


def give_back(key: str) -> None:
    """What the caller has taken."""
    _asked(lambda: backend().delete(key), None)


@cache
def backend() -> BaseCache:
    """One for all threads, whose connections are a pool: Django's own way opens one for each thread."""
    return caches.create_connection("default")


def _spent(key: str, size: int, seconds: int) -> int:
    try:
        return backend().incr(key, size)
    except ValueError:  # the first of its span
        backend().add(key, 0, seconds)
        return backend().incr(key, size)


def _asked(step: Callable[[], Answer], otherwise: Answer) -> Answer:
    global _away_until
    if time.monotonic() < _away_until:
        metrics.CACHE_AWAY.inc()
        return otherwise
    try:
        return step()
    except FAULTS as fault:
        metrics.CACHE_AWAY.inc()
        logger.warning("what processes share of the caches is away, each computes for itself: %s", fault)
        _away_until = time.monotonic() + LEFT_ALONE_SECONDS
        return otherwise
