"""How one attempt of a job ends. Every end is a conditional update of the row as this attempt holds it, so that of two
who try one wins, and the fencing token `attempt` keeps a worker that was given up from writing anything.
"""

import logging
import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from monitoring.jobs import doorbell
from monitoring.jobs.ending import followers, parts
from monitoring.jobs.errors import Cancelled, Superseded, printable
from monitoring.jobs.telling import changes
from monitoring.models import Job, JobAttempt

ERROR_LENGTH = 2_000
CODE_LENGTH = 64
State = Job.State

LOST = {
    "worker_lost": "Its worker stopped answering: it died, or could not reach the database for longer than a lease.",
    "worker_broke": "A part of its worker broke while it ran.",
}
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended. retry_at: with the state retrying. outcome: the attempt's word where not the state.

    parts: what became of each part of a completed job, by name: why it failed, or an empty text. losses: how many
    workers or processes died over it.
    """

    job: Job
    state: str
    result: Any = None
    error_code: str = ""
    error: str = ""
    retry_at: datetime | None = None
    outcome: str = ""
    wrote: list | None = None
    progress: dict | None = None
    parts: dict[str, str] | None = None
    losses: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "error_code", printable(self.error_code, CODE_LENGTH))
        object.__setattr__(self, "error", printable(self.error, ERROR_LENGTH))


def complete(job: Job, result: Any, **facts: Any) -> None:
    """End a job well, in the transaction of the rows it wrote. Raises Cancelled or Superseded, so they roll back.

    facts: those of an Ending: wrote, progress, parts.
    """
    if end(Ending(job, State.COMPLETED, result, **facts)):
        return
    raise Cancelled() if is_cancelled(job) else Superseded()


def end(ending: Ending, *, nowait: bool = False, **guard: object) -> bool:
    """End one attempt where it still runs, with what follows from it. In the caller's transaction if there is one.

    Of a job whose cancel was accepted every ending but completion, which is refused, is its cancellation.
    nowait: raise OperationalError at once where the row or a follower's is locked.
    """
    with transaction.atomic():
        rows = Job.objects.of_attempt(ending.job).filter(**guard)
        # Locked, so that no cancel is accepted before the end is written.
        row = rows.select_for_update(nowait=nowait).values("cancel_requested_at").first()
        if row is None or (row["cancel_requested_at"] and ending.state == State.COMPLETED):
            return False
        if row["cancel_requested_at"] and ending.state != State.CANCELLED:
            ending = replace(ending, state=State.CANCELLED, error_code="cancelled", retry_at=None)
        return _end(ending, nowait=nowait)


def _end(ending: Ending, *, nowait: bool) -> bool:
    job, now = ending.job, timezone.now()
    if not Job.objects.of_attempt(job).update(**_ended(ending, now)):
        return False
    if ending.state != State.COMPLETED:
        _remember_attempt(ending, now)
    if ending.state != State.RETRYING and job.then_id:
        followers.one_ended(job.then_id, is_completed=ending.state == State.COMPLETED, nowait=nowait)
    changes.after_commit([job], _told(ending))
    return True


def release(job: Job) -> None:
    """Give back what a worker that stops could not finish; the attempt is not held against the job."""
    told = "Its worker stopped and gave it back; the attempt does not count."
    now = timezone.now()
    ending = Ending(job, State.RETRYING, error_code="released", error=told, retry_at=now, outcome="released")
    with transaction.atomic():
        if end(ending, nowait=True):
            Job.objects.filter(pk=job.pk, state=State.RETRYING).update(max_attempts=F("max_attempts") + 1)
            transaction.on_commit(doorbell.ring)


def lose(job: Job, code: str, **guard: object) -> bool:
    """Write that an attempt's process is gone. Raises OperationalError where its row is locked."""
    with transaction.atomic():
        if not end(lost(job, code), nowait=True, **guard):
            return False
        transaction.on_commit(doorbell.ring)
    return True


def lost(job: Job, code: str) -> Ending:
    """An attempt's process is gone: the job is tried again, alone, or put into quarantine after its last attempt."""
    told = LOST.get(code, "The process that ran it died.")
    if job.cancel_requested_at:
        return Ending(job, State.CANCELLED, error_code="cancelled", losses=1)
    facts = {"error_code": code, "error": told, "outcome": "lost", "losses": 1}
    if job.tried >= job.max_attempts:
        return Ending(job, State.FAILED, **facts)
    wait = timedelta(seconds=backoff(1.0, job.losses)) if job.losses else timedelta()
    return Ending(job, State.RETRYING, retry_at=timezone.now() + wait, **facts)


def is_cancelled(job: Job) -> bool:
    return Job.objects.of_attempt(job).filter(cancel_requested_at__isnull=False).exists()


def backoff(first_seconds: float, earlier: int) -> float:
    """Seconds until the next attempt: doubling, at most ten minutes, with jitter to spread those that failed as one."""
    return min(first_seconds * 2 ** min(earlier, 20), 600.0) * random.uniform(0.5, 1.0)


def _ended(ending: Ending, now: datetime) -> dict:
    is_retry = ending.state == State.RETRYING
    row = {"state": ending.state, "lease_until": None, "error_code": ending.error_code}
    row |= {"error": ending.error, **(ending.progress or {})}
    if ending.losses:
        row["losses"] = F("losses") + ending.losses
    if is_retry:
        return row | {"lane": F("priority"), "not_before": ending.retry_at, "worker": None, "deadline_at": None}
    came = parts.row(ending.parts) if ending.state == State.COMPLETED else {}
    return row | {"finished_at": now, "result": ending.result, "wrote": ending.wrote} | came


def _remember_attempt(ending: Ending, now: datetime) -> None:
    job = ending.job
    JobAttempt.objects.create(
        job=job,
        number=job.tried,
        worker=job.worker,
        started_at=job.started_at,
        ended_at=now,
        outcome=ending.outcome or ending.state,
        error_code=ending.error_code,
        error=ending.error,
    )


def _told(ending: Ending) -> dict:
    came = parts.told(ending.parts) if ending.state == State.COMPLETED else {}
    return {"state": ending.state, "error_code": ending.error_code, **(ending.progress or {}), **came}
