"""Running an ended job again, in its row."""

import uuid
from functools import partial

from django.db import OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from monitoring.jobs import declaration, doorbell
from monitoring.jobs.database import is_locked, patiently
from monitoring.jobs.ending import followers
from monitoring.jobs.errors import Busy, WrongState
from monitoring.jobs.telling import changes
from monitoring.models import Job

State = Job.State


def retry(pk: uuid.UUID) -> Job:
    """Run a job again that failed, timed out or was cancelled, with all the attempts that were asked
    for, once those before it have ended as it needs them to.

    Raises UnknownJob, WrongState where it has not ended or did so well or a job before it must run again first, Busy
    where its row or one beside it is locked for longer than a moment.
    """
    job = Job.objects.get(pk=pk)
    usual = declaration.named(job.name).rules.max_attempts
    # A version before this one did not say what was asked: at least it was no more than the row was given.
    attempts = job.attempts_asked or min(usual, job.max_attempts)
    try:
        patiently(partial(_retry, job, attempts))
    except OperationalError as error:
        if not is_locked(error):
            raise
        raise Busy(f"The job {pk} or one beside it is being written by somebody else. Try again.") from error
    return Job.objects.get(pk=pk)


def _retry(job: Job, attempts: int) -> None:
    again = Job.objects.filter(pk=job.pk, state__in=[State.FAILED, State.CANCELLED, State.TIMED_OUT])
    fresh = {"error_code": "", "error": "", "finished_at": None, "cancel_requested_at": None, "losses": 0}
    fresh |= {"state": State.PENDING, "worker": None, "max_attempts": F("attempt") - F("given_back") + attempts}
    with transaction.atomic():
        waits = _unended_before(job)
        Job.objects.select_for_update(nowait=True).filter(pk=job.pk).values_list("pk").first()
        at = max(job.not_before, timezone.now())
        lane = {"lane": None if waits else F("priority"), "not_before": at, "waits": waits}
        if not again.update(**fresh, **lane):
            raise WrongState(f"The job is {job.state}; only one that failed, timed out or was cancelled can run again.")
        changes.after_commit([job], {"state": State.PENDING, "error_code": ""})
        followers.revive(job.then_id)
        transaction.on_commit(doorbell.ring)


def _unended_before(job: Job) -> int:
    """How many jobs must end before this one; locked, so that none ends unseen until we have written how many."""
    before = list(job.before.select_for_update(nowait=True).order_by("pk").values_list("pk", "state"))
    if job.runs_after == Job.RunsAfter.SUCCESS:
        for pk, state in before:
            if state in Job.ENDED and state != State.COMPLETED:
                raise WrongState(f"The job before it, {pk}, is {state}: run that one again, and this one follows.")
    return sum(state not in Job.ENDED for _, state in before)
