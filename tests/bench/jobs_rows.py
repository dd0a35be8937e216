"""What the rows of jobs and schedules cost, measured alike on SQLite and on MariaDB. BENCH_SCALE makes them fewer."""

import json
import os
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from monitoring import jobs
from monitoring.jobs import Step, schedules
from monitoring.jobs.claiming import claims
from monitoring.models import Job, Priority, ScheduleSlot
from tests.bench import jobs_sample  # noqa: F401

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
SCHEDULES, SLOTS, TOMORROW, CHAIN = 14, round(47_000 * SCALE), round(100_000 * SCALE), max(3, round(500 * SCALE))
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
CLAIMS = 40

Clock = Callable[[], float]


def ticks(clock: Clock) -> list[float]:
    """Milliseconds of each tick of an hour, of which every second one submits; jobs end before the next."""
    _plan()
    schedules.run_due(NOON - MINUTE)  # what was missed, and what the conditions import
    took = []
    for minute in range(60):
        took.append(1000 * timed(clock, partial(schedules.run_due, NOON + minute * MINUTE)))
        Job.objects.exclude(state="completed").update(state="completed", lane=None)
    return took


def claims_beside_tomorrow(clock: Clock) -> list[float]:
    """Milliseconds of each claim of a job that is due, beside those that wait for tomorrow."""
    now = timezone.now()
    rows = [_waiting(now, number) for number in range(TOMORROW)]
    Job.objects.bulk_create(rows, batch_size=1_000)
    return [1000 * timed(clock, _claimed(number)) for number in range(CLAIMS)]


def chain_cancelled(clock: Clock) -> float:
    """Milliseconds until a chain is cancelled whose first job has not begun."""
    chain = jobs.chain([Step("bench.count", {"name": "chain"})] * CHAIN)
    took = 1000 * timed(clock, partial(jobs.cancel, chain[0].pk))
    assert Job.objects.filter(pk__in=[job.pk for job in chain], state="cancelled").count() == CHAIN
    return took


def timed(clock: Clock, work: Callable[[], object]) -> float:
    begun = clock()
    work()
    return clock() - begun


def _plan() -> None:
    """The schedules that the jobs come with, and yearly ones; the most frequent one has run for two months."""
    schedules.seed()
    rows = PeriodicTask.objects.filter(task=schedules.TICK).exclude(name=schedules.TICK)
    for number in range(SCHEDULES - rows.count()):
        yearly = CrontabSchedule.objects.create(minute="0", hour="9", day_of_month="1", month_of_year=str(number + 4))
        asked = json.dumps({"job": "bench.count", "arguments": {"name": "yearly"}})
        PeriodicTask.objects.create(name=f"yearly {number}", task=schedules.TICK, crontab=yearly, kwargs=asked)
    begun = NOON - 2 * (SLOTS + 1) * MINUTE
    facts = {"claimed_at": NOON}
    for row in rows.all():
        ScheduleSlot.objects.create(schedule=row, slot=begun, outcome="begun", reason=str(row.crontab), **facts)
    monitor, facts = rows.get(name="market.price_monitor"), {**facts, "outcome": "submitted"}
    slots = [ScheduleSlot(schedule=monitor, slot=NOON - 2 * n * MINUTE, **facts) for n in range(1, SLOTS + 1)]
    ScheduleSlot.objects.bulk_create(slots, batch_size=2_000)


def _waiting(now: datetime, number: int) -> Job:
    lane = Priority.values[number % len(Priority)]
    asked = {"name": "bench.count", "arguments": {"name": "tomorrow"}, "max_attempts": 4, "timeout_seconds": 60}
    at = now + timedelta(days=1) + number * SECOND
    return Job(**asked, priority=lane, lane=lane, not_before=at, created_at=now)


def _claimed(number: int) -> Callable[[], None]:
    asked = jobs.submit("bench.count", {"name": "now"}, priority=Priority(number % len(Priority)).name.lower())

    def claim() -> None:
        assert [job.pk for job in claims.claim(uuid.uuid4(), 10, timezone.now())] == [asked.pk]

    return claim
