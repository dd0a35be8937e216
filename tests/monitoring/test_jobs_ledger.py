"""The moves of a job's row: who may make them, and what follows."""

import uuid
from datetime import timedelta

import orjson
import pytest
from django.db import transaction
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs import Step
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import attempts, endings, reaper
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.errors import Cancelled, InvalidArguments, Superseded, WrongState
from monitoring.jobs.running import body, context
from monitoring.jobs.running.context import Current
from monitoring.jobs.telling import changes, task
from monitoring.models import Job, JobTemplate
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.db]
WORKER = uuid.uuid4()


def claim(limit: int = 1) -> list[Job]:
    return claims.claim(WORKER, limit, timezone.now())


def add(**options) -> Job:
    return jobs.submit("sample.add", {"a": 1}, **options)


def state(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


def complete(job: Job) -> None:
    endings.write([Ending(job, Job.State.COMPLETED, 1)])


def test_the_highest_priority_is_claimed_first_and_then_the_oldest():
    asked = [add(priority=priority) for priority in ("low", "normal", "high", "low", "high")]
    order = [asked.index(job) for job in claim(5)]
    assert order == [2, 4, 1, 0, 3]


def test_a_claimed_job_is_not_claimed_again():
    add()
    assert len(claim(10)) == 1
    assert claim(10) == []


def test_a_job_for_later_waits_for_its_time():
    add(not_before=timezone.now() + timedelta(hours=1))
    assert claim() == []


def test_those_that_wait_for_later_are_before_nobody_in_any_lane():
    lanes = ("low", "normal", "high")
    for priority in lanes:
        add(priority=priority, not_before=timezone.now() + timedelta(hours=1))
    asked = [add(priority=priority) for priority in lanes]
    assert claim(10) == asked[::-1]


def test_results_of_many_are_written_at_once_and_each_to_its_own():
    for number in range(3):
        jobs.submit("sample.add", {"a": number})
    assert endings.write([Ending(job, Job.State.COMPLETED, job.arguments["a"]) for job in claim(3)]) == []
    assert all(job.result == job.arguments["a"] for job in Job.objects.all())


def test_one_that_was_given_up_changes_nothing_and_the_others_of_its_batch_end():
    add(), add()
    first, second = claim(2)
    Job.objects.filter(pk=first.pk).update(attempt=2)
    assert endings.write([Ending(job, Job.State.COMPLETED) for job in (first, second)]) == []
    assert (state(first), state(second)) == ("running", "completed")


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


def test_a_waiting_job_that_is_cancelled_never_starts():
    asked = add()
    assert jobs.cancel(asked.pk) == "cancelled"
    assert claim() == []


def test_a_running_job_whose_cancel_was_accepted_never_completes():
    add()
    current = Current(claim()[0])
    assert jobs.cancel(current.job.pk) == "running"
    with pytest.raises(Cancelled), current.commit():
        pass
    endings.write([Ending(current.job, Job.State.COMPLETED)])
    assert state(current.job) == "cancelled"


@pytest.mark.parametrize("ending", [Job.State.RETRYING, Job.State.FAILED, Job.State.TIMED_OUT])
def test_a_running_job_whose_cancel_was_accepted_is_cancelled_however_it_ends(ending):
    add()
    job = claim()[0]
    jobs.cancel(job.pk)
    endings.write([Ending(job, ending, error_code="no_answer", retry_at=timezone.now())])
    assert state(job) == "cancelled"


def test_a_cancelled_job_whose_worker_stops_does_not_start_again():
    add()
    job = claim()[0]
    jobs.cancel(job.pk)
    attempts.release(job)
    assert state(job) == "cancelled"


def test_a_finishing_job_waits_again_for_one_that_runs_again():
    asked, last = jobs.group([Step("sample.add", {"a": n}) for n in range(3)], then=Step("sample.add", {"a": 9}))
    first, second, _third = claim(3)
    endings.write([Ending(first, Job.State.FAILED, error_code="wrong")])
    jobs.retry(first.pk)
    complete(claim()[0])
    complete(second)
    assert Job.objects.get(pk=last.pk).waits == 1
    assert len(asked) == 3


def test_what_has_ended_cannot_be_cancelled():
    asked = add()
    complete(claim()[0])
    with pytest.raises(WrongState):
        jobs.cancel(asked.pk)


def test_a_failed_job_can_run_again_in_its_row():
    asked = add()
    endings.write([Ending(claim()[0], Job.State.FAILED, error_code="wrong")])
    jobs.retry(asked.pk)
    complete(claim()[0])
    again = Job.objects.get()
    assert (again.state, again.attempt, again.error_code) == ("completed", 2, "")
    with pytest.raises(WrongState):
        jobs.retry(asked.pk)


def test_a_job_whose_lease_ran_out_is_tried_again_alone_and_put_into_quarantine_after_its_attempts():
    asked = add(max_attempts=2)
    for expected in ("retrying", "failed"):
        claim()
        reaper.expire(timezone.now() + claims.LEASE + timedelta(seconds=1))
        assert state(asked) == expected
    ended = Job.objects.get()
    assert (ended.error_code, ended.losses) == ("worker_lost", 2)
    assert [attempt.outcome for attempt in ended.attempts.all()] == ["lost", "lost"]


def test_a_lease_that_is_extended_is_left_alone():
    asked = add()
    held = claim()
    later = timezone.now() + claims.LEASE
    claims.extend(WORKER, held, later)
    reaper.expire(later + timedelta(seconds=1))
    assert state(asked) == "running"


def test_a_job_far_past_its_deadline_ends_although_its_worker_holds_it():
    asked = add(timeout=1)
    held = claim()
    later = timezone.now() + timedelta(seconds=10)
    claims.extend(WORKER, held, later)
    reaper.expire(later)
    assert state(asked) == "timed_out"


def test_a_released_job_keeps_all_its_attempts():
    asked = add(max_attempts=1)
    attempts.release(claim()[0])
    again = Job.objects.get(pk=asked.pk)
    assert (again.state, again.attempt, again.max_attempts) == ("retrying", 1, 2)


@pytest.mark.parametrize("attempts", [0, 1])
def test_a_job_that_is_given_back_before_it_began_is_where_it_was_and_no_attempt_was(attempts):
    asked, after = add(), add()
    for _ in range(attempts):
        attempt = claim()[0]
        again = {"error_code": "hiccup", "retry_at": asked.not_before}
        endings.write([Ending(attempt, Job.State.RETRYING, **again)])
    assert claims.give_back(claim()[0])
    back = Job.objects.get(pk=asked.pk)
    assert (back.state, back.tried, back.max_attempts) == (("pending", "retrying")[attempts], attempts, 4)
    assert (back.attempts.count(), back.started_at, back.worker) == (attempts, None, None)
    assert claim(2) == [asked, after]


def test_who_gave_a_job_back_may_not_end_it_whoever_has_it_then():
    add()
    first = claim()[0]
    claims.give_back(first)
    again = claim()[0]
    assert again.tried == 1
    for stale in (Ending(first, Job.State.COMPLETED), Ending(first, Job.State.FAILED)):
        assert not attempts.end(stale)
    complete(again)


def test_a_job_that_is_given_back_again_and_again_keeps_all_its_attempts():
    asked = add(max_attempts=2)
    for _ in range(5):
        claims.give_back(claim()[0])
    for expected in ("retrying", "failed"):
        attempts.lose(claim()[0], "worker_lost")
        Job.objects.update(not_before=timezone.now())
        assert state(asked) == expected
    assert [each.number for each in asked.attempts.all()] == [1, 2]


def test_a_cancelled_job_that_is_given_back_does_not_start():
    add()
    job = claim()[0]
    jobs.cancel(job.pk)
    claims.give_back(job)
    assert state(job) == "cancelled"


def test_a_chain_goes_on_step_by_step():
    asked = jobs.chain([Step("sample.add", {"a": number}) for number in range(3)])
    for expected in asked:
        (job,) = claim(3)
        assert job.pk == expected.pk
        complete(job)
    assert {state(job) for job in asked} == {"completed"}


def test_a_chain_ends_where_a_step_fails_and_goes_on_when_that_is_tried_again():
    asked = jobs.chain([Step("sample.add", {"a": number}) for number in range(3)])
    endings.write([Ending(claim()[0], Job.State.FAILED, error_code="wrong")])
    assert [state(job) for job in asked] == ["failed", "cancelled", "cancelled"]
    jobs.retry(asked[0].pk)
    complete(claim()[0])
    assert [state(job) for job in asked] == ["completed", "pending", "pending"]


@pytest.fixture
def long_chain() -> list[Job]:
    """More than are read at once, and behind them a job that runs however they end."""
    made = jobs.chain([Step("sample.add", {"a": number}) for number in range(500)])
    last = add()
    Job.objects.filter(pk=last.pk).update(lane=None, waits=1, runs_after=Job.RunsAfter.END)
    Job.objects.filter(pk=made[-1].pk).update(then=last)
    return [*made, last]


def test_a_long_chain_is_cancelled_and_revived_in_a_few_queries(long_chain, django_assert_max_num_queries):
    *chained, last = long_chain
    with django_assert_max_num_queries(30):
        jobs.cancel(chained[0].pk)
    assert Job.objects.filter(state="cancelled", error_code="previous_failed").count() == 499
    assert [job.pk for job in claim(5)] == [last.pk]
    with django_assert_max_num_queries(50):
        jobs.retry(chained[0].pk)
    assert Job.objects.filter(state="pending", waits=1, lane=None).count() == 499
    assert [job.pk for job in claim(5)] == [chained[0].pk]


def test_a_chain_that_fails_in_its_middle_is_given_up_from_there_to_the_end(long_chain):
    *chained, last = long_chain
    complete(claim()[0])
    complete(claim()[0])
    endings.write([Ending(claim()[0], Job.State.FAILED, error_code="wrong")])
    assert [state(job) for job in (chained[1], chained[2], chained[3], chained[-1])] == [
        "completed",
        "failed",
        "cancelled",
        "cancelled",
    ]
    jobs.retry(chained[2].pk)
    assert (state(chained[1]), state(chained[-1]), Job.objects.get(pk=last.pk).lane) == ("completed", "pending", None)


def test_the_finishing_job_of_a_group_runs_when_all_ended_and_sees_what_became_of_each():
    members, finishing = jobs.group([Step("sample.add", {"a": n}) for n in range(2)], Step("sample.add", {"a": 9}))
    first, second = claim(3)
    complete(first)
    assert claim() == []
    endings.write([Ending(second, Job.State.FAILED, error_code="wrong")])
    (last,) = claim()
    assert last == finishing
    assert {job.pk: job.state for job in Current(last).before()} == {first.pk: "completed", second.pk: "failed"}
    assert {first, second} == set(members)


def test_the_finishing_job_of_an_empty_group_waits_for_nobody():
    _, finishing = jobs.group([], jobs.Step("sample.add", {"a": 1}))
    assert [job.pk for job in claim()] == [finishing.pk]


def test_a_job_whose_condition_does_not_hold_is_not_run():
    add(only_if={"name": "sample.open", "arguments": {"exchange": "XNYS"}})
    ending = body.run(Current(claim()[0]))
    assert (ending.state, ending.error_code) == ("cancelled", "condition_false")


def test_a_job_that_a_job_asks_for_knows_its_parent():
    add()
    current = Current(claim()[0])
    with context.entered(current):
        child = add()
    assert child.parent_id == current.job.pk


def test_every_change_is_appended_for_the_feed(redis, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        add()
        complete(claim()[0])
    changes.flush()
    told = [orjson.loads(line) for line in redis.lrange(changes.KEY, 0, -1)]
    assert [each["state"] for each in told] == ["pending", "running", "completed"]


def test_a_rolled_back_submission_leaves_nothing():
    with transaction.atomic():
        add()
        transaction.set_rollback(True)
    assert not Job.objects.exists()


def test_retention_deletes_what_ended_long_ago_with_its_attempts_and_nothing_else():
    old, young, waiting = add(), add(), add()
    for job in claim(2):
        attempts.end(Ending(job, Job.State.FAILED, error_code="wrong"))
    Job.objects.filter(pk=old.pk).update(finished_at=timezone.now() - timedelta(days=40))
    assert jobs.everything()["monitoring.retention"](days=30)["jobs"] == 1
    assert set(Job.objects.all()) == {young, waiting}


def test_a_job_that_waits_to_run_again_has_no_running_time():
    asked = add()
    endings.write([Ending(claim()[0], Job.State.FAILED, error_code="wrong")])
    jobs.retry(asked.pk)
    assert task.Brief.tell(Job.objects.get(), timezone.now())["execution_time"] is None


@pytest.mark.parametrize("days", [0, -1, 3_651, 10**10])
def test_retention_of_no_sensible_span_deletes_nothing(days):
    add()
    complete(claim()[0])
    with pytest.raises(InvalidArguments, match="days must be a whole number from 1 to 3650"):
        jobs.everything()["monitoring.retention"](days=days)
    assert Job.objects.exists()
