"""What a person reads of a job: sentences of their own language, worded when they are shown, and the last hour."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import translation
from django_celery_beat.models import PeriodicTask

from monitoring.jobs import declaration, schedules
from monitoring.jobs.telling import minutes, wording
from monitoring.models import Job, ScheduleSlot
from tests.monitoring import ledger
from tests.monitoring.plans import NOON, planned

pytestmark = [pytest.mark.django_db, pytest.mark.db]
NOTHING = "NothingDone: None of 1 came to anything; AAPL: no_bars: AAPL has no bars of 1d"


@pytest.fixture
def staff(client):
    user = get_user_model().objects.create_user("staff", is_staff=True)
    client.force_login(user)
    return user


def failed(code: str, text: str) -> Job:
    job = ledger.add()
    Job.objects.filter(pk=job.pk).update(state="failed", lane=None, error_code=code, error=text)
    return job


def ran() -> PeriodicTask:
    """A schedule that is the only one, with one run."""
    PeriodicTask.objects.exclude(name=schedules.TICK).delete()
    hourly = planned("0 * * * *", "UTC")
    schedules.run_due(NOON)
    return hourly


@pytest.mark.parametrize(
    ("language", "says", "remedy"),
    [
        ("en", "AAPL: No history of it is held yet.", "Load its history"),
        ("ko", "AAPL: 아직 보관된 이력이 없습니다.", "먼저 "),
    ],
)
def test_a_failure_is_a_sentence_of_the_readers_language_with_what_to_do(client, staff, language, says, remedy):
    job = failed("nothing_done", NOTHING)
    error = client.get(f"/api/tasks/task/{job.pk}", headers={"Accept-Language": language}).json()["error"]
    assert (error["code"], error["message"], error["says"]) == ("nothing_done", NOTHING, says)
    assert error["remedy"].startswith(remedy)


def test_what_has_no_sentence_keeps_its_own_text():
    assert wording.reason("a_code_of_a_newer_version", "Something odd.") == wording.Reason()
    assert wording.part("a text without a code").says == ""


def test_a_fault_of_the_program_and_a_process_that_died_are_worded_too():
    with translation.override("en"):
        assert "fault" in wording.reason("ValueError", "ValueError: odd").says
        assert "memory" in wording.reason("process_died_9", "The process that ran it died.").says


def test_each_part_that_failed_is_worded_beside_its_code(client, staff):
    job = ledger.add()
    told = {"AAPL": "no_bars: AAPL has no bars", "B": "odd"}
    Job.objects.filter(pk=job.pk).update(state="completed", lane=None, outcome="partial", parts_failed=told)
    first, second = client.get(f"/api/tasks/task/{job.pk}", headers={"Accept-Language": "en"}).json()["failures"]
    assert (first["name"], first["code"], first["says"]) == ("AAPL", "no_bars", "No history of it is held yet.")
    assert (second["name"], second["message"], second["says"]) == ("B", "odd", "")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_job_of_ours_has_a_title_and_says_what_it_does(language):
    ours = [each for each in declaration.everything().values() if not each.function.__module__.startswith("tests.")]
    assert len(ours) > 8
    with translation.override(language):
        assert [each.name for each in ours if not (str(each.rules.title) and str(each.rules.says))] == []


def test_the_list_tells_whose_a_job_is_and_which_schedule_ran_it(client, staff):
    hourly = ran()
    ledger.add(owner=staff)
    told = {each["asked_by"]: each["schedule"] for each in client.get("/api/tasks/tasks").json()["results"]}
    assert told == {"staff": None, None: hourly.name}


def test_ones_own_and_those_of_schedules_are_views_of_the_list(client, staff):
    hourly = ran()
    own = ledger.add(owner=staff)
    ledger.add()
    listed = lambda query: [each["task_id"] for each in client.get(f"/api/tasks/tasks?{query}").json()["results"]]  # noqa: E731
    run = str(ScheduleSlot.objects.get(job__isnull=False).job_id)
    assert listed("view=mine") == [str(own.pk)]
    assert listed("view=scheduled") == listed(f"schedule={hourly.name}") == [run]
    assert listed("schedule=none") == []
    assert len(listed("")) == 3
    assert client.get("/api/tasks/tasks?view=all").status_code == 400


# The last hour.

NOW = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)


def at(minute: int, second: int = 0) -> datetime:
    """A moment of the hour before NOW: its last minute is 59 and not over."""
    return NOW.replace(second=0) - timedelta(minutes=59 - minute) + timedelta(seconds=second)


def lived(came: datetime, began: datetime | None, ended: datetime | None, state: str, **facts) -> None:
    Job.objects.create(
        id=uuid.uuid4(), name="sample.add", state=state, not_before=came, started_at=began, finished_at=ended,
        max_attempts=1, timeout_seconds=1, created_at=came, **facts,
    )  # fmt: skip


def hour() -> list:
    return [counts for _, counts in minutes.last_hour(Job.objects.all(), NOW)]


def test_the_last_hour_counts_what_ended_in_each_minute_by_how_it_did():
    lived(at(10), at(10), at(10, 5), "completed", outcome="whole")
    lived(at(10), at(10), at(10, 59), "completed", outcome="partial")
    lived(at(10), at(10), at(11), "timed_out")
    lived(at(10), None, at(11), "cancelled")
    lived(at(-5), at(-5), at(-3), "failed")
    told = hour()
    assert len(told) == 60
    assert (told[10]["done"], told[10]["partial"], told[11]["failed"], told[11]["cancelled"]) == (1, 1, 1, 1)
    assert sum(each["failed"] for each in told) == 1


def test_the_last_hour_counts_what_waited_at_the_end_of_each_minute():
    lived(at(5), at(8), at(9), "completed", outcome="whole")
    lived(at(50), None, None, "pending")
    lived(NOW + timedelta(hours=1), None, None, "pending")
    waiting = [each["waiting"] for each in hour()]
    assert waiting == [0] * 5 + [1] * 3 + [0] * 42 + [1] * 10


def test_the_last_hour_of_a_person_is_of_their_own(client):
    person = get_user_model().objects.create_user("person")
    client.force_login(person)
    ledger.add()
    ledger.add(owner=person)
    told = client.get("/api/tasks/minutes").json()["minutes"]
    assert (len(told), told[-1]["waiting"]) == (60, 1)
