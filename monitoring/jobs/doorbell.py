"""The doorbell: a Celery message that says "there is work" and carries nothing else.

Whoever hears it looks into the ledger for the best job. A ring may be lost, doubled or late: the reaper of every worker
looks by itself, so a broker that is down costs seconds and no job.

A ring costs more than a short job does, so none is sent while a worker is awake: it looks by itself all the time, and a
key says so. Whoever takes the key away looks after that, or rings: a job for which nobody rang is seen.
"""

import logging
import time
from collections.abc import Callable

from celery import current_app
from redis.exceptions import RedisError

from monitoring import redis
from monitoring.errands import Errands

RING = "monitoring.ring"
RINGS_AT_ONCE = 8  # a worker that hears one takes all it can; more only wake more workers
JOBS_A_RING = 4  # of those that were asked for one by one while no ring could be sent
AWAKE = redis.key("jobs", "awake")
AWAKE_SECONDS = 0.3  # so long the word of a worker holds that says no more
AWAY_SECONDS = 5.0  # so long a server that did not answer is not asked again: to ring is right without it

listeners: set[Callable[[], None]] = set()
logger = logging.getLogger(__name__)
_asked_again_at = 0.0


def ring(times: int = 1) -> None:
    """Wake workers, from a thread aside. Costs the caller nothing, whatever the broker does."""
    for listener in listeners:
        listener()
    _errands.put(min(times, RINGS_AT_ONCE))


def flush(timeout_seconds: float = 2.0) -> bool:
    """Wait until all rings are out."""
    return _errands.flush(timeout_seconds)


def say_awake() -> bool:
    """Nobody has to ring for a moment, as this worker looks until it says that it is asleep. False: they do ring."""
    return bool(_ask(lambda server: server.set(AWAKE, 1, px=round(1000 * AWAKE_SECONDS))))


def say_asleep() -> bool:
    """Let others ring. Who calls this looks afterwards, or rings. False where the key stands until its time is over."""
    return _ask(lambda server: server.delete(AWAKE)) is not None


def _send(times: list[int]) -> None:
    if max(times) == 1 and _ask(lambda server: server.exists(AWAKE)):
        return
    for _ in range(min(max(max(times), sum(times) // JOBS_A_RING), RINGS_AT_ONCE)):
        current_app.send_task(RING, ignore_result=True, expires=60)


def _ask(command: Callable) -> object:
    """What the server answers; None where it does not, soon."""
    global _asked_again_at
    if time.monotonic() < _asked_again_at:
        return None
    try:
        return command(redis.quick_client())
    except RedisError as error:
        logger.warning("whether a worker is awake can't be said, so that rings are sent: %s", error)
        _asked_again_at = time.monotonic() + AWAY_SECONDS
        return None


_errands = Errands(_send, limit=RINGS_AT_ONCE * JOBS_A_RING)
