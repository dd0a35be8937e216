"""What the jobs left undone that a job asked for: it says so itself, wherever it is told, also if it ended before."""

import uuid

import pytest
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import attempts, endings
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.running.context import Current, entered
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.db]


@pytest.fixture
def parent() -> Job:
    """A completed job that asked for two others."""
    jobs.submit("sample.add", {"a": 1})
    (claimed,) = claims.claim(uuid.uuid4(), 1, timezone.now())
    with entered(Current(claimed)):
        jobs.submit_many("sample.add", [{"a": 1}] * 2)
    endings.write([Ending(claimed, Job.State.COMPLETED)])
    return claimed


def end_both(state: str, **facts) -> list[Job]:
    """The first one well, the other as is said."""
    first, other = claims.claim(uuid.uuid4(), 2, timezone.now())
    attempts.end(Ending(first, Job.State.COMPLETED))
    attempts.end(Ending(other, state, **facts))
    return [first, other]


def told(admin_client, job: Job) -> tuple:
    one = admin_client.get(f"/api/tasks/task/{job.pk}").json()
    result = admin_client.get(f"/api/tasks/task/{job.pk}/result").json()
    listed = {each["task_id"]: each for each in admin_client.get("/api/tasks/tasks").json()["results"]}
    assert {one["outcome"], result["outcome"], listed[str(job.pk)]["outcome"]} == {one["outcome"]}
    assert one["failed"] == result["failed"]
    return one["outcome"], one["failed"]


@pytest.mark.parametrize(
    ("state", "facts", "why"),
    [
        ("failed", {"error_code": "wrong", "error": "it is"}, "wrong: it is"),
        ("timed_out", {"error_code": "deadline_exceeded"}, "deadline_exceeded"),
        ("cancelled", {"error_code": "condition_false"}, "condition_false"),
        ("completed", {"parts": {"A": "", "B": "", "c": "small"}}, "partial: 2 of 3 came"),
    ],
)
def test_a_job_says_which_of_those_it_asked_for_left_something_undone(admin_client, parent, state, facts, why):
    assert told(admin_client, parent) == ("whole", {})
    _, other = end_both(state, **facts)
    assert told(admin_client, parent) == ("partial", {str(other): why})


def test_a_job_of_which_all_came_in_the_end_is_whole(admin_client, parent):
    _, other = end_both("failed", error_code="wrong")
    jobs.retry(other.pk)
    assert told(admin_client, parent) == ("whole", {})
    (again,) = claims.claim(uuid.uuid4(), 1, timezone.now())
    attempts.end(Ending(again, Job.State.COMPLETED))
    assert told(admin_client, parent) == ("whole", {})
