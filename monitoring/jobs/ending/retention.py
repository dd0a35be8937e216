"""How long the ledger remembers."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from monitoring import turns
from monitoring.jobs.running.context import current
from monitoring.models import Job, JobSubject, ScheduleSlot, Worker

AT_ONCE = 200
SLOTS_LONGER = timedelta(days=35)  # the last slot of a monthly schedule says where the next begins


def delete_before(instant: datetime) -> dict:
    """Delete jobs that ended before, with their attempts, and old slots and workers; oldest first, a few at a time."""
    ended = Job.objects.filter(finished_at__lt=instant, state__in=Job.ENDED).order_by("finished_at")
    # A version before this one deletes jobs and knows nothing of these rows.
    orphans = JobSubject.objects.filter(~Exists(Job.objects.filter(pk=OuterRef("job_id")))).order_by()
    slots = ScheduleSlot.objects.filter(claimed_at__lt=instant - SLOTS_LONGER).order_by()
    workers = Worker.objects.filter(heartbeat_at__lt=instant).order_by()
    deleted = {"jobs": _delete(ended, tell=current().progress)}
    _delete(orphans)
    return deleted | {"slots": _delete(slots), "workers": _delete(workers)}


def _delete(rows: QuerySet, tell: Callable[[int], object] = lambda _: None) -> int:
    """A few at a time, each in a turn of its own: what is found outside it keeps nobody from writing."""
    deleted = 0
    while ids := list(rows.values_list("pk", flat=True)[:AT_ONCE]):
        with turns.taken():
            rows.model.objects.filter(pk__in=ids).delete()
        deleted += len(ids)
        tell(deleted)
    return deleted
