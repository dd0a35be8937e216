"""Jobs that are never lost, never done twice and explain themselves.

    @job("market.refresh", priority="high", timeout=60, about="symbols")
    def refresh(symbols: list[str]) -> dict: ...

    asked = jobs.submit("market.refresh", {"symbols": ["AAPL"]}, key="refresh:2026-11-20")
    jobs.wait(asked.pk, 30).result

The truth about a job is its row. Celery and its broker only tell workers to look. In the order of a job's life:

    declaration, arguments, errors              what jobs there are
    submitting, again, schedules, doorbell      a row that waits, and a ring
    claiming/   claims, dispatcher, pulse       a worker takes rows and holds on to them
    running/    body, context, isolated         the work itself, on a thread or in a process
    ending/     attempts, endings, followers    how it came out, what follows, who was forgotten
    telling/    tasks, changes, overview        what programs and people read

`worker` puts claiming, running and ending together; every move of a row is a conditional update in one of them.
"""

import time
import uuid

from monitoring.jobs.again import retry
from monitoring.jobs.arguments import Between
from monitoring.jobs.declaration import Schedule, condition, everything, is_temporary, job
from monitoring.jobs.ending.cancelling import cancel
from monitoring.jobs.errors import JobError
from monitoring.jobs.running.context import End, current
from monitoring.jobs.running.fan_out import Outcome, chunks, fan_out
from monitoring.jobs.submitting import Step, chain, check, group, submit, submit_many
from monitoring.models import Job

__all__ = [
    "Between",
    "End",
    "Job",
    "JobError",
    "Outcome",
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
    "is_temporary",
    "job",
    "retry",
    "submit",
    "submit_many",
    "wait",
]

LOOK_SECONDS = 0.05  # between two looks of who waits for a job


def wait(pk: uuid.UUID, timeout_seconds: float) -> Job:
    """The job as soon as it has ended. Raises TimeoutError where it has not by then."""
    deadline = time.monotonic() + timeout_seconds
    while not (found := Job.objects.get(pk=pk)).is_ended:
        if time.monotonic() >= deadline:
            raise TimeoutError(f"{found} is {found.state} after {timeout_seconds:g} s")
        time.sleep(LOOK_SECONDS)
    return found
