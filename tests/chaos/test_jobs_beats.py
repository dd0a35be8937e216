"""Two beats tick through two years; a poison goes round."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from monitoring import jobs
from monitoring.jobs import schedules
from monitoring.models import Job, ScheduleSlot
from tests.chaos import jobs_ground, jobs_sample  # noqa: F401
from tests.chaos.jobs_ground import Ground, Process, report, until
from tests.chaos.scale import SCALE, times

pytestmark = pytest.mark.chaos
CLEAN_SECONDS, POISONED_SECONDS = 5 + 5 * SCALE, 20 + 5 * SCALE
UNGUARDED_DAYS = 40  # without the unique key
PLANNED = {
    "after the close": ("5 16 * * mon-fri", "America/New_York"),
    "in the hour left out": ("30 2 * * *", "America/New_York"),
    "in the hour that comes twice": ("30 1 * * *", "America/New_York"),
    "in Paris": ("0 9 1 * *", "Europe/Paris"),
}


@pytest.fixture(scope="module")
def whole_ground(django_db_blocker) -> Iterator[Ground]:
    with django_db_blocker.unblock(), jobs_ground.opened() as ground:
        yield ground


@pytest.fixture
def ground(whole_ground) -> Iterator[Ground]:
    yield whole_ground
    whole_ground.clean()


def test_two_beats_through_two_years(ground):
    days, start = times(731), datetime(2025, 1, 1, tzinfo=UTC)
    rows = _let_two_beats_tick(ground, start, days, longest_pause=1_500)
    counted = {name: _taken(row) for name, row in rows.items()}
    expected = {name: _expected(name, start, days) for name in PLANNED}
    submitted = Job.objects.filter(name="chaos.run").count()
    report(
        "two beats",
        f"{days} simulated days with four changes of the clocks, ticks of both at random",
        f"{sum(map(len, expected.values()))} slots, each submitted once",
        f"{sum(map(len, counted.values()))} slots, {submitted} submissions",
    )
    assert counted == expected
    assert submitted == sum(map(len, expected.values()))


def test_without_the_unique_key_two_beats_run_slots_twice(ground):
    start = datetime(2025, 1, 1, tzinfo=UTC)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE monitoring_scheduleslot ADD INDEX plain (schedule_id), DROP INDEX one_claim_a_slot")
    rows = _let_two_beats_tick(ground, start, UNGUARDED_DAYS, longest_pause=400)
    taken = [slot for row in rows.values() for slot in _taken(row)]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM monitoring_scheduleslot")
        cursor.execute("ALTER TABLE monitoring_scheduleslot ADD UNIQUE one_claim_a_slot (schedule_id, slot)")
    assert len(taken) > sum(len(_expected(name, start, UNGUARDED_DAYS)) for name in PLANNED)


def test_a_poison_does_not_slow_the_others(ground):
    seen = poison(ground, CLEAN_SECONDS, POISONED_SECONDS)
    state = Job.objects.get(name="chaos.poison")
    report(
        "a poison among other jobs",
        "one job that kills its process each time, two workers, restarted when they die",
        "failed after 3 attempts; the others at ≥ 80 % of their pace",
        f"{state.state} after {state.attempt} that cost {seen.deaths} worker; {seen.poisoned / seen.clean:.0%} "
        f"({seen.poisoned:.0f} of {seen.clean:.0f} jobs a second)",
    )
    assert (state.state, state.attempt) == ("failed", 3)
    assert seen.deaths == 1
    assert seen.poisoned >= 0.8 * seen.clean


def test_without_isolation_a_poison_kills_a_worker_each_time(ground):
    assert poison(ground, 1, 1, without="isolation").deaths == 3


def _let_two_beats_tick(ground: Ground, start: datetime, days: int, longest_pause: int) -> dict[str, PeriodicTask]:
    PeriodicTask.objects.filter(name__in=PLANNED).delete()
    rows = {name: _schedule(name, *when) for name, when in PLANNED.items()}
    asked = [start.isoformat(), str(days), str(ground.random.randrange(10**6)), str(longest_pause)]
    beats = [ground.start("beat", "-m", "tests.chaos.jobs_beat", *asked, str(number)) for number in (0, 1)]
    for beat in beats:
        until(lambda beat=beat: beat.process.poll() is not None, 900, beat)
        assert beat.process.returncode == 0, beat.log.read_text()[-2000:]
    return rows


@dataclass(frozen=True)
class Pace:
    """How many jobs ended a second, before and beside a poison, and how many workers died of it."""

    clean: float
    poisoned: float
    deaths: int


def poison(ground: Ground, clean_seconds: float, poisoned_seconds: float, without: str = "") -> Pace:
    """Jobs of 0.1 s on two workers, so long alone and so long, or until it has ended, beside a poison."""
    workers = ground.ready(*(ground.worker(4, without) for _ in range(2)))
    jobs.submit_many("chaos.run", [{"seconds": 0.1}] * int(80 * (clean_seconds + poisoned_seconds + 10)))
    clean = _ended_a_second(ground, workers, clean_seconds, without)
    asked = Job.objects.filter(pk=jobs.submit("chaos.poison", priority="high").pk)
    has_ended = asked.filter(state__in=Job.ENDED).exists
    poisoned = _ended_a_second(ground, workers, poisoned_seconds, without, has_ended)
    return Pace(clean, poisoned, len([each for each in ground.processes if each.has_ended]))


def _ended_a_second(
    ground: Ground, workers: list[Process], seconds: float, without: str, may_end: Callable[[], bool] = lambda: True
) -> float:
    """While a supervisor starts the workers that die again."""
    done = Job.objects.filter(name="chaos.run", state="completed")
    before, begun = done.count(), time.monotonic()
    while time.monotonic() < begun + seconds or not may_end():
        assert time.monotonic() < begun + seconds + 60
        workers[:] = [ground.worker(4, without) if each.has_ended else each for each in workers]
        time.sleep(0.1)
    return (done.count() - before) / (time.monotonic() - begun)


def _schedule(name: str, crontab: str, zone: str) -> PeriodicTask:
    names = ["minute", "hour", "day_of_month", "month_of_year", "day_of_week"]
    row = CrontabSchedule.objects.create(**dict(zip(names, crontab.split(), strict=True)), timezone=zone)
    asked = json.dumps({"job": "chaos.run", "catch_up": True})
    return PeriodicTask.objects.create(name=name, task=schedules.TICK, crontab=row, kwargs=asked)


def _taken(schedule: PeriodicTask) -> list[datetime]:
    found = ScheduleSlot.objects.filter(schedule=schedule).exclude(outcome="begun")
    return list(found.order_by("slot").values_list("slot", flat=True))


def _expected(name: str, start: datetime, days: int) -> list[datetime]:
    """By hand: the wall-clock time of each day, in UTC; a time that does not exist is the instant of the change."""
    new_york, paris = ZoneInfo("America/New_York"), ZoneInfo("Europe/Paris")
    found = []
    for number in range(-1, days + 1):
        day = (start + timedelta(days=number)).date()
        match name:
            case "after the close":
                wall = datetime(day.year, day.month, day.day, 16, 5, tzinfo=new_york) if day.weekday() < 5 else None
            case "in the hour left out":
                is_left_out = day.month == 3 and day.weekday() == 6 and 8 <= day.day <= 14
                wall = datetime(
                    day.year, day.month, day.day, 3 if is_left_out else 2, 0 if is_left_out else 30, tzinfo=new_york
                )
            case "in the hour that comes twice":
                wall = datetime(day.year, day.month, day.day, 1, 30, fold=0, tzinfo=new_york)
            case _:
                wall = datetime(day.year, day.month, day.day, 9, tzinfo=paris) if day.day == 1 else None
        if wall and start < wall.astimezone(UTC) <= start + timedelta(days=days):
            found.append(wall.astimezone(UTC))
    return found
