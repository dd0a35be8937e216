"""Beat ticks, alone or twice, and reads no row that could stop it; a new database comes with schedules, each once."""

import json
import time
from datetime import timedelta

import pytest
from celery import current_app
from django_celery_beat.models import IntervalSchedule, PeriodicTask, SolarSchedule

from finstage.beat import Scheduler
from monitoring.jobs import schedules
from monitoring.models import Job, ScheduleSlot
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.plans import MINUTE, taken


@pytest.mark.db
def test_two_beats_run_each_slot_once(start_worker, start_beat):
    second, _ = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.SECONDS)
    asked = json.dumps({"job": "sample.add", "arguments": {"a": 1}, "catch_up": True})
    schedule = PeriodicTask.objects.create(name="often", task=schedules.TICK, interval=second, kwargs=asked)
    start_worker()
    start_beat(), start_beat()
    until = time.monotonic() + 120
    while ScheduleSlot.objects.filter(schedule=schedule).count() < 130 and time.monotonic() < until:
        time.sleep(0.2)
    slots = taken(schedule)
    assert len(slots) >= 128  # two minutes that a new schedule looks back, and some that came
    assert slots == [slots[0] + timedelta(seconds=n) for n in range(len(slots))]
    assert Job.objects.filter(name="sample.add").count() == len(slots)


@pytest.mark.db
def test_beat_brings_the_records_of_highs_and_lows(apple, start_worker, start_beat):
    schedules.seed()  # tests that commit leave an empty database
    often = {"task": schedules.TICK, "enabled": True, "kwargs": json.dumps({"job": "market.records"})}
    second, _ = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.filter(name="market.records").update(**often, crontab=None, interval=second)
    start_worker(app="finstage")
    start_beat()
    until = time.monotonic() + 120
    while not Job.objects.filter(name="market.records", state="failed").exists() and time.monotonic() < until:
        time.sleep(0.1)
    done = Job.objects.filter(name="market.records").order_by("id").first()
    assert (done.state, done.error_code) == ("failed", "nothing_done")  # AAPL has no bars here


@pytest.mark.django_db
def test_a_new_database_has_the_schedules_that_the_jobs_come_with():
    schedules.seed()
    assert {"monitoring.tick", "monitoring.retention", "market.records"} <= set(
        PeriodicTask.objects.values_list("name", flat=True)
    )
    tick = PeriodicTask.objects.get(name="monitoring.tick")
    assert (tick.task, tick.interval.schedule.run_every, tick.expire_seconds) == (schedules.TICK, MINUTE, 60)


@pytest.mark.django_db
def test_what_people_made_of_a_schedule_stays_so_at_the_next_start():
    schedules.seed()
    PeriodicTask.objects.filter(name="market.records").update(name="Highs and lows")
    PeriodicTask.objects.filter(name="market.previous_close").delete()
    schedules.seed()
    names = set(PeriodicTask.objects.values_list("name", flat=True))
    assert names >= {"Highs and lows", "market.history"}
    assert not names & {"market.records", "market.previous_close"}


@pytest.mark.django_db
def test_beat_reads_no_schedule_that_could_stop_it_or_that_it_would_switch_off(hourly):
    schedules.seed()
    sun = SolarSchedule.objects.create(event="sunrise", latitude=48.85, longitude=2.35)
    PeriodicTask.objects.create(name="sun", task=schedules.TICK, solar=sun)
    PeriodicTask.objects.filter(pk=hourly.pk).update(one_off=True)
    rows = Scheduler(app=current_app, lazy=True).enabled_models()
    assert {"sun", hourly.name} & {row.name for row in rows} == set()
    assert schedules.TICK in {row.name for row in rows}
