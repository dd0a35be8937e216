"""Chains and groups: what waits behind a job goes on, is given up, or waits again."""

import uuid

import pytest
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs import Step
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import endings, followers
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.running.context import Current
from monitoring.jobs.telling import changes
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.ledger import add, claim, complete, state

pytestmark = [pytest.mark.django_db, pytest.mark.db]


def test_a_finishing_job_waits_again_for_one_that_runs_again():
    asked, last = jobs.group([Step("sample.add", {"a": n}) for n in range(3)], then=Step("sample.add", {"a": 9}))
    first, second, _third = claim(3)
    endings.write([Ending(first, Job.State.FAILED, error_code="wrong")])
    jobs.retry(first.pk)
    complete(claim()[0])
    complete(second)
    assert Job.objects.get(pk=last.pk).waits == 1
    assert len(asked) == 3


def test_a_finishing_job_that_is_about_to_be_tried_again_waits_for_nobody_that_runs_again():
    (first,), last = jobs.group([Step("sample.add", {"a": 1})], then=Step("sample.add", {"a": 9}))
    endings.write([Ending(claim()[0], Job.State.FAILED, error_code="wrong")])
    finishing = claim()[0]
    assert finishing.pk == last.pk
    endings.write([Ending(finishing, Job.State.RETRYING, error_code="away", retry_at=timezone.now())])
    jobs.retry(first.pk)
    assert {job.pk for job in claim(5)} == {first.pk, last.pk}


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


def test_what_somebody_cancelled_behind_a_job_stays_so_when_that_runs_again():
    first, second, third = jobs.chain([Step("sample.add", {"a": number}) for number in range(3)])
    jobs.cancel(second.pk)
    endings.write([Ending(claim()[0], Job.State.FAILED, error_code="wrong")])
    jobs.retry(first.pk)
    assert [state(job) for job in (first, second, third)] == ["pending", "cancelled", "cancelled"]
    complete(claim()[0])
    assert claim() == []


def test_each_move_of_what_waits_behind_a_job_is_told(monkeypatch, django_capture_on_commit_callbacks):
    told = []
    asked = jobs.chain([Step("sample.add", {"a": number}) for number in range(2)])
    monkeypatch.setattr(changes.LIST, "put", lambda *each: told.extend(each))
    with django_capture_on_commit_callbacks(execute=True):
        jobs.cancel(asked[0].pk)
        jobs.retry(asked[0].pk)
    said = [(each["task_id"], each["state"], each["error_code"]) for each in told]
    first, second = (str(job.pk) for job in asked)
    assert sorted(said[:2]) == sorted([(first, "cancelled", "cancelled"), (second, "cancelled", "previous_failed")])
    assert sorted(said[2:]) == sorted([(first, "pending", ""), (second, "pending", "")])


def test_a_job_that_runs_again_has_as_many_attempts_as_were_asked_for_however_often_it_was_given_back():
    asked = add(max_attempts=1)
    claims.give_back(claim()[0])
    endings.write([Ending(claim()[0], Job.State.FAILED, error_code="wrong")])
    again = jobs.retry(asked.pk)
    assert (again.tried, again.max_attempts, again.losses, again.error) == (1, 2, 0, "")


def test_behind_a_job_that_is_gone_nothing_follows():
    followers.revive(uuid.uuid4())
    followers.one_ended(uuid.uuid4(), is_completed=False, nowait=True)
