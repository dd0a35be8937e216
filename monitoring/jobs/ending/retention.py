"""How long the ledger remembers."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from monitoring import turns
from monitoring.jobs.running.context import current
from monitoring.models import Job, JobSubject, ScheduleSlot, Worker

AT_ONCE = 200
SLOTS_LONGER = timedelta(days=35)  # the last slot of a monthly schedule says where the next begins


def delete_before(instant: datetime) -> dict:
    """Delete jobs that ended before, with their attempts, and old slots and workers; oldest first, a few at a time."""
    deleted = 0
    while ids := list(_ended_before(instant)):
        with turns.taken():
            Job.objects.filter(pk__in=ids).delete()
        deleted += len(ids)
        current().progress(deleted)
    # A version before this one deletes jobs and knows nothing of these rows.
    JobSubject.objects.filter(~Exists(Job.objects.filter(pk=OuterRef("job_id")))).delete()
    slots = ScheduleSlot.objects.filter(claimed_at__lt=instant - SLOTS_LONGER).delete()[0]
    workers = Worker.objects.filter(heartbeat_at__lt=instant).delete()[0]
    return {"jobs": deleted, "slots": slots, "workers": workers}


def _ended_before(instant: datetime) -> list:
    ended = Job.objects.filter(finished_at__lt=instant, state__in=Job.ENDED).order_by("finished_at")
    return list(ended.values_list("pk", flat=True)[:AT_ONCE])
