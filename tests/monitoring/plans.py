"""Schedules as the tests plan them, and which of their times were taken."""

import json
from datetime import UTC, datetime, timedelta

from django_celery_beat.models import CrontabSchedule, PeriodicTask

from monitoring.jobs import schedules
from monitoring.models import ScheduleSlot
from tests.monitoring import sample_jobs  # noqa: F401

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


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
