"""Jobs in a real worker process, on the real broker and database."""

import pytest

from monitoring import jobs
from monitoring.models import Job, JobTemplate, Worker
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.conftest import is_alive, until

pytestmark = pytest.mark.db


def test_a_submitted_job_runs_and_keeps_its_result(worker):
    asked = jobs.submit("sample.add", {"a": 2, "b": 3})
    done = jobs.wait(asked.pk, 60)
    assert (done.state, done.result, done.attempt) == ("completed", 5, 1)


def test_an_async_job_runs(worker):
    assert jobs.wait(jobs.submit("sample.add_async", {"a": 2, "b": 3}).pk, 60).result == 5


def test_rows_and_the_jobs_end_commit_as_one(worker):
    done = jobs.wait(jobs.submit("sample.save", {"name": "first"}).pk, 60)
    assert done.result == "first"
    assert JobTemplate.objects.filter(name="first").exists()


def test_an_error_that_says_it_is_temporary_is_tried_again(worker, tmp_path):
    done = jobs.wait(jobs.submit("sample.hiccup", {"path": str(tmp_path / "tries"), "times": 2}).pk, 60)
    assert (done.state, done.result, done.attempt) == ("completed", 3, 3)
    assert [each.error_code for each in done.attempts.all()] == ["hiccup", "hiccup"]


@pytest.mark.parametrize(("kind", "code"), [("value", "ValueError"), ("result", "invalid_result")])
def test_another_error_fails_the_job_with_its_name(worker, kind, code):
    done = jobs.wait(jobs.submit("sample.wrong", {"kind": kind}).pk, 60)
    assert (done.state, done.error_code, done.attempt) == ("failed", code, 1)


def test_a_running_job_stops_at_a_checkpoint_when_cancelled(worker):
    asked = jobs.submit("sample.sleep", {"seconds": 30})
    until(lambda: Job.objects.get(pk=asked.pk).state == "running")
    jobs.cancel(asked.pk)
    assert jobs.wait(asked.pk, 5).state == "cancelled"


@pytest.mark.parametrize("name", ["sample.sleep", "sample.deaf", "sample.isolated"])
def test_a_job_that_takes_too_long_is_timed_out(worker, name):
    done = jobs.wait(jobs.submit(name, {"seconds": 30}, timeout=1).pk, 60)
    assert done.state == "timed_out"
    assert 1 <= (done.finished_at - done.started_at).total_seconds() < 25  # of 30


def test_a_worker_counts_its_failures_also_those_of_isolated_jobs_and_their_deaths(worker):
    row = Worker.objects.filter(pid=worker.process.pid)
    until(row.exists)
    processed, failed = row.values_list("processed", "failed").get()
    jobs.wait(jobs.submit("sample.isolated_wrong").pk, 60)
    assert jobs.wait(jobs.submit("sample.die").pk, 60).state == "failed"
    jobs.wait(jobs.submit("sample.wrong", {"kind": "value"}).pk, 60)
    jobs.wait(jobs.submit("sample.save", {"name": "saved"}).pk, 60)
    until(lambda: row.get().processed == processed + 4)
    assert row.get().failed == failed + 3


def test_an_isolated_job_has_a_process_of_its_own_and_says_how_far_it_is(worker):
    asked = jobs.submit("sample.isolated", {"seconds": 1})
    done = jobs.wait(asked.pk, 60)
    assert done.result != worker.process.pid
    assert done.progress_word == "half"


def test_a_cancelled_isolated_job_is_killed_with_what_it_started(worker, tmp_path):
    path = tmp_path / "pid"
    asked = jobs.submit("sample.isolated_parent", {"path": str(path)})
    until(lambda: path.exists() and path.read_text().endswith("\n"))
    jobs.cancel(asked.pk)
    assert jobs.wait(asked.pk, 5).state == "cancelled"
    until(lambda: not is_alive(int(path.read_text())), 10)
