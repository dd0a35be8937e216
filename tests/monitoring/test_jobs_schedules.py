"""Each planned time of a schedule is taken once: after a pause, beside a job that still runs, where its row changes."""

import json
from datetime import timedelta

import pytest
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, PeriodicTask

from monitoring.jobs import schedules
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.plans import NOON, planned, taken


def test_a_slot_is_submitted_once_however_often_beat_ticks(hourly):
    assert [schedules.run_due(NOON) for _ in range(3)] == [1, 0, 0]
    assert taken(hourly) == [NOON]
    assert Job.objects.filter(name="sample.add").count() == 1


def test_the_newest_of_the_missed_slots_runs_and_says_how_many_were_missed(hourly):
    schedules.run_due(NOON)
    Job.objects.update(state="completed", lane=None)
    schedules.run_due(NOON + timedelta(hours=5, minutes=7))
    assert taken(hourly) == [NOON, NOON + timedelta(hours=5)]
    assert hourly.slots.first().reason == "4 missed before it"


def test_a_slot_whose_predecessor_has_not_ended_is_refused_and_says_so(hourly):
    schedules.run_due(NOON)
    schedules.run_due(NOON + timedelta(hours=1))
    newest = hourly.slots.first()
    assert (newest.outcome, newest.job) == ("refused", None)
    assert newest.reason.startswith("sample.add ")
    Job.objects.update(state="completed", lane=None)
    schedules.run_due(NOON + timedelta(hours=2))
    assert hourly.slots.first().outcome == "submitted"


@pytest.mark.django_db
def test_a_schedule_that_catches_up_runs_every_missed_slot():
    schedule = planned("0 * * * *", "UTC", catch_up=True)
    schedules.run_due(NOON)
    schedules.run_due(NOON + timedelta(hours=5, minutes=7))
    assert taken(schedule) == [NOON + timedelta(hours=hour) for hour in range(6)]


def test_a_new_schedule_that_no_tick_saw_in_time_still_runs(hourly):
    schedules.run_due(NOON - timedelta(minutes=50))
    schedules.run_due(NOON + timedelta(minutes=50))
    assert taken(hourly) == [NOON]


def test_a_changed_schedule_has_no_missed_slots(hourly):
    schedules.run_due(NOON)
    hourly.crontab = CrontabSchedule.objects.create(minute="30", timezone="UTC")
    hourly.save()
    schedules.run_due(NOON + timedelta(minutes=45))
    schedules.run_due(NOON + timedelta(minutes=95))
    assert taken(hourly) == [NOON, NOON + timedelta(minutes=90)]


def test_a_schedule_for_once_runs_once_and_is_switched_off(hourly):
    PeriodicTask.objects.filter(pk=hourly.pk).update(one_off=True)
    for hours in range(4):
        schedules.run_due(NOON + timedelta(hours=hours))
    assert taken(hourly) == [NOON]
    hourly.refresh_from_db()
    assert (hourly.enabled, hourly.total_run_count) == (False, 1)


@pytest.mark.parametrize(("field", "hours"), [("start_time", [2, 3]), ("expires", [0, 1, 2])])
def test_a_schedule_runs_from_its_start_to_its_end(hourly, field, hours):
    PeriodicTask.objects.filter(pk=hourly.pk).update(**{field: NOON + timedelta(hours=2)})
    for hour in range(4):
        Job.objects.update(state="completed", lane=None)
        schedules.run_due(NOON + timedelta(hours=hour))
    assert taken(hourly) == [NOON + timedelta(hours=hour) for hour in hours]


@pytest.mark.django_db
def test_an_instant_is_a_schedule_too():
    at = ClockedSchedule.objects.create(clocked_time=NOON)
    asked = json.dumps({"job": "sample.add", "arguments": {"a": 1}})
    schedule = PeriodicTask.objects.create(name="at", task=schedules.TICK, clocked=at, one_off=True, kwargs=asked)
    for minutes in (-3, -1, 1, 3):
        schedules.run_due(NOON + timedelta(minutes=minutes))
    assert taken(schedule) == [NOON]


def test_a_schedule_that_was_switched_off_has_missed_nothing(hourly):
    schedules.run_due(NOON)
    Job.objects.update(state="completed", lane=None)
    PeriodicTask.objects.filter(pk=hourly.pk).update(enabled=False)
    assert schedules.run_due(NOON + timedelta(minutes=30)) == 0
    PeriodicTask.objects.filter(pk=hourly.pk).update(enabled=True)
    schedules.run_due(NOON + timedelta(hours=2, minutes=30))
    schedules.run_due(NOON + timedelta(hours=3))
    assert taken(hourly) == [NOON, NOON + timedelta(hours=3)]
