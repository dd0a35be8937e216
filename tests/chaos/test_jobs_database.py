"""The database freezes; a poison goes round; two beats tick through two years."""

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from monitoring import jobs
from monitoring.jobs import schedules
from monitoring.models import Job, ScheduleSlot
from tests.chaos import jobs_ground, jobs_sample  # noqa: F401
from tests.chaos.jobs_ground import Ground, report, until
from tests.chaos.scale import times
from tests.conftest import free_port

pytestmark = pytest.mark.chaos
FROZEN_SECONDS = 12
ANSWER_SECONDS = 5
PLANNED = {
    "after the close": ("5 16 * * mon-fri", "America/New_York"),
    "in the hour left out": ("30 2 * * *", "America/New_York"),
    "in the hour that comes twice": ("30 1 * * *", "America/New_York"),
    "in Paris": ("0 9 1 * *", "Europe/Paris"),
}
ASKED = {"task": "monitoring.retention"}  # one that the web process knows


@pytest.fixture(scope="module")
def whole_ground(django_db_blocker) -> Iterator[Ground]:
    with django_db_blocker.unblock(), jobs_ground.opened() as ground:
        yield ground


@pytest.fixture
def ground(whole_ground) -> Iterator[Ground]:
    yield whole_ground
    whole_ground.clean()


