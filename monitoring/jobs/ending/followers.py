"""What waits behind a job: it may run when all before it have ended, and is given up where it needed their success.

A job has one follower at most, so those behind it are a path, which is read and written many rows at once. All of it
happens in the caller's transaction.
"""

import uuid
from collections.abc import Iterator
from itertools import takewhile

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from monitoring.jobs import doorbell
from monitoring.jobs.telling import changes
from monitoring.models import Job

STRIDE = 400  # rows of a path at once: servers bound how deep a recursive query goes
State = Job.State

# What the rows behind the first are, in order. Column names are those of the model.
PATH = f"""
    WITH RECURSIVE path (id, then_id, depth) AS (
        SELECT id, then_id, 1 FROM {Job._meta.db_table} WHERE id = %s
        UNION ALL
        SELECT job.id, job.then_id, path.depth + 1 FROM {Job._meta.db_table} job
        JOIN path ON job.id = path.then_id WHERE path.depth < {STRIDE}
    )
    SELECT id, then_id FROM path ORDER BY depth
"""


def one_ended(then: uuid.UUID, *, is_completed: bool, nowait: bool = False) -> None:
    """One of the jobs before `then` ended: it may run when it was the last, and is given up where it needed success."""
    first = then if is_completed else _give_up(then, nowait=nowait)
    job = _locked(first, nowait=nowait)
    if job is None or job.state != State.PENDING or not job.waits:
        return
    opened = {} if job.waits > 1 else {"lane": F("priority"), "not_before": timezone.now()}
    Job.objects.filter(pk=job.pk).update(waits=job.waits - 1, **opened)
    if opened:
        transaction.on_commit(doorbell.ring)


def revive(then: uuid.UUID | None) -> None:
    """What follows a job that runs again waits for it again: what was given up with it, and what has not begun."""
    for path in _paths(then, nowait=True, with_before=True):
        given_up = list(takewhile(_was_given_up, path))
        # Each still waits for the one before it: nobody counts down what was given up.
        again = {"state": State.PENDING, "error_code": "", "finished_at": None}
        Job.objects.filter(pk__in=[job.pk for job in given_up]).update(**again)
        changes.after_commit(given_up, {"state": State.PENDING, "error_code": ""})
        if len(given_up) < len(path):
            last = path[len(given_up)]
            if last.runs_after == Job.RunsAfter.END and last.state == State.PENDING:
                waits = last.before.exclude(state__in=Job.ENDED).count()
                Job.objects.filter(pk=last.pk).update(waits=waits, lane=None)
            return


def _give_up(first: uuid.UUID, *, nowait: bool) -> uuid.UUID | None:
    """Cancel the waiting jobs that needed the success of one before. Returns the first that did not."""
    now = timezone.now()
    for path in _paths(first, nowait=nowait):
        lost = list(takewhile(_needs_success, path))
        told = {"state": State.CANCELLED, "error_code": "previous_failed"}
        Job.objects.filter(pk__in=[job.pk for job in lost]).update(**told, lane=None, error="", finished_at=now)
        changes.after_commit(lost, told)
        if len(lost) < len(path):
            return path[len(lost)].pk
    return None


def _needs_success(job: Job) -> bool:
    return job.state == State.PENDING and job.waits > 0 and job.runs_after == Job.RunsAfter.SUCCESS


def _was_given_up(job: Job) -> bool:
    is_for_want = job.state == State.CANCELLED and job.error_code == "previous_failed"
    return is_for_want and job.runs_after == Job.RunsAfter.SUCCESS


def _paths(first: uuid.UUID | None, *, nowait: bool, with_before: bool = False) -> Iterator[list[Job]]:
    """The job and those behind it, locked, a stride at a time. with_before: and those before each of them."""
    while first is not None:
        stride = list(Job.objects.raw(PATH, [Job._meta.pk.get_db_prep_value(first, connection)]))
        if not stride:
            return
        ids = [job.pk for job in stride]
        if with_before:  # first, in the order in which those that end lock rows
            list(_rows(nowait=nowait).filter(then__in=ids).order_by("pk"))
        locked = {job.pk: job for job in _rows(nowait=nowait).filter(pk__in=ids).order_by("pk")}
        yield [locked[pk] for pk in ids if pk in locked]
        first = stride[-1].then_id


def _locked(pk: uuid.UUID | None, *, nowait: bool) -> Job | None:
    return _rows(nowait=nowait).filter(pk=pk).first() if pk else None


def _rows(*, nowait: bool) -> QuerySet[Job]:
    facts = ("name", "about", "priority", "attempt", "given_back", "state", "error_code", "waits", "runs_after", "then")
    return Job.objects.select_for_update(nowait=nowait).only(*facts)
