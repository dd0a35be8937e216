"""The rows of the jobs as they move from state to state. Every move is a conditional update, so that of two who try one
wins, and the fencing token `attempt` keeps a worker that was given up from writing anything.
"""

import logging
import random
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from monitoring.jobs import changes, doorbell
from monitoring.jobs.errors import Cancelled, Superseded, WrongState, printable
from monitoring.models import Job, JobAttempt

LEASE = timedelta(seconds=12)
ERROR_LENGTH = 2_000
CODE_LENGTH = 64
State = Job.State

LOST = {
    "worker_lost": "Its worker stopped answering: it died, or could not reach the database for longer than a lease.",
    "worker_broke": "A part of its worker broke while it ran.",
}
LOCKED = (1205, 1213)
_Answer = TypeVar("_Answer")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended. retry_at: with the state retrying. outcome: the attempt's word where not the state."""

    job: Job
    state: str
    result: Any = None
    error_code: str = ""
    error: str = ""
    retry_at: datetime | None = None
    outcome: str = ""
    wrote: list | None = None
    progress: dict | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "error_code", printable(self.error_code, CODE_LENGTH))
        object.__setattr__(self, "error", printable(self.error, ERROR_LENGTH))


def claim(worker: uuid.UUID, limit: int, now: datetime) -> list[Job]:
    """Take up to `limit` of the best due jobs: highest priority, then oldest. Empty where another took them first."""
    # SQLite's transactions take the write lock, so look first.
    if connection.vendor == "sqlite" and not Job.objects.due(now).exists():
        return []
    return patiently(partial(_claim, worker, limit, now))


def complete(job: Job, result: Any, wrote: list | None, progress: dict | None) -> None:
    """End a job well, in the transaction of the rows it wrote. Raises Cancelled or Superseded, so they roll back."""
    if end_one(Ending(job, State.COMPLETED, result, wrote=wrote, progress=progress)):
        return
    raise Cancelled() if is_cancelled(job) else Superseded()


def hold(job: Job, progress: dict) -> None:
    """Write a part's progress inside the part's transaction, as the holder. Raises Cancelled or Superseded."""
    if not held(job).filter(cancel_requested_at=None).update(**progress):
        raise Cancelled() if is_cancelled(job) else Superseded()
    tell([job], progress)


def end_one(ending: Ending, **guard: object) -> bool:
    """End one attempt where it still runs, with what follows from it. In the caller's transaction if there is one.

    Of a job whose cancel was accepted every ending but completion, which is refused, is its cancellation.
    """
    with transaction.atomic():
        if ending.state not in (State.COMPLETED, State.CANCELLED) and _is_cancelled(ending.job, guard):
            ending = replace(ending, state=State.CANCELLED, error_code="cancelled", retry_at=None)
        return _end(ending, guard)


def _end(ending: Ending, guard: dict) -> bool:
    job, now = ending.job, timezone.now()
    rows = held(job).filter(**guard)
    if ending.state == State.COMPLETED:
        rows = rows.filter(cancel_requested_at=None)
    if not rows.update(**_ended(ending, now)):
        return False
    if ending.state != State.COMPLETED:
        _remember_attempt(ending, now)
    if ending.state != State.RETRYING and job.then_id:
        follow(job.then_id, is_completed=ending.state == State.COMPLETED)
    tell([job], _told(ending))
    return True


def _is_cancelled(job: Job, guard: dict) -> bool:
    """Whether a cancel was accepted; the row stays locked, so that none is accepted before the end is written."""
    row = held(job).filter(**guard).select_for_update().values_list("cancel_requested_at", flat=True).first()
    return row is not None


def follow(then: uuid.UUID, *, is_completed: bool) -> None:
    """One of the jobs before `then` ended: it may run when it was the last, and is given up where it needed success."""
    now = timezone.now()
    waiting = Job.objects.filter(pk=then, state=State.PENDING, waits__gt=0)
    if not is_completed and waiting.filter(runs_after=Job.RunsAfter.SUCCESS).exists():
        return give_up(then, "previous_failed")
    waiting.update(waits=F("waits") - 1)
    if Job.objects.filter(pk=then, state=State.PENDING, waits=0, lane=None).update(lane=F("priority"), not_before=now):
        transaction.on_commit(doorbell.ring)
    return None


