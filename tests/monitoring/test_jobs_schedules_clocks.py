"""When a schedule's times are: in its own zone, where clocks change, and after a clock that was wrong for a moment."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from monitoring.jobs import schedules
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.plans import MINUTE, NOON, planned, taken

NEW_YORK = ZoneInfo("America/New_York")


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
