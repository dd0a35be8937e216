"""The reaper and rows that it cannot have: another holds their lock."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs import ledger, reaper
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]


def test_a_row_that_a_frozen_worker_locked_keeps_the_reaper_from_no_other():
    locked, free = (jobs.submit("sample.add", {"a": number}) for number in range(2))
    ledger.claim(uuid.uuid4(), 2, timezone.now())
    Job.objects.filter(pk=locked.pk).update(lease_until=timezone.now())
    with _locked(locked):
        reaper.expire(timezone.now() + ledger.LEASE + timedelta(seconds=1))
    assert Job.objects.get(pk=free.pk).state == "retrying"


@contextmanager
def _locked(job: Job) -> Iterator[None]:
    """By another's transaction that goes no further. SQLite has no locks of rows: there it locks none."""
    is_locked, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Job.objects.select_for_update().get(pk=job.pk)
            is_locked.set()
            may_end.wait(30)
        connection.close()

    holder = threading.Thread(target=hold)
    if connection.vendor != "sqlite":
        holder.start()
        assert is_locked.wait(10)
    try:
        yield
    finally:
        may_end.set()
        if holder.is_alive():
            holder.join()
