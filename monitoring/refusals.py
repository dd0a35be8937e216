"""What was refused of what came in: counted for all processes, the newest kept with their reasons.

Nobody waits for this and nothing fails by it. A kind is a word of ours (a metric's label), `what` names the thing.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
from django.db import DataError, IntegrityError
from prometheus_client import Metric
from prometheus_client.core import REGISTRY, CounterMetricFamily
from redis.exceptions import RedisError

from monitoring import formats, redis

logger = logging.getLogger(__name__)
Item, Answer = TypeVar("Item"), TypeVar("Answer")

KEPT = 100  # of each kind
LONGEST = 500  # characters of a thing that is kept to be looked at
QUIET_SECONDS = 3600  # between two words in one process's log about the same thing
ANSWER_SECONDS = 30  # a count is not asked for again so soon after Redis did not give it

# What a database says to a row that it can't take, or to one among many; all else says one that is away or ill.
_ROW_FAULTS = (DataError, IntegrityError, OverflowError, ValueError, TypeError)

_FORMAT = formats.Format(dict[str, Any])
_told: dict[tuple[str, str], float] = {}
_telling = threading.Lock()


def note(kind: str, what: str, why: str, content: bytes | str = b"", *, times: int = 1) -> None:
    """Count something refused, and keep what it was; the log hears of the same kind and thing once an hour."""
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    entry = {"at": datetime.now(UTC), "what": what, "why": why[:LONGEST], "content": text[:LONGEST]}
    if _is_news(kind, what):
        logger.warning("refused (%s) %s: %s", kind, what, why)
    try:
        with redis.client().pipeline(transaction=False) as pipe:
            pipe.hincrby(_counts(), kind, times)
            pipe.lpush(_newest(kind), orjson.dumps(entry)).ltrim(_newest(kind), 0, KEPT - 1)
            pipe.execute()
    except RedisError as away:
        logger.warning("%d refused (%s) are not counted: %s", times, kind, away)


def apart(
    items: list[Item], write: Callable[[list[Item]], Answer], refuse: Callable[[Item, str], object]
) -> list[Answer]:
    """What `write` answers of all items at once; where the database does not take them, of halves, until what it
    refuses stands alone. Raises what a database says that is away.

    write: in a transaction of its own, so that a part which is refused leaves nothing.
    """
    if not items:
        return []
    try:
        return [write(items)]
    except _ROW_FAULTS as error:
        if len(items) == 1:
            refuse(items[0], f"the database does not take it: {type(error).__name__}: {error}")
            return []
    half = len(items) // 2
    return apart(items[:half], write, refuse) + apart(items[half:], write, refuse)


def counts() -> dict[str, int]:
    """How many were refused of each kind since this Redis is."""
    return {kind.decode(): int(count) for kind, count in redis.client().hgetall(_counts()).items()}


def newest(kind: str) -> Sequence[dict]:
    """The newest refused of a kind, newest first: `at`, `what`, `why` and what it was, `content`."""
    return _FORMAT.unpack_all(redis.client().lrange(_newest(kind), 0, -1))


class Collected:
    """The counts of all processes as a metric of whichever is asked."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._not_before = 0.0

    def describe(self) -> list[Metric]:
        return [self._metric()]

    def collect(self) -> list[Metric]:
        if time.monotonic() >= self._not_before:
            try:
                self._counts = counts()
            except RedisError as away:
                self._not_before = time.monotonic() + ANSWER_SECONDS
                logger.warning("The counts of what was refused are those of before: %s", away)
        metric = self._metric()
        for kind, count in sorted(self._counts.items()):
            metric.add_metric([kind], count)
        return [metric]

    def _metric(self) -> CounterMetricFamily:
        return CounterMetricFamily(
            "finstage_refused", "Things refused of what came in, by all processes.", None, ["kind"]
        )


def _is_news(kind: str, what: str) -> bool:
    with _telling:
        now = time.monotonic()
        if len(_told) >= 1000:
            _told.clear()
        if now < _told.get((kind, what), 0.0):
            return False
        _told[kind, what] = now + QUIET_SECONDS
        return True


def _counts() -> str:
    return redis.key("refused")


def _newest(kind: str) -> str:
    return redis.key("refused", kind)


REGISTRY.register(Collected())
