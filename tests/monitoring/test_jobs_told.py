"""What is told of jobs and workers in figures: how far, how long, how many a minute, and of whom."""

import uuid
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import attempts, endings
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.running.context import Current
from monitoring.jobs.telling import changes, overview, task
from monitoring.jobs.telling.overview import Queue
from monitoring.models import Job, JobTemplate, Worker
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.db]
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def ended(ago: float, *, waited: float = 0, ran: float = 0, state: str = "completed") -> None:
    """A job that ended so many seconds before now."""
    job, at = jobs.submit("sample.add", {"a": 1}), NOW - timedelta(seconds=ago)
    started = at - timedelta(seconds=ran)
    facts = {"not_before": started - timedelta(seconds=waited), "started_at": started, "finished_at": at}
    Job.objects.filter(pk=job.pk).update(state=state, lane=None, **facts)


def worker(silent: float, **facts) -> Worker:
    """One that was heard of so many seconds before now."""
    facts = {"host": "h", "pid": 1, "place": "p", "birth": 1.0, "concurrency": 1, "started_at": NOW} | facts
    return Worker.objects.create(id=uuid.uuid4(), heartbeat_at=NOW - timedelta(seconds=silent), **facts)


@pytest.mark.parametrize(
    ("rank", "values", "found"),
    [
        (50, [1, 2, 3, 4], 2),
        (50, [1, 2, 3], 2),
        (50, range(1, 203), 101),
        (95, range(1, 101), 95),
        (99, [7], 7),
        (99, [], None),
        (50, [1 / 3], 0.3333),
    ],
)
def test_a_percentile_is_the_nearest_rank(rank, values, found):
    assert overview.percentile(rank, values) == found


def test_times_are_those_of_jobs_that_ended_on_their_own_in_the_last_hour():
    for seconds in range(1, 101):
        ended(60, waited=seconds, ran=1000 + seconds)
    ended(60, waited=7_000, ran=7_000, state="cancelled")
    ended(3_601, waited=7_000, ran=7_000)
    told = overview.Times.tell(Queue(NOW))
    assert told["waiting_seconds"] == {"p50": 50, "p95": 95, "p99": 99}
    assert told["running_seconds"] == {"p50": 1050, "p95": 1095, "p99": 1099}


def test_a_job_that_began_before_its_instant_by_another_clock_waited_for_nothing():
    ended(60, waited=-5)
    assert overview.Times.tell(Queue(NOW))["waiting_seconds"]["p50"] == 0


def test_throughput_is_a_minute_over_the_last_one_five_and_sixty():
    for ago in (30, 59, 61, 299, 301, 3_599, 3_601):
        ended(ago)
    ended(30, state="failed")
    ended(30, state="cancelled")
    assert overview.throughput(NOW) == {
        "per_minute_last_minute": 3.0,
        "per_minute_last_5_minutes": 1.0,
        "per_minute_last_hour": 0.12,
    }


def test_a_success_rate_is_of_those_that_ended_on_their_own():
    assert (overview.rate(1, 2), overview.rate(3, 0), overview.rate(0, 0)) == (33.3, 100.0, None)


def test_what_became_of_all_is_counted_by_state():
    for state in ("completed", "completed", "failed", "timed_out", "cancelled"):
        ended(60, state=state)
    jobs.submit("sample.add", {"a": 1})
    told = overview.QueueStats.tell(Queue(NOW))
    assert told == {
        "pending_tasks": 1,
        "running_tasks": 0,
        "total_submitted": 6,
        "total_completed": 2,
        "total_failed": 2,
        "success_rate": 50.0,
    }
    assert overview.ended_counts(NOW) == {"completed": 2, "failed": 1, "timed_out": 1, "cancelled": 1}


def test_a_worker_that_was_silent_for_more_than_a_quarter_of_a_minute_is_lost_and_forgotten_after_an_hour():
    heard, silent, _forgotten = worker(15), worker(15.5), worker(3_601)
    told = {each["worker_id"]: each["state"] for each in overview.workers(NOW)}
    assert told == {str(heard.pk): "running", str(silent.pk): "lost"}


