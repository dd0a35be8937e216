"""Bodies that do what no body should cost their own job and nobody else's."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring import jobs, place
from monitoring.jobs.claiming import claims, clock
from monitoring.jobs.claiming.clock import Watch
from monitoring.jobs.ending import attempts, reaper
from monitoring.jobs.errors import InvalidProgress
from monitoring.jobs.running import context
from monitoring.jobs.running.context import Current
from monitoring.jobs.telling import overview, task
from monitoring.models import Job, JobTemplate, Worker
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.conftest import until

ODD = {
    "text": "ValueError",
    "code": "?",
    "exit": "SystemExit",
    "interrupt": "KeyboardInterrupt",
    "word": "invalid_progress",
    "large": "invalid_progress",
    "negative": "invalid_progress",
    "surrogate": "invalid_result",
    "huge": "invalid_result",
    "deep": "invalid_result",
}


@pytest.mark.db
def test_what_is_odd_fails_alone_and_says_why_and_its_neighbours_go_on(start_inside):
    start_inside(concurrency=2)
    neighbour = jobs.submit("sample.sleep", {"seconds": 60})
    asked = {what: jobs.submit("sample.odd", {"what": what}).pk for what in ODD}
    ended = {what: jobs.wait(pk, 60) for what, pk in asked.items()}
    assert {what: (job.state, job.error_code) for what, job in ended.items()} == {
        what: ("failed", code) for what, code in ODD.items()
    }
    neighbour.refresh_from_db()
    assert (neighbour.state, neighbour.attempt) == ("running", 1)


@pytest.mark.db
def test_an_async_body_is_cancelled_at_what_it_awaits_and_cleans_up(start_inside, tmp_path):
    start_inside()
    asked = jobs.submit("sample.await", {"seconds": 50, "path": str(tmp_path / "said")})
    until(lambda: Job.objects.get(pk=asked.pk).state == "running")
    jobs.cancel(asked.pk)
    assert jobs.wait(asked.pk, 5).state == "cancelled"
    until(lambda: (tmp_path / "said").exists(), 5)
    assert jobs.wait(jobs.submit("sample.await", {"seconds": 50}, timeout=1).pk, 60).state == "timed_out"


@pytest.mark.db
def test_an_async_body_commits_through_a_thread(start_inside):
    start_inside()
    assert jobs.wait(jobs.submit("sample.save_async", {"name": "aside"}).pk, 60).result == "aside"
    assert JobTemplate.objects.filter(name="aside").exists()


@pytest.mark.db
def test_many_large_results_are_written_whatever_a_packet_holds(start_inside):
    start_inside(concurrency=8)
    asked = jobs.submit_many("sample.large", [{"characters": 900_000}] * 40)
    assert {len(jobs.wait(job.pk, 60).result) for job in asked} == {900_000}


@pytest.mark.parametrize("done", [-1, 2**31, 1.5, "1", None])
def test_a_progress_that_is_no_number_of_parts_is_refused_where_it_is_said(done):
    with pytest.raises(InvalidProgress):
        Current(None).progress(done)


@pytest.mark.django_db
def test_a_follower_that_runs_again_waits_for_what_is_before_it():
    first, second = jobs.chain([jobs.Step("sample.add", {"a": 1}), jobs.Step("sample.add", {"a": 2})])
    jobs.cancel(second.pk)
    jobs.retry(second.pk)
    assert [job.pk for job in claim()] == [first.pk]
    attempts.end(attempts.Ending(Job.objects.get(pk=first.pk), "completed"))
    assert [job.pk for job in claim()] == [second.pk]


@pytest.mark.django_db
def test_a_follower_of_what_failed_does_not_run_again_before_that():
    first, second = jobs.chain([jobs.Step("sample.add", {"a": 1}), jobs.Step("sample.add", {"a": 2})])
    attempts.end(attempts.Ending(claim()[0], "failed"))
    with pytest.raises(jobs.JobError, match=f"The job before it, {first.pk}, is failed"):
        jobs.retry(second.pk)
    assert Job.objects.get(pk=second.pk).state == "cancelled"


@pytest.mark.django_db
def test_a_finishing_job_that_runs_again_waits_for_its_group():
    _, finishing = jobs.group([jobs.Step("sample.add", {"a": 1})] * 2, jobs.Step("sample.add", {"a": 3}))
    jobs.cancel(finishing.pk)
    attempts.end(attempts.Ending(claim(1)[0], "failed"))
    assert jobs.retry(finishing.pk).waits == 1
    attempts.end(attempts.Ending(claim(1)[0], "completed"))
    assert [job.pk for job in claim()] == [finishing.pk]


@pytest.mark.django_db
def test_a_worker_that_broke_counts_as_a_loss_and_one_that_was_told_to_stop_does_not():
    asked = jobs.submit("sample.add", {"a": 1})
    attempts.release(claim()[0])
    assert Job.objects.get(pk=asked.pk).max_attempts == asked.max_attempts + 1
    attempts.lose(claim()[0], "worker_broke")
    job = Job.objects.get(pk=asked.pk)
    assert (job.max_attempts, job.losses, job.attempts.last().error) == (
        asked.max_attempts + 1,
        1,
        "A part of its worker broke while it ran.",
    )


@pytest.mark.django_db
def test_a_cancelled_job_that_waited_has_no_running_time_and_no_old_error():
    jobs.submit("sample.add", {"a": 1})
    later = timezone.now() + timedelta(hours=1)
    attempts.end(attempts.Ending(claim()[0], "retrying", error_code="hiccup", error="away", retry_at=later))
    jobs.cancel(Job.objects.get().pk)
    told = task.Brief.tell(Job.objects.get(), timezone.now())
    assert (told["execution_time"], told["error"]["code"], told["error"]["message"]) == (None, "cancelled", "")


@pytest.fixture
def set_clock(monkeypatch):
    """set_clock(seconds): the wall's clock jumps, the one that only goes on does not."""

    def jump(seconds: float) -> None:
        real = time.time
        monkeypatch.setattr(clock.time, "time", lambda: real() + seconds)

    return jump


@pytest.mark.parametrize(("seconds", "moved"), [(3600, 3600), (-60, -60), (1.2, 1), (0.4, 0)])
def test_a_clock_that_is_set_is_noticed_once(set_clock, seconds, moved):
    watch = Watch()
    set_clock(seconds)
    assert (round(watch.moved()), round(watch.moved())) == (moved, 0)


@pytest.mark.django_db
def test_after_the_clock_was_set_no_job_is_taken_from_its_worker(set_clock):
    jobs.submit("sample.add", {"a": 1})
    claim()
    looking = reaper.Reaper(lambda: None)
    set_clock(8 * 3600)
    looking.round(timezone.now() + timedelta(hours=8))
    assert Job.objects.get().state == "running"


@pytest.mark.django_db
def test_a_worker_whose_process_is_gone_is_lost_and_one_that_said_goodbye_stopped():
    now = timezone.now()
    facts = {"host": "h", "place": place.here(), "concurrency": 1, "started_at": now, "heartbeat_at": now}
    Worker.objects.create(id=context.uuid.uuid4(), pid=2**22 - 1, birth=1.0, **facts)
    Worker.objects.create(id=context.uuid.uuid4(), pid=2**22 - 1, birth=1.0, stopped_at=now, **facts)
    reaper.bury(now)
    assert sorted(each["state"] for each in overview.workers(now)) == ["lost", "stopped"]


def claim(limit: int = 10) -> list[Job]:
    return claims.claim(context.uuid.uuid4(), limit, timezone.now())
