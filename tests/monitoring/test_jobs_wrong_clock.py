"""What a clock that was ahead dated is brought back when the clock is right."""

import time
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import reaper
from monitoring.jobs.schedules import TICK
from monitoring.models import Job, ScheduleSlot
from monitoring.tasks import tick
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]


def test_a_job_that_was_submitted_while_the_clock_was_ahead_runs_when_it_is_right(monkeypatch):
    now, ahead = timezone.now(), timezone.now() + timedelta(days=1)
    with monkeypatch.context() as clock:
        clock.setattr(time, "time", ahead.timestamp)
        clock.setattr(timezone, "now", lambda: ahead)
        at_once = jobs.submit("sample.add", {"a": 1})
        in_an_hour = jobs.submit("sample.add", {"a": 2}, not_before=ahead + timedelta(hours=1))
    reaper.heal(now)
    assert [job.pk for job in claims.claim(uuid.uuid4(), 2, now)] == [at_once.pk]
    assert Job.objects.get(pk=in_an_hour.pk).not_before == now + timedelta(hours=1)


@pytest.mark.parametrize(("minutes", "is_brought_back"), [(4.5, False), (5.5, True)])
def test_a_clock_that_is_a_little_ahead_is_right_too(monkeypatch, minutes, is_brought_back):
    now = timezone.now()
    with monkeypatch.context() as clock:
        clock.setattr(timezone, "now", lambda: now + timedelta(minutes=minutes))
        clock.setattr(time, "time", lambda: (now + timedelta(minutes=minutes)).timestamp())
        jobs.submit("sample.add", {"a": 1})
    reaper.heal(now)
    assert bool(claims.claim(uuid.uuid4(), 1, now)) is is_brought_back


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


@pytest.mark.rows
@pytest.mark.parametrize("apart", [timedelta(days=-1), timedelta(days=1)])
def test_a_machine_whose_clock_is_wrong_takes_no_slot_and_brings_no_job_forward(monkeypatch, apart):
    every = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.HOURS)
    asked = '{"job": "sample.add", "arguments": {"a": 1}, "catch_up": true}'
    PeriodicTask.objects.create(name="hourly", task=TICK, interval=every, kwargs=asked)
    later = jobs.submit("sample.add", {"a": 1}, not_before=timezone.now() + timedelta(hours=1))
    real = timezone.now
    with monkeypatch.context() as clock:
        clock.setattr(timezone, "now", lambda: real() + apart)
        for _ in range(2):
            tick()
            reaper.Reaper(wake=lambda: None).round(timezone.now())
    slots = ScheduleSlot.objects.values_list("slot", flat=True)
    assert slots
    assert all(abs(slot - real()) < timedelta(hours=2) for slot in slots)
    assert Job.objects.get(pk=later.pk).not_before == later.not_before


def test_a_job_that_is_asked_for_later_waits():
    later = timezone.now() + timedelta(days=1)
    job = jobs.submit("sample.add", {"a": 1}, not_before=later)
    reaper.heal(timezone.now())
    assert Job.objects.get(pk=job.pk).not_before == later