class Submitter:
    """Asks for jobs over HTTP, as a logged-in user."""

    def __init__(self, ground: Ground, **environment: str) -> None:
        user, _ = get_user_model().objects.get_or_create(username="staff", defaults={"is_staff": True})
        client = Client()
        client.force_login(user)
        self.session = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self.web = ground.start("web", "manage.py", "web", "--host", "127.0.0.1", "--port", str(port), **environment)
        until(lambda: self.post("/health/live", method="GET")[0] == 200, 30, self.web)

    def post(self, path: str, body: dict | None = None, method: str = "POST") -> tuple[int, float]:
        """The status and how long it took."""
        cookies = f"{settings.SESSION_COOKIE_NAME}={self.session}; csrftoken={'a' * 32}"
        headers = {"Cookie": cookies, "X-CSRFToken": "a" * 32, "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        asked = urllib.request.Request(self.url + path, data, headers, method=method)
        begun = time.monotonic()
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError:
            status = 0
        return status, time.monotonic() - begun


def test_a_database_that_freezes(ground):
    worker, submitter = ground.ready_worker(4), Submitter(ground)
    busy = jobs.submit_many("chaos.run", [{"seconds": 1.0}] * 12)
    accepted = [submitter.post("/api/tasks/submit", ASKED)[0] for _ in range(5)].count(202)
    answers = submit_while_frozen(ground, submitter)
    until(lambda: submitter.post("/api/tasks/submit", ASKED)[0] == 202, 30, submitter.web)
    until(lambda: not Job.objects.exclude(state="completed").exists(), 60, worker)
    runs, different = _runs()
    done = Job.objects.filter(state="completed").count()
    slowest = max(seconds for _, seconds in answers)
    statuses = sorted({status for status, _ in answers})
    report(
        "a frozen database",
        f"SIGSTOP for {FROZEN_SECONDS} s over {len(busy)} running and queued jobs and {len(answers)} submissions",
        f"every submission 503 within {ANSWER_SECONDS} s; every job done once",
        f"statuses {statuses}, slowest {slowest:.1f} s; {done} of {Job.objects.count()} done, {runs - different} twice",
    )
    assert (statuses, runs, different) == ([503], len(busy), len(busy))
    assert slowest <= ANSWER_SECONDS
    assert done == Job.objects.count() >= accepted + len(busy)


def test_without_its_watch_a_frozen_database_keeps_submitters_waiting(ground):
    submitter = Submitter(ground, DJANGO_SETTINGS_MODULE="tests.chaos.jobs_web")
    assert submitter.post("/api/tasks/submit", ASKED)[0] == 202  # over a connection that is there when it freezes
    assert max(seconds for _, seconds in submit_while_frozen(ground, submitter)) > ANSWER_SECONDS


def submit_while_frozen(ground: Ground, submitter: Submitter) -> list[tuple[int, float]]:
    """The database stands still for a while, and submissions go on one after another: what came of each."""
    os.kill(ground.mariadb.pid, signal.SIGSTOP)
    thaw_at, answers = time.monotonic() + FROZEN_SECONDS, []
    while time.monotonic() < thaw_at - ANSWER_SECONDS:
        answers.append(submitter.post("/api/tasks/submit", ASKED))
        time.sleep(0.02)
    time.sleep(max(0, thaw_at - time.monotonic()))
    os.kill(ground.mariadb.pid, signal.SIGCONT)
    connection.close()
    return answers


def test_a_poison_does_not_slow_the_others(ground):
    clean, _ = _throughput(ground, poisons=0)
    ground.clean()
    poisoned, deaths = _throughput(ground, poisons=1)
    state = Job.objects.get(name="chaos.poison")
    report(
        "a poison among other jobs",
        "one job that kills its process each time, two workers, restarted when they die",
        "failed after 3 attempts; the others at ≥ 80 % of their pace",
        f"{state.state} after {state.attempt} that cost {deaths} worker; {poisoned / clean:.0%} "
        f"({poisoned:.0f} of {clean:.0f} jobs a second)",
    )
    assert (state.state, state.attempt) == ("failed", 3)
    assert deaths == 1
    assert poisoned >= 0.8 * clean


def test_without_isolation_a_poison_kills_a_worker_each_time(ground):
    assert _throughput(ground, poisons=1, without="isolation")[1] == 3


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
    rows = _let_two_beats_tick(ground, start, 120, longest_pause=400)
    taken = [slot for row in rows.values() for slot in _taken(row)]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM monitoring_scheduleslot")
        cursor.execute("ALTER TABLE monitoring_scheduleslot ADD UNIQUE one_claim_a_slot (schedule_id, slot)")
    assert len(taken) > sum(len(_expected(name, start, 120)) for name in PLANNED)


def _let_two_beats_tick(ground: Ground, start: datetime, days: int, longest_pause: int) -> dict[str, PeriodicTask]:
    PeriodicTask.objects.filter(name__in=PLANNED).delete()
    rows = {name: _schedule(name, *when) for name, when in PLANNED.items()}
    asked = [start.isoformat(), str(days), str(ground.random.randrange(10**6)), str(longest_pause)]
    beats = [ground.start("beat", "-m", "tests.chaos.jobs_beat", *asked, str(number)) for number in (0, 1)]
    for beat in beats:
        until(lambda beat=beat: beat.process.poll() is not None, 900, beat)
        assert beat.process.returncode == 0, beat.log.read_text()[-2000:]
    return rows


def _throughput(ground: Ground, poisons: int, without: str = "") -> tuple[float, int]:
    """Jobs of 0.1 s that end a second, on two workers that a supervisor restarts, and how many died."""
    seconds = 20 * jobs_ground.SCALE + 10
    workers = [ground.ready_worker(4, without) for _ in range(2)]
    jobs.submit_many("chaos.run", [{"seconds": 0.1}] * int(seconds * 80))
    for _ in range(poisons):
        jobs.submit("chaos.poison", priority="high")
    until_at = time.monotonic() + seconds
    while time.monotonic() < until_at:
        workers = [each if each.process.poll() is None else ground.worker(4, without) for each in workers]
        time.sleep(0.1)
    done = Job.objects.filter(name="chaos.run", state="completed").count()
    if poisons:
        poison = Job.objects.get(name="chaos.poison")
        jobs.wait(poison.pk, 30)
    return done / seconds, len([each for each in ground.processes if each.process.poll() is not None])


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


def _runs() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*), COUNT(DISTINCT job) FROM chaos_runs")
        return cursor.fetchone()
