"""Who may see, submit and use what."""

import uuid

from django.db.models import Q, QuerySet
from rest_framework import exceptions

from monitoring import submissions
from monitoring.api.refusals import TooMany
from monitoring.jobs import declaration
from monitoring.models import Job, JobTemplate

UNENDED_AT_MOST = 100  # tasks of one person who is not of the staff


def require_submit(user, asked: dict) -> None:
    """Refuse what this user may not submit, be it the job or one of those with it."""
    for step in submissions.tasks(asked):
        declared = declaration.find(step["task"])  # an unknown one is refused with its place, later
        if declared and not declared.allows(user):
            raise exceptions.PermissionDenied(f"Only staff may submit {step['task']}.")


def require_room(user, more: int) -> None:
    """A bound on what one person may have waiting, so that there is room for the others."""
    unended = 0 if user.is_staff else Job.objects.filter(owner=user).exclude(state__in=Job.ENDED).count()
    if unended + more > UNENDED_AT_MOST and not user.is_staff:
        raise TooMany(
            f"{unended} of your tasks have not ended, and {UNENDED_AT_MOST} may wait at once: wait for some, or cancel."
        )


def templates(user) -> QuerySet[JobTemplate]:
    """The templates that this user sees: all for staff, else their own and the staff's."""
    if user.is_staff:
        return JobTemplate.objects.all()
    return JobTemplate.objects.filter(Q(owner=user) | Q(owner__is_staff=True) | Q(owner=None))


def may_use(user, saved: dict) -> bool:
    """Whether every job of a template is still declared, and this user may submit it."""
    kinds = [declaration.find(step["task"]) for step in submissions.tasks(saved)]
    return all(kind is not None and kind.allows(user) for kind in kinds)


def visible(user) -> QuerySet[Job]:
    return Job.objects.all() if user.is_staff else Job.objects.filter(owner=user)


def seen(user, task_id: str) -> Job:
    """The job, if this user may see it: a public one that nobody owns is seen by whoever knows its id, and one that
    several asked us for by whoever is logged in too.
    """
    job = _found(task_id)
    declared = declaration.find(job.name)
    was_never_owned = job.owner_id is None and not job.is_orphan
    audience = declared.rules.audience if declared and was_never_owned else ""
    is_for_people = user.is_authenticated and (audience == "behalf" or job.owner_id == user.pk)
    if not (audience == "user" or user.is_staff or is_for_people):
        raise _unknown(task_id)
    return job


def owned(user, task_id: str) -> Job:
    job = _found(task_id)
    if not (user.is_staff or job.owner_id == user.pk):
        raise _unknown(task_id)
    return job


def _found(task_id: str) -> Job:
    try:
        return Job.objects.get(pk=uuid.UUID(task_id))
    except (ValueError, Job.DoesNotExist):
        raise _unknown(task_id) from None


def _unknown(task_id: str) -> exceptions.NotFound:
    return exceptions.NotFound(f"There is no task {task_id[:40]}, or it is not yours.", "unknown_task")
