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
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import reaper
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]


def test_a_row_that_a_frozen_worker_locked_keeps_the_reaper_from_no_other():
    locked, free = (jobs.submit("sample.add", {"a": number}) for number in range(2))
    claims.claim(uuid.uuid4(), 2, timezone.now())
    Job.objects.filter(pk=locked.pk).update(lease_until=timezone.now())
    with _locked(locked):
        reaper.expire(timezone.now() + claims.LEASE + timedelta(seconds=1))
    assert Job.objects.get(pk=free.pk).state == "retrying"


def test_a_job_that_was_submitted_while_the_clock_was_ahead_runs_when_it_is_right():
    at_once, in_an_hour = jobs.submit("sample.add", {"a": 1}), jobs.submit("sample.add", {"a": 2})
    now, ahead = timezone.now(), timedelta(days=1)
    Job.objects.filter(pk=at_once.pk).update(created_at=now + ahead, not_before=now + ahead)
    Job.objects.filter(pk=in_an_hour.pk).update(created_at=now + ahead, not_before=now + ahead + timedelta(hours=1))
    reaper.heal(now)
    assert [job.pk for job in claims.claim(uuid.uuid4(), 2, now)] == [at_once.pk]
    assert Job.objects.get(pk=in_an_hour.pk).not_before == now + timedelta(hours=1)


def test_an_attempt_and_a_lease_of_a_clock_that_was_ahead_are_brought_back():
    held, again = (jobs.submit("sample.add", {"a": number}) for number in range(2))
    now = timezone.now()
    claims.claim(uuid.uuid4(), 1, now)
    Job.objects.filter(pk=held.pk).update(lease_until=now + timedelta(days=1))
    Job.objects.filter(pk=again.pk).update(state="retrying", not_before=now + timedelta(days=1))
    reaper.heal(now)
    reaper.expire(now + claims.LEASE + timedelta(seconds=1))
    assert Job.objects.get(pk=held.pk).state == "retrying"
    assert Job.objects.get(pk=again.pk).not_before == now


def test_a_job_that_is_asked_for_later_waits():
    later = timezone.now() + timedelta(days=1)
    job = jobs.submit("sample.add", {"a": 1}, not_before=later)
    reaper.heal(timezone.now())
    assert Job.objects.get(pk=job.pk).not_before == later


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