def give_up(pk: uuid.UUID, code: str) -> bool:
    """Cancel a waiting job, and with it those that wait for its success."""
    now = timezone.now()
    job = Job.objects.filter(pk=pk).first()
    with transaction.atomic():
        waiting = Job.objects.filter(pk=pk, state__in=Job.WAITING)
        if not waiting.update(state=State.CANCELLED, lane=None, error_code=code, error="", finished_at=now):
            return False
        if job.then_id:
            follow(job.then_id, is_completed=False)
        tell([job], {"state": State.CANCELLED, "error_code": code})
    return True


def cancel(pk: uuid.UUID) -> str:
    """Cancel a job: at once where it waits, at its next checkpoint or commit where it runs. Returns its state.

    Once this returned, the job never completes. Raises WrongState where it had ended before.
    """
    if patiently(partial(give_up, pk, "cancelled")):
        return State.CANCELLED
    asked = Job.objects.filter(pk=pk, state=State.RUNNING)
    if patiently(partial(asked.update, cancel_requested_at=timezone.now())):
        return State.RUNNING
    state = Job.objects.values_list("state", flat=True).get(pk=pk)
    if state in Job.WAITING:  # it went back to waiting between the two
        return cancel(pk)
    if state == State.CANCELLED:
        return state
    raise WrongState(f"The job is {state}; only one that waits or runs can be cancelled.")


def retry(job: Job, attempts: int) -> None:
    """Run an ended job again, in the same row, once those before it have ended as it needs them to.

    Raises WrongState where it has not ended, or did so well, or a job before it must run again first.
    """
    again = Job.objects.filter(pk=job.pk, state__in=[State.FAILED, State.CANCELLED, State.TIMED_OUT])
    fresh = {"error_code": "", "error": "", "finished_at": None, "cancel_requested_at": None, "losses": 0}
    fresh |= {"state": State.PENDING, "worker": None, "max_attempts": F("attempt") + attempts}
    with transaction.atomic():
        waits = _unended_before(job)
        at = max(job.not_before, timezone.now())
        lane = {"lane": None if waits else F("priority"), "not_before": at, "waits": waits}
        if not again.update(**fresh, **lane):
            raise WrongState(f"The job is {job.state}; only one that failed, timed out or was cancelled can run again.")
        tell([job], {"state": State.PENDING, "error_code": ""})
        _revive(job.then_id)
        transaction.on_commit(doorbell.ring)


def release(jobs: Iterable[Job]) -> None:
    """Give back what a worker that stops could not finish; the attempt is not held against the job."""
    now = timezone.now()
    for job in jobs:
        told = "Its worker stopped and gave it back; the attempt does not count."
        ending = Ending(job, State.RETRYING, error_code="released", error=told, retry_at=now, outcome="released")
        with transaction.atomic():
            if end_one(ending):
                Job.objects.filter(pk=job.pk, state=State.RETRYING).update(max_attempts=F("max_attempts") + 1)
                transaction.on_commit(doorbell.ring)


def lose(job: Job, code: str, **guard: object) -> bool:
    """An attempt's process is gone: the job is tried again, alone, or put into quarantine after its last attempt."""
    told = LOST.get(code, "The process that ran it died.")
    ending = Ending(job, State.FAILED, error_code=code, error=told, outcome="lost")
    if job.cancel_requested_at:
        ending = Ending(job, State.CANCELLED, error_code="cancelled")
    elif job.attempt < job.max_attempts:
        wait = timedelta(seconds=backoff(1.0, job.losses)) if job.losses else timedelta()
        at = timezone.now() + wait
        ending = Ending(job, State.RETRYING, error_code=code, error=told, retry_at=at, outcome="lost")
    with transaction.atomic():
        if not end_one(ending, **guard):
            return False
        Job.objects.filter(pk=job.pk).update(losses=F("losses") + 1)
        transaction.on_commit(doorbell.ring)
    return True


def extend(worker: uuid.UUID, ids: list[uuid.UUID], now: datetime) -> None:
    """Hold on to the jobs that a worker runs."""
    Job.objects.filter(pk__in=ids, worker=worker, state=State.RUNNING).update(lease_until=now + LEASE)


def held(job: Job) -> QuerySet[Job]:
    """The job's row as long as this attempt of it runs: empty for one that was given up."""
    return Job.objects.filter(pk=job.pk, attempt=job.attempt, state=State.RUNNING)


