"""A job is found by each thing that it is about, exactly."""

import uuid
from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs import subjects
from monitoring.jobs.ending import retention
from monitoring.models import Job, JobSubject, Worker
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.db]
SIXTY = [f"SYMBOL{number:02d}" for number in range(60)]


@pytest.fixture
def found(client):
    """found(symbol): the names of the jobs that the list has for it."""
    client.force_login(get_user_model().objects.create_user("staff", is_staff=True))

    def ask(symbol: str) -> list[str]:
        return [each["name"] for each in client.get("/api/tasks/tasks", {"symbol": symbol}).json()["results"]]

    return ask


def test_a_job_about_many_is_found_by_each_of_them(found):
    jobs.submit("sample.many", {"names": SIXTY})
    assert found("SYMBOL00") == found("SYMBOL58") == found("symbol59") == ["sample.many"]


def test_a_part_of_a_symbol_finds_nothing(found):
    jobs.submit("sample.add", {"a": 1, "title": "MSFT"})
    jobs.submit("sample.many", {"names": ["MSFT", "AAPL"]})
    assert found("T") == found("MSFT,AAPL,T") == []
    assert sorted(found("MSFT")) == ["sample.add", "sample.many"]  # jobs of one millisecond have no order


def test_a_job_about_all_names_none_and_the_help_says_by_what_it_is_found(client, found):
    everything = jobs.submit("sample.open_to_all")
    assert everything not in found("AAPL")
    told = client.get("/api/schema/?format=json").json()["paths"]["/api/tasks/tasks"]["get"]["parameters"]
    assert "found by `name`" in next(each["description"] for each in told if each["name"] == "symbol")


def test_a_symbol_in_small_letters_is_the_same(found):
    jobs.submit("sample.add", {"a": 1, "title": "msft"})
    jobs.submit("sample.many", {"names": ["aapl"]})
    assert (found("MSFT"), found("msft"), found("AAPL")) == (["sample.add"], ["sample.add"], ["sample.many"])


def test_a_symbol_that_names_no_job_is_not_all_of_them(client, found):
    jobs.submit("sample.many", {"names": SIXTY})
    assert found("SYMBOL60") == []
    for symbol in ("\0", ""):
        answer = client.get("/api/tasks/tasks", {"symbol": symbol})
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["symbol"])


def test_what_jobs_are_about_is_found_by_its_new_name_and_told_by_it(found):
    jobs.submit("sample.add", {"a": 1, "title": "FB"})
    jobs.submit("sample.many", {"names": ["AAPL", "FB"]})
    for _ in range(2):
        subjects.rename("FB", "META")
    assert (found("FB"), sorted(found("META"))) == ([], ["sample.add", "sample.many"])
    assert {job.about for job in Job.objects.all()} == {"META", "AAPL,META"}


def test_jobs_about_one_thing_cost_no_row_more():
    jobs.submit_many("sample.add", [{"a": number, "title": "AAPL"} for number in range(20)])
    assert not JobSubject.objects.exists()


def test_what_it_is_about_goes_with_the_job():
    jobs.submit("sample.many", {"names": SIXTY})
    Job.objects.update(state="completed", finished_at=timezone.now())
    retention.delete_before(timezone.now())
    assert not JobSubject.objects.exists()


def test_what_the_version_before_left_of_a_deleted_job_goes_too():
    kept = jobs.submit("sample.many", {"names": ["A", "B"]})
    Job.objects.filter(pk=jobs.submit("sample.many", {"names": SIXTY}).pk)._raw_delete("default")
    retention.delete_before(timezone.now())
    assert set(JobSubject.objects.values_list("job_id", flat=True)) == {kept.pk}


def test_retention_deletes_a_few_rows_at_a_time_of_every_kind():
    """Whoever deletes many at once keeps all others from writing meanwhile."""
    long_ago, many = timezone.now() - timedelta(days=400), 2 * retention.AT_ONCE + 1
    about = [f"SYMBOL{number}" for number in range(many)]
    Job.objects.filter(pk=jobs.submit("sample.many", {"names": about}).pk)._raw_delete("default")
    rows = [_worker(long_ago) for _ in range(many)]
    Worker.objects.bulk_create(rows)
    with CaptureQueriesContext(connection) as asked:
        assert retention.delete_before(timezone.now())["workers"] == len(rows)
    deletions = [each["sql"] for each in asked if each["sql"].startswith("DELETE")]
    assert [sum(table in each for each in deletions) for table in ("jobsubject", "monitoring_worker")] == [3, 3]
    assert not JobSubject.objects.exists()


def test_a_job_that_the_version_before_asked_for_is_found(found):
    jobs.submit("sample.many", {"names": SIXTY})
    jobs.submit("sample.add", {"a": 1, "title": "AAPL"})
    JobSubject.objects.all().delete()  # it wrote none
    assert found("AAPL") == ["sample.add"]
    import_module("monitoring.migrations.0006_fill_parts_subjects").fill_subjects(apps, None)
    assert found("SYMBOL58") == ["sample.many"]


def test_the_migration_says_what_came_of_jobs_that_ended_before_it():
    whole, partial, plain = (jobs.submit("sample.add", {"a": 1}) for _ in range(3))
    results = {whole: {"done": ["A"], "failed": {}}, partial: {"symbols": {"A": {}}, "failed": {"b": "away"}}, plain: 3}
    for job, result in results.items():
        Job.objects.filter(pk=job.pk).update(state="completed", result=result)
    import_module("monitoring.migrations.0006_fill_parts_subjects").fill_outcomes(apps, None)
    told = {job.pk: (job.outcome, job.parts_done, job.parts_asked, job.parts_failed) for job in Job.objects.all()}
    assert told == {
        whole.pk: ("whole", 1, 1, None),
        partial.pk: ("partial", 1, 2, {"b": "away"}),
        plain.pk: ("whole", None, None, None),
    }


def _worker(at: datetime) -> Worker:
    process = {"host": "here", "pid": 1, "place": "here", "birth": 0.0, "concurrency": 1}
    return Worker(id=uuid.uuid4(), **process, started_at=at, heartbeat_at=at)
