"""One attempt of a job, from its first line to its ending. Used by a worker's threads and by an isolated process."""

import logging
from datetime import timedelta

from django.utils import timezone

from monitoring.jobs import context, declaration, ledger
from monitoring.jobs.context import Current, entered
from monitoring.jobs.errors import Cancelled, DeadlineExceeded, Stopped, UnknownJob
from monitoring.jobs.ledger import Ending
from monitoring.models import Job

LONGEST_WAIT_SECONDS = 3600.0
State = Job.State
logger = logging.getLogger(__name__)


def run(running: Current) -> Ending | None:
    """Run the body. Returns how it ended, for the ledger to write; None where nothing is left to write."""
    job = running.job
    try:
        if not declaration.holds(job.condition):
            return Ending(job, State.CANCELLED, error_code="condition_false")
        return _body(running)
    except Cancelled:
        return Ending(job, State.CANCELLED, error_code="cancelled", progress=running.last_progress)
    except DeadlineExceeded:
        return timed_out(job)
    except Stopped:
        return None
    except BaseException as error:  # also what a library ends a process by, as there is only its thread to end
        logger.exception("%s: attempt %d failed", job, job.attempt)
        return failed(job, error)


def timed_out(job: Job) -> Ending:
    return Ending(
        job, State.TIMED_OUT, error_code="deadline_exceeded", error=f"It took longer than {job.timeout_seconds} s."
    )


def failed(job: Job, error: BaseException) -> Ending:
    """A failure for good, or another attempt later where the error says that this can help."""
    code, told = getattr(error, "code", None), f"{type(error).__name__}: {error}"
    code = code if isinstance(code, str) and code else type(error).__name__
    declared = declaration.find(job.name)
    # A job that this worker does not know may be known to a newer one.
    is_temporary = declared.is_temporary(error) if declared else isinstance(error, UnknownJob)
    if is_temporary and job.attempt < job.max_attempts:
        wait = ledger.backoff(declared.rules.backoff_seconds if declared else 2.0, job.attempt - 1)
        wait = max(wait, _asked_seconds(getattr(error, "retry_after", None)))
        at = timezone.now() + timedelta(seconds=wait)
        return Ending(job, State.RETRYING, error_code=code, error=told, retry_at=at)
    return Ending(job, State.FAILED, error_code=code, error=told)


def _asked_seconds(retry_after: object) -> float:
    """How long the error asks us to wait; an hour at most, and nothing where it is no number."""
    is_number = isinstance(retry_after, int | float) and retry_after == retry_after
    return min(max(float(retry_after), 0.0), LONGEST_WAIT_SECONDS) if is_number else 0.0


def _body(running: Current) -> Ending | None:
    declared, job = declaration.named(running.job.name), running.job
    with entered(running):
        if declared.rules.atomic:
            with running.commit() as end:
                end.result = context.checked(declared(**job.arguments))
            return None
        result = declared(**job.arguments)
    if running.ended_as:
        return None
    running.checkpoint()
    return Ending(job, State.COMPLETED, context.checked(result), progress=running.last_progress)
