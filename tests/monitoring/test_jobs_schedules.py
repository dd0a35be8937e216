"""Each planned time of a schedule is taken once: with two beats, after a pause, and when the clocks change."""

import json
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from celery import current_app
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from finstage.beat import Scheduler
from monitoring.jobs import condition, schedules
from monitoring.models import Job, ScheduleSlot
from tests.monitoring import sample_jobs  # noqa: F401

NEW_YORK = ZoneInfo("America/New_York")
MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@condition("sample.is_it")
def is_it(so: bool) -> bool:
    return so


@condition("sample.broken")
def is_broken() -> bool:
    raise RuntimeError("the exchange's calendar is gone")


@pytest.fixture
def hourly(no_other_schedules) -> PeriodicTask:
    return planned("0 * * * *", "UTC")


def planned(crontab: str, zone: str, **asked) -> PeriodicTask:
    names = ["minute", "hour", "day_of_month", "month_of_year", "day_of_week"]
    times = dict(zip(names, crontab.split(), strict=True))
    row = CrontabSchedule.objects.create(**times, timezone=zone)
    told = {"job": "sample.add", "arguments": {"a": 1}, **asked}
    return PeriodicTask.objects.create(
        name=f"{crontab} {zone}", task=schedules.TICK, crontab=row, kwargs=json.dumps(told)
    )


def taken(schedule: PeriodicTask) -> list[datetime]:
    found = ScheduleSlot.objects.filter(schedule=schedule).exclude(outcome="begun")
    return list(found.order_by("slot").values_list("slot", flat=True))


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


def test_a_clock_that_was_a_day_ahead_for_a_moment_stops_no_schedule(hourly):
    schedules.run_due(NOON)
    Job.objects.update(state="completed", lane=None)
    schedules.run_due(NOON + timedelta(days=1))
    Job.objects.update(state="completed", lane=None)
    schedules.run_due(NOON + timedelta(hours=1))
    assert taken(hourly) == [NOON, NOON + timedelta(hours=1)]
    Job.objects.update(state="completed", lane=None)
    schedules.run_due(NOON + timedelta(days=1))
    assert NOON + timedelta(days=1) in taken(hourly)
    assert hourly.slots.order_by("-slot").first().job.state == "pending"


def test_a_clock_that_was_ahead_silences_no_schedule_that_catches_up(hourly, caplog):
    hourly.kwargs = '{"job": "sample.add", "arguments": {"a": 1}, "catch_up": true}'
    hourly.save()
    schedules.run_due(NOON)
    schedules.run_due(NOON + timedelta(hours=5))
    schedules.run_due(NOON + timedelta(minutes=1))
    assert taken(hourly) == [NOON]
    assert "5 slots are of a time to come" in caplog.text
    schedules.run_due(NOON + timedelta(hours=2))
    assert taken(hourly) == [NOON + timedelta(hours=hour) for hour in (0, 1, 2)]


def test_a_clock_a_little_ahead_of_another_takes_no_slot_from_it(hourly):
    schedules.run_due(NOON)
    schedules.run_due(NOON - timedelta(minutes=2))
    assert taken(hourly) == [NOON]


def test_a_plan_that_changed_while_the_clock_was_ahead_goes_on_when_it_is_right(hourly):
    schedules.run_due(NOON)
    hourly.enabled = False
    hourly.save()
    schedules.run_due(NOON + timedelta(days=1))
    hourly.enabled = True
    hourly.save()
    Job.objects.update(state="completed", lane=None)
    schedules.run_due(NOON + timedelta(minutes=59))
    schedules.run_due(NOON + timedelta(hours=1))
    assert taken(hourly) == [NOON, NOON + timedelta(hours=1)]


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


