"""Cancelling a job, by whoever asks: at once where it waits, at its next checkpoint or commit where it runs."""

import uuid
from functools import partial

from django.db import OperationalError, transaction
from django.utils import timezone

from monitoring.jobs.database import is_locked, patiently
from monitoring.jobs.ending import followers
from monitoring.jobs.errors import Busy, WrongState
from monitoring.jobs.telling import changes
from monitoring.models import Job

State = Job.State


def cancel(pk: uuid.UUID) -> str:
    """Cancel a job, and with it those that wait for its success. Returns its state.

    Once this returned, the job never completes. Raises WrongState where it had ended before, Busy where its row is
    locked for longer than a moment.
    """
    try:
        return patiently(partial(_cancel, pk))
    except OperationalError as error:
        if not is_locked(error):
            raise
        raise Busy(f"The job {pk} is being written by somebody else. Try again.") from error


def _cancel(pk: uuid.UUID) -> str:
    with transaction.atomic():
        job = Job.objects.select_for_update(nowait=True).defer("arguments", "result", "wrote").get(pk=pk)
        if job.state in Job.WAITING:
            _give_up(job)
            return State.CANCELLED
        if job.state == State.RUNNING:
            Job.objects.filter(pk=pk).update(cancel_requested_at=timezone.now())
        elif job.state != State.CANCELLED:
            raise WrongState(f"The job is {job.state}; only one that waits or runs can be cancelled.")
        return job.state


def _give_up(job: Job) -> None:
    told = {"state": State.CANCELLED, "error_code": "cancelled"}
    Job.objects.filter(pk=job.pk).update(**told, lane=None, error="", finished_at=timezone.now())
    if job.then_id:
        followers.one_ended(job.then_id, is_completed=False, nowait=True)
    changes.after_commit([job], told)
