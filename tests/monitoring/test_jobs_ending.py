"""How an attempt ends: once, by whoever holds it, with its rows or not at all."""

from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import attempts, endings, reaper
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.errors import Superseded, WrongState
from monitoring.jobs.running import body
from monitoring.jobs.running.context import Current
from monitoring.models import Job, JobTemplate
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.ledger import WORKER, add, claim, complete, state

pytestmark = [pytest.mark.django_db, pytest.mark.db]


def test_results_of_many_are_written_at_once_and_each_to_its_own(caplog):
    for number in range(3):
        jobs.submit("sample.add", {"a": number})
    assert endings.write([Ending(job, Job.State.COMPLETED, job.arguments["a"]) for job in claim(3)]) == []
    assert all(job.result == job.arguments["a"] for job in Job.objects.all())
    assert "one by one" not in caplog.text


def test_where_none_can_be_written_with_others_nobody_asks_which(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert endings.write([]) == []


def test_results_go_into_statements_that_a_server_takes(monkeypatch):
    monkeypatch.setattr(endings, "STATEMENT_LENGTH", 10)
    told = [(None, "x" * length) for length in (4, 6, 1, 11, 3, 7)] + [(None, None)]
    assert [[len(each or "") for _, each in batch] for batch in endings._batches(told)] == [
        [4, 6],
        [1],
        [11],
        [3, 7, 0],
    ]


def test_one_that_was_given_up_changes_nothing_and_the_others_of_its_batch_end(caplog):
    add(), add()
    first, second = claim(2)
    Job.objects.filter(pk=first.pk).update(attempt=2)
    assert endings.write([Ending(job, Job.State.COMPLETED) for job in (first, second)]) == []
    assert (state(first), state(second)) == ("running", "completed")
    assert f"{first}: attempt 1 was given up before it ended" in caplog.text


def test_the_rows_of_a_worker_that_was_given_up_roll_back():
    add()
    zombie = Current(claim()[0])
    Job.objects.update(attempt=2)
    with pytest.raises(Superseded), zombie.commit():
        JobTemplate.objects.create(name="twice", submission={})
    assert not JobTemplate.objects.exists()


def test_a_commit_notes_which_rows_it_wrote():
    add()
    with Current(claim()[0]).commit() as end:
        end.note(JobTemplate, 3, first="a", last="c")
    assert Job.objects.get().wrote == [{"model": "monitoring.JobTemplate", "count": 3, "first": "a", "last": "c"}]


def test_a_failed_job_can_run_again_in_its_row():
    asked = add()
    endings.write([Ending(claim()[0], Job.State.FAILED, error_code="wrong")])
    jobs.retry(asked.pk)
    complete(claim()[0])
    again = Job.objects.get()
    assert (again.state, again.attempt, again.error_code) == ("completed", 2, "")
    with pytest.raises(WrongState):
        jobs.retry(asked.pk)


def test_a_job_whose_lease_ran_out_is_tried_again_alone_and_put_into_quarantine_after_its_attempts(caplog):
    asked = add(max_attempts=2)
    for expected in ("retrying", "failed"):
        claim()
        reaper.expire(timezone.now() + claims.LEASE + timedelta(seconds=1))
        assert state(asked) == expected
    ended = Job.objects.get()
    assert (ended.error_code, ended.losses) == ("worker_lost", 2)
    assert [attempt.outcome for attempt in ended.attempts.all()] == ["lost", "lost"]
    assert "its worker stopped answering in attempt 2" in caplog.text


def test_a_lease_that_is_extended_is_left_alone():
    asked = add()
    held = claim()
    later = timezone.now() + claims.LEASE
    claims.extend(WORKER, held, later)
    reaper.expire(later + timedelta(seconds=1))
    assert state(asked) == "running"


@pytest.mark.parametrize(("seconds", "then"), [(4.5, "running"), (5.5, "timed_out")])
def test_a_job_some_seconds_past_its_deadline_ends_although_its_worker_holds_it(seconds, then):
    asked = add(timeout=1)
    held = claim()
    later = Job.objects.get().deadline_at + timedelta(seconds=seconds)
    claims.extend(WORKER, held, later)
    reaper.expire(later)
    assert state(asked) == then


def test_a_released_job_keeps_all_its_attempts():
    asked = add(max_attempts=1)
    attempts.release(claim()[0])
    again = Job.objects.get(pk=asked.pk)
    assert (again.state, again.attempt, again.max_attempts) == ("retrying", 1, 2)


def test_a_job_whose_condition_does_not_hold_is_not_run():
    add(only_if={"name": "sample.open", "arguments": {"exchange": "XNYS"}})
    ending = body.run(Current(claim()[0]))
    assert (ending.state, ending.error_code) == ("cancelled", "condition_false")
