"""How long the ledger remembers."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import OperationalError, connection
from django.db.models import Exists, OuterRef, QuerySet

from monitoring import turns
from monitoring.jobs.database import is_locked
from monitoring.jobs.running.context import current
from monitoring.models import Job, JobSubject, ScheduleSlot, Worker

AT_ONCE = 200
PASSED_AT_MOST = 1_000  # rows that others hold: with more of them the next night is early enough
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
    """A few at a time, each in a turn of its own: what is found outside it keeps nobody from writing. Rows that
    somebody else holds are passed over.
    """
    deleted, passed = 0, []
    while len(passed) < PASSED_AT_MOST and (ids := list(_but(rows, passed).values_list("pk", flat=True)[:AT_ONCE])):
        gone = _delete_free(rows, ids)
        deleted += len(gone)
        passed += set(ids) - set(gone)
        tell(deleted)
    return deleted


def _but(rows: QuerySet, passed: list) -> QuerySet:
    return rows.exclude(pk__in=passed) if passed else rows


def _delete_free(rows: QuerySet, ids: list) -> list:
    """Delete those that are still to go, as one that ended may run again meanwhile. Returns which."""
    try:
        with turns.taken():
            still = rows.filter(pk__in=ids).order_by()
            if connection.features.has_select_for_update_skip_locked:
                still = still.select_for_update(skip_locked=True)
            gone = list(still.values_list("pk", flat=True))
            rows.model.objects.filter(pk__in=gone).delete()
            return gone
    except OperationalError as error:  # MariaDB reads a small table whole, and waits for rows that are none of these
        if connection.vendor == "sqlite" or not is_locked(error):
            raise
    return [pk for each in ids for pk in _delete_free(rows, [each])] if len(ids) > 1 else []
