"""A job of which a part failed is completed, and says so wherever it is told."""

import uuid

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import attempts, endings
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.running import body, context, isolated
from monitoring.jobs.running.context import Current
from monitoring.jobs.telling import changes
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.db]
SMALL = {"b": "ValueError: it is small"}


@pytest.fixture
def staff(client):
    client.force_login(get_user_model().objects.create_user("staff", is_staff=True))


def run_all() -> None:
    """As a worker does."""
    while claimed := claims.claim(uuid.uuid4(), 50, timezone.now()):
        endings.write([ending for job in claimed if (ending := body.run(Current(job)))])


def facts(job: Job) -> tuple:
    job.refresh_from_db()
    return job.state, job.outcome, job.parts_done, job.parts_asked, job.parts_failed


def test_a_job_of_which_a_part_failed_is_completed_in_part(client, staff):
    job = jobs.submit("sample.many", {"names": ["A", "b", "C"]})
    run_all()
    assert facts(job) == ("completed", "partial", 2, 3, SMALL)
    told = client.get(f"/api/tasks/task/{job.pk}").json()
    assert (told["status"], told["outcome"], told["done"], told["asked"]) == ("completed", "partial", 2, 3)
    assert told["failed"] == client.get(f"/api/tasks/task/{job.pk}/result").json()["failed"] == SMALL


def test_the_list_and_its_csv_say_how_much_came(client, staff):
    jobs.submit("sample.many", {"names": ["A", "b", "C"]})
    run_all()
    (told,) = client.get("/api/tasks/tasks").json()["results"]
    assert (told["outcome"], told["done"], told["asked"]) == ("partial", 2, 3)
    head, row = client.get("/api/tasks/tasks?format=csv").content.decode().split()[:2]
    said = dict(zip(head.split(","), row.replace('"A,b,C"', "").split(","), strict=True))
    assert (said["outcome"], said["done"], said["asked"]) == ("partial", "2", "3")


def test_a_job_whose_parts_all_came_is_whole_and_so_is_one_without_parts():
    many, plain = jobs.submit("sample.many", {"names": ["A", "C"]}), jobs.submit("sample.add", {"a": 1})
    follows = jobs.chain([jobs.Step("sample.add", {"a": 1}), jobs.Step("sample.add", {"a": 1})])[0]
    run_all()
    assert facts(many) == ("completed", "whole", 2, 2, None)
    assert facts(plain) == facts(follows) == ("completed", "whole", None, None, None)


def test_a_job_that_has_not_completed_has_no_outcome():
    waiting, failed = jobs.submit("sample.many", {"names": ["b"]}), jobs.submit("sample.wrong", {"kind": "value"})
    assert facts(waiting)[1] is None
    run_all()
    assert facts(failed)[:2] == ("failed", None)


def test_the_message_says_how_much_came(monkeypatch, django_capture_on_commit_callbacks):
    told = []
    monkeypatch.setattr(changes.LIST, "put", lambda *each: told.extend(each))
    with django_capture_on_commit_callbacks(execute=True):
        jobs.submit("sample.many", {"names": ["A", "b", "C"]})
        jobs.submit("sample.add", {"a": 1})
        run_all()
    ended = {each["name"]: [each[word] for word in ("outcome", "done", "asked")] for each in told if "outcome" in each}
    assert ended == {"sample.many": ["partial", 2, 3], "sample.add": ["whole", None, None]}


def test_the_process_of_an_isolated_job_says_so_too(monkeypatch):
    job = jobs.submit("sample.many_isolated", {"names": ["A", "b"]})
    claims.claim(uuid.uuid4(), 1, timezone.now())
    for what in ("os.setsid", "threading.Thread.start", "connections.close_all"):  # it lives in this process here
        monkeypatch.setattr(f"monitoring.jobs.running.isolated.{what}", lambda *_: None)
    isolated.live(job.pk, 1, None)
    assert facts(job) == ("completed", "partial", 1, 2, SMALL)


def test_jobs_that_end_at_once_say_each_what_came():
    asked = jobs.submit_many("sample.add", [{"a": 1}] * 3)
    told = [{"A": "", "b": "away"}, {"A": ""}, None]
    claimed = claims.claim(uuid.uuid4(), 3, timezone.now())
    endings.write([Ending(job, "completed", parts=each) for job, each in zip(claimed, told, strict=True)])
    assert sorted(facts(job)[1:4] for job in asked if facts(job)[2]) == [("partial", 1, 2), ("whole", 1, 1)]


def test_an_attempt_counts_its_own_parts_only():
    job = jobs.submit("sample.many", {"names": ["A", "b"]})
    (claimed,) = claims.claim(uuid.uuid4(), 1, timezone.now())
    with context.entered(Current(claimed)) as first:
        first.tell_parts({"Z": "of an attempt that was lost"})
    attempts.lose(claimed, "worker_lost")
    run_all()
    Job.objects.filter(pk=job.pk).update(not_before=timezone.now())
    run_all()
    assert facts(job) == ("completed", "partial", 1, 2, SMALL)


def test_what_failed_once_is_not_done_by_something_else():
    running = Current(None)
    running.tell_parts({"A": "no answer", "B": ""})
    running.tell_parts({"A": "", "B": "no price"})
    assert running.parts == {"A": "no answer", "B": "no price"}


def test_the_job_that_finishes_a_group_sees_what_came_of_its_parts():
    steps = [jobs.Step("sample.many", {"names": names}) for names in (["A", "b"], ["C"])]
    _, finishing = jobs.group(steps, jobs.Step("sample.before"))
    run_all()
    finishing.refresh_from_db()
    assert sorted(finishing.result) == [["partial", SMALL], ["whole", None]]


def test_the_dashboard_counts_those_that_came_in_part(client, staff):
    for names in (["A", "b"], ["A"], ["C"]):
        jobs.submit("sample.many", {"names": names})
    run_all()
    told = client.get("/api/tasks/dashboard").json()
    assert told["partial_last_hour"] == 1
    assert [(each["name"], each["count"], each["partial"]) for each in told["by_name"]] == [("sample.many", 3, 1)]
