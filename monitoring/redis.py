"""The process's connections to the Redis protocol, and the names of our keys in it."""

from functools import cache

import redis
import redis.asyncio
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


class NotNow(redis.exceptions.ResponseError):
    """The server is there and does nothing of the kind for now, whatever is asked."""


class Parser(redis.connection.DefaultParser):
    """MISCONF: it can't save. BUSY: it runs a script for too long. NOREPLICAS: too few follow it."""

    EXCEPTION_CLASSES = redis.connection.DefaultParser.EXCEPTION_CLASSES | dict.fromkeys(
        ("MISCONF", "BUSY", "NOREPLICAS"), NotNow
    )


# What a server that is away or takes no writes now lets us hear. All else that it answers is about what was asked.
AWAY = (
    redis.exceptions.ConnectionError,  # also while it loads what it has kept
    redis.exceptions.TimeoutError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.ReadOnlyError,
    redis.exceptions.ClusterDownError,  # and a replica whose master is away
    NotNow,
)
# A dead server must be noticed at once, and a caller decides whether to try again.
_OPTIONS = {"socket_connect_timeout": 2, "socket_timeout": 5, "health_check_interval": 15}
_SYNC = _OPTIONS | {"parser_class": Parser}
_QUICK = {"socket_connect_timeout": 0.25, "socket_timeout": 0.25}


@cache
def client() -> redis.Redis:
    """The shared, thread-safe client; answers are bytes."""
    return redis.Redis.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 1), **_SYNC)


@cache
def quick_client() -> redis.Redis:
    """As `client`, for what can be done without: a server that hangs holds nobody up for long."""
    return redis.Redis.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 0), **_SYNC | _QUICK)


def async_client(**options) -> redis.asyncio.Redis:
    """A client for the caller's own event loop; the caller closes it."""
    return redis.asyncio.Redis.from_url(settings.REDIS_URL, **{**_OPTIONS, **options})


def key(*parts: object) -> str:
    """A key of ours: key("quotes") is `finstage:quotes`."""
    return settings.REDIS_PREFIX + ":".join(str(part) for part in parts)
