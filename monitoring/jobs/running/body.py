"""The body of a job, from its first line to its ending. Used by a worker's threads and by an isolated process."""

import logging
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.utils import timezone

from monitoring.jobs import declaration
from monitoring.jobs.declaration import Rules
from monitoring.jobs.ending import attempts
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.errors import Cancelled, DeadlineExceeded, Stopped
from monitoring.jobs.running import context
from monitoring.jobs.running.context import Current, entered
from monitoring.models import Job

LONGEST_WAIT_SECONDS = 3600.0
State = Job.State
logger = logging.getLogger(__name__)


def run(current: Current) -> Ending | None:
    """Run the body. Returns how it ended, for the ledger to write; None where nothing is left to write."""
    job = current.job
    try:
        if not _is_allowed(job):
            told = "Whoever asked for it may not have it run any more."
            return Ending(job, State.CANCELLED, error_code="rights_ended", error=told)
        if not declaration.holds(job.condition):
            return Ending(job, State.CANCELLED, error_code="condition_false")
        return _body(current)
    except Cancelled:
        return Ending(job, State.CANCELLED, error_code="cancelled", progress=current.last_progress)
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
    rules = declared.rules if declared else Rules()
    if declaration.is_temporary(error, rules) and job.tried < job.max_attempts:
        wait = attempts.backoff(rules.backoff_seconds, job.tried - 1)
        wait = max(wait, _asked_seconds(getattr(error, "retry_after", None)))
        at = timezone.now() + timedelta(seconds=wait)
        return Ending(job, State.RETRYING, error_code=code, error=told, retry_at=at)
    return Ending(job, State.FAILED, error_code=code, error=told)


def _asked_seconds(retry_after: object) -> float:
    """How long the error asks us to wait; an hour at most, and nothing where it is no number."""
    is_number = isinstance(retry_after, int | float) and retry_after == retry_after
    return min(max(float(retry_after), 0.0), LONGEST_WAIT_SECONDS) if is_number else 0.0


def _is_allowed(job: Job) -> bool:
    """Whether whoever asked for it still may: it waits, and is tried again, for longer than rights may last."""
    declared = declaration.find(job.name)
    if declared is None or job.owner_id is None:
        return not job.is_orphan
    owner = get_user_model().objects.filter(pk=job.owner_id).first()
    return owner is not None and declared.runs_for(owner)


def _body(current: Current) -> Ending | None:
    declared, job = declaration.named(current.job.name), current.job
    with entered(current):
        result = declared.work(job.arguments)
    if current.ended_as:
        return None
    current.checkpoint()
    facts = {"progress": current.last_progress, "parts": current.parts}
    return Ending(job, State.COMPLETED, context.checked(result), **facts)
