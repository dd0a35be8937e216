"""Jobs that are never lost, never done twice and explain themselves.

    @job("market.refresh", priority="high", timeout=60, about="symbols")
    def refresh(symbols: list[str]) -> dict: ...

    asked = jobs.submit("market.refresh", {"symbols": ["AAPL"]}, key="refresh:2026-11-20")
    jobs.wait(asked.pk, 30).result

The truth about a job is its row. Celery and its broker only tell workers to look.
"""

import time
import uuid

from monitoring.jobs.arguments import Between
from monitoring.jobs.context import End, current
from monitoring.jobs.declaration import Schedule, condition, everything, job
from monitoring.jobs.errors import JobError
from monitoring.jobs.fan_out import chunks, fan_out
from monitoring.jobs.ledger import cancel
from monitoring.jobs.submission import Step, chain, check, group, retry, submit, submit_many
from monitoring.models import Job

__all__ = [
    "Between",
    "End",
    "Job",
    "JobError",
    "Schedule",
    "Step",
    "cancel",
    "chain",
    "check",
    "chunks",
    "condition",
    "current",
    "everything",
    "fan_out",
    "group",
    "job",
    "retry",
    "submit",
    "submit_many",
    "wait",
]


def wait(pk: uuid.UUID, timeout_seconds: float) -> Job:
    """The job as soon as it has ended. Raises TimeoutError where it has not by then."""
    deadline, pause = time.monotonic() + timeout_seconds, 0.005
    while not (found := Job.objects.get(pk=pk)).is_ended:
        if time.monotonic() >= deadline:
            raise TimeoutError(f"{found} is {found.state} after {timeout_seconds:g} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)
    return found