@pytest.mark.django_db
def test_after_the_close_in_new_york_comes_once_a_trading_day_in_two_years():
    schedule = planned("5 16 * * mon-fri", "America/New_York")
    start, end = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    found = [slot.astimezone(NEW_YORK) for slot in schedules.slots(schedule, start, end)]
    assert {(slot.hour, slot.minute) for slot in found} == {(16, 5)}
    weekdays = [day for n in range(730) if (day := start.date() + timedelta(days=n)).weekday() < 5]
    assert [slot.date() for slot in found] == weekdays


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("crontab", "day", "expected"),
    [
        (
            "30 2 * * *",
            datetime(2026, 3, 8, 0, tzinfo=NEW_YORK),
            [7],
        ),  # 2:30 does not exist: at 3:00, which is 7:00 UTC
        ("30 1 * * *", datetime(2026, 11, 1, 0, tzinfo=NEW_YORK), [5]),  # 1:30 comes twice: at the first
        ("15 * * * *", datetime(2026, 3, 8, 0, tzinfo=NEW_YORK), [5, 6, 7, 8]),  # each hour that passes
        ("15 * * * *", datetime(2026, 11, 1, 0, tzinfo=NEW_YORK), [4, 5, 6, 7]),
    ],
)
def test_a_change_of_the_clocks_neither_loses_nor_doubles_a_slot(crontab, day, expected):
    schedule = planned(crontab, "America/New_York")
    found = schedules.slots(schedule, day.astimezone(UTC), day.astimezone(UTC) + timedelta(hours=4))
    assert [slot.hour for slot in found] == expected


@pytest.mark.django_db
def test_an_interval_is_planned_by_the_clock_whenever_it_began():
    every, _ = IntervalSchedule.objects.get_or_create(every=20, period=IntervalSchedule.MINUTES)
    found = schedules.slots(PeriodicTask(interval=every), NOON - MINUTE, NOON + timedelta(minutes=40))
    assert list(found) == [NOON, NOON + timedelta(minutes=20), NOON + timedelta(minutes=40)]


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


@pytest.mark.django_db
def test_a_schedule_asks_its_condition():
    no = planned("0 * * * *", "UTC", only_if={"name": "sample.is_it", "arguments": {"so": False}})
    yes = planned("0 12 * * *", "UTC", only_if={"name": "sample.is_it", "arguments": {"so": True}})
    schedules.run_due(NOON)
    assert (no.slots.first().outcome, yes.slots.first().outcome) == ("refused", "submitted")


BROKEN = {
    "no object": '["x"]',
    "no JSON": "{job",
    "no name": '{"job": ["a"]}',
    "an unhashable condition": '{"job": "sample.add", "arguments": {"a": 1}, "only_if": {"name": ["a"]}}',
    "a condition that raises": '{"job": "sample.add", "arguments": {"a": 1}, "only_if": {"name": "sample.broken"}}',
}


@pytest.mark.django_db
@pytest.mark.parametrize("kwargs", BROKEN.values(), ids=BROKEN)
def test_a_schedule_that_cannot_be_read_is_refused_and_stops_no_other(kwargs, caplog):
    broken = planned("0 * * * *", "Europe/Paris")
    PeriodicTask.objects.filter(pk=broken.pk).update(kwargs=kwargs)
    good = planned("0 * * * *", "UTC")
    schedules.run_due(NOON)
    assert broken.slots.first().outcome == "refused"
    assert taken(good) == [NOON]
    assert any(record.exc_info for record in caplog.records)


def test_a_schedule_whose_times_make_no_sense_stops_no_other(no_other_schedules, caplog):
    planned("99 * * * *", "UTC")
    good = planned("0 * * * *", "UTC")
    assert schedules.run_due(NOON) == 1
    assert taken(good) == [NOON]
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.django_db
def test_a_schedule_of_an_unknown_job_is_refused_and_stops_no_other(hourly):
    broken = planned("0 * * * *", "Europe/Paris", job="sample.gone")
    schedules.run_due(NOON)
    assert broken.slots.first().outcome == "refused"
    assert taken(hourly) == [NOON]


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


@pytest.mark.django_db
def test_a_schedule_may_say_a_priority_and_a_time_limit():
    planned("0 * * * *", "UTC", priority="high", timeout=7)
    schedules.run_due(NOON)
    job = Job.objects.get(name="sample.add")
    assert (job.priority, job.timeout_seconds) == (0, 7)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"timout": 5}, "The schedule asks for timout; there are arguments"),
        ({"arguments": {}}, "sample.add: a is required"),
    ],
)
def test_a_schedule_that_asks_for_what_there_is_not_says_so(more, said):
    schedule = planned("0 * * * *", "UTC", **more)
    schedules.run_due(NOON)
    assert schedule.slots.first().reason.startswith(said)


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