def test_a_worker_says_what_it_runs_and_how_it_did():
    busy, idle = worker(0, processed=4, failed=1), worker(0)
    first, second = jobs.submit_many("sample.add", [{"a": 1}, {"a": 2}])
    claims.claim(busy.pk, 1, timezone.now())
    claims.claim(busy.pk, 1, timezone.now())
    told = {each["worker_id"]: each for each in overview.workers(NOW)}
    assert told[str(busy.pk)]["current_task_id"] == str(first.pk)
    assert told[str(busy.pk)]["current_task_ids"] == [str(first.pk), str(second.pk)]
    assert (told[str(busy.pk)]["success_rate"], told[str(idle.pk)]["success_rate"]) == (75.0, None)
    assert (told[str(idle.pk)]["current_task_id"], told[str(idle.pk)]["current_task_ids"]) == (None, [])


@pytest.mark.parametrize(
    ("done", "total", "percent"), [(1, 3, 33.3), (0, 3, 0), (3, 3, 100), (5, 3, 100), (5, None, None), (0, 0, None)]
)
def test_progress_is_told_in_percent_where_the_whole_is_known(done, total, percent):
    assert task.Progress.tell(Job(progress_done=done, progress_total=total))["percent"] == percent


@pytest.mark.parametrize(("name", "is_isolated"), [("sample.isolated", True), ("sample.add", False), ("gone", False)])
def test_a_job_says_whether_it_has_a_process_of_its_own(name, is_isolated):
    asked = jobs.submit("sample.add", {"a": 1})
    asked.name = name
    assert task.Whole.tell(asked, NOW)["isolated"] is is_isolated


def test_a_job_that_runs_says_since_when_and_in_which_attempt():
    jobs.submit("sample.add", {"a": 1})
    (job,) = claims.claim(uuid.uuid4(), 1, NOW + timedelta(days=999))
    later = job.started_at + timedelta(seconds=2.5)
    told = task.Whole.tell(Job.objects.get(), later)
    assert (told["execution_time"], told["attempt"], told["worker_id"]) == (2.5, 1, str(job.worker))
    assert [(each["number"], each["outcome"], each["ended_at"]) for each in told["attempts"]] == [(1, "running", None)]


def test_a_job_says_which_rows_it_wrote_and_one_that_wrote_none_that_it_wrote_none():
    jobs.submit_many("sample.add", [{"a": 1}] * 2)
    for count, job in enumerate(claims.claim(uuid.uuid4(), 2, timezone.now())):
        with Current(job).commit() as end:
            end.note(JobTemplate, count, first="a")
    noted = {"model": "monitoring.JobTemplate", "count": 1, "first": "a", "last": None}
    assert sorted((task.Whole.tell(job, NOW)["wrote"] for job in Job.objects.all()), key=len) == [[], [noted]]


def test_every_change_is_appended_for_the_feed(redis, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        jobs.submit("sample.add", {"a": 1})
        (claimed,) = claims.claim(uuid.uuid4(), 1, timezone.now())
        endings.write([Ending(claimed, Job.State.COMPLETED, 1)])
    changes.LIST.flush()
    told = [orjson.loads(line) for line in redis.lrange(changes.LIST.key, 0, -1)]
    assert [each["state"] for each in told] == ["pending", "running", "completed"]


def test_a_job_that_waits_to_run_again_has_no_running_time():
    asked = jobs.submit("sample.add", {"a": 1})
    (claimed,) = claims.claim(uuid.uuid4(), 1, timezone.now())
    endings.write([Ending(claimed, Job.State.FAILED, error_code="wrong")])
    jobs.retry(asked.pk)
    assert task.Brief.tell(Job.objects.get(), timezone.now())["execution_time"] is None


def test_a_job_that_was_cancelled_says_how_long_it_ran_where_it_did_and_not_where_it_waited_to_run_again():
    ran, waited = jobs.submit_many("sample.add", [{"a": 1}] * 2)
    for job in claims.claim(uuid.uuid4(), 2, timezone.now()):
        attempts.end(Ending(job, "cancelled") if job == ran else Ending(job, "retrying", retry_at=timezone.now()))
    jobs.cancel(waited.pk)
    told = [task.Brief.tell(Job.objects.get(pk=job.pk), timezone.now()) for job in (ran, waited)]
    assert [each["status"] for each in told] == ["cancelled", "cancelled"]
    assert [each["execution_time"] is None for each in told] == [False, True]
