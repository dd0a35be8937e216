"""The doorbell: a Celery message that says "there is work" and carries nothing else.

Whoever hears it looks into the ledger for the best job. A ring may be lost, doubled or late: the reaper of every worker
looks by itself, so a broker that is down costs seconds and no job.
"""

from collections.abc import Callable

from celery import current_app

from monitoring.jobs.errands import Errands

RING = "monitoring.ring"
RINGS_AT_ONCE = 8  # a worker that hears one takes all it can; more only wake more workers
JOBS_A_RING = 4  # of those that were asked for one by one while no ring could be sent

listeners: set[Callable[[], None]] = set()


def ring(times: int = 1) -> None:
    """Wake workers, from a thread aside. Costs the caller nothing, whatever the broker does."""
    for listener in listeners:
        listener()
    _errands.put(min(times, RINGS_AT_ONCE))


def flush(timeout_seconds: float = 2.0) -> bool:
    """Wait until all rings are out."""
    return _errands.flush(timeout_seconds)


def _send(times: list[int]) -> None:
    for _ in range(min(max(max(times), sum(times) // JOBS_A_RING), RINGS_AT_ONCE)):
        current_app.send_task(RING, ignore_result=True, expires=60)


_errands = Errands(_send, limit=RINGS_AT_ONCE * JOBS_A_RING)