def backoff(first_seconds: float, earlier: int) -> float:
    """Seconds until the next attempt: doubling, at most ten minutes, with jitter to spread those that failed as one."""
    return min(first_seconds * 2 ** min(earlier, 20), 600.0) * random.uniform(0.5, 1.0)


def tell(jobs: Iterable[Job], news: dict) -> None:
    """Append a change to the list that the feed reads, once it is committed."""
    told = [changes.describe(job, news) for job in jobs]
    transaction.on_commit(lambda: changes.append(told))


def patiently(move: Callable[[], _Answer]) -> _Answer:
    """Try again after a deadlock or a lock that did not come, unless a transaction around us would have to."""
    for attempt in range(4):
        try:
            return move()
        except OperationalError as error:
            is_lock = error.args[0] in LOCKED or "locked" in str(error.args[0])
            if attempt == 3 or not is_lock or connection.in_atomic_block:
                raise
            time.sleep(random.uniform(0, 0.05 * 2**attempt))
    raise AssertionError("unreachable")


def _claim(worker: uuid.UUID, limit: int, now: datetime) -> list[Job]:
    with transaction.atomic():
        jobs = list(Job.objects.due(now).select_for_update(skip_locked=True)[:limit])
        by_timeout = defaultdict(list)
        for job in jobs:
            by_timeout[job.timeout_seconds].append(job.pk)
        taken = {"state": State.RUNNING, "lane": None, "worker": worker, "started_at": now, "lease_until": now + LEASE}
        for seconds, ids in by_timeout.items():
            deadline = now + timedelta(seconds=seconds)
            Job.objects.filter(pk__in=ids).update(**taken, attempt=F("attempt") + 1, deadline_at=deadline)
        for job in jobs:
            job.attempt += 1
            job.started_at, job.worker, job.state = now, worker, State.RUNNING
        tell(jobs, {"state": State.RUNNING, "worker": str(worker)})
    return jobs


def _unended_before(job: Job) -> int:
    """How many jobs must end before this one; locked, so that none ends unseen until we have written how many."""
    before = list(job.before.select_for_update().order_by("pk").values_list("pk", "state"))
    if job.runs_after == Job.RunsAfter.SUCCESS:
        for pk, state in before:
            if state in Job.ENDED and state != State.COMPLETED:
                raise WrongState(f"The job before it, {pk}, is {state}: run that one again, and this one follows.")
    return sum(state not in Job.ENDED for _, state in before)


def _revive(pk: uuid.UUID | None) -> None:
    """What follows a job that runs again waits for it again: what was given up with it, and what has not begun."""
    if pk:  # before the row itself, in the order in which those that end lock them
        list(Job.objects.select_for_update().filter(then=pk).order_by("pk").values_list("pk"))
    job = Job.objects.select_for_update().filter(pk=pk).first() if pk else None
    if job is None:
        return
    if job.runs_after == Job.RunsAfter.END:
        waits = job.before.exclude(state__in=Job.ENDED).count()
        Job.objects.filter(pk=pk, state=State.PENDING).update(waits=waits, lane=None)
    elif job.state == State.CANCELLED and job.error_code == "previous_failed":
        waits = job.before.exclude(state=State.COMPLETED).count()
        Job.objects.filter(pk=pk).update(state=State.PENDING, error_code="", finished_at=None, waits=waits)
        tell([job], {"state": State.PENDING, "error_code": ""})
        _revive(job.then_id)


def is_cancelled(job: Job) -> bool:
    return held(job).filter(cancel_requested_at__isnull=False).exists()


def _ended(ending: Ending, now: datetime) -> dict:
    is_retry = ending.state == State.RETRYING
    row = {"state": ending.state, "lease_until": None, "error_code": ending.error_code}
    row |= {"error": ending.error, **(ending.progress or {})}
    if is_retry:
        return row | {"lane": F("priority"), "not_before": ending.retry_at, "worker": None, "deadline_at": None}
    return row | {"finished_at": now, "result": ending.result, "wrote": ending.wrote}


def _remember_attempt(ending: Ending, now: datetime) -> None:
    job = ending.job
    JobAttempt.objects.create(
        job=job,
        number=job.attempt,
        worker=job.worker,
        started_at=job.started_at,
        ended_at=now,
        outcome=ending.outcome or ending.state,
        error_code=ending.error_code,
        error=ending.error,
    )


def _told(ending: Ending) -> dict:
    return {"state": ending.state, "error_code": ending.error_code, **(ending.progress or {})}
