"""The ledger in the admin."""

import pytest

from monitoring import jobs
from monitoring.models import Job, JobTemplate
from tests.monitoring import sample_jobs  # noqa: F401

PATH = "/admin/monitoring/job/"


@pytest.fixture
def asked(db) -> Job:
    return jobs.submit("sample.add", {"a": 1})


def act(admin_client, action: str, job: Job):
    return admin_client.post(PATH, {"action": action, "_selected_action": [str(job.pk)]}, follow=True)


def test_jobs_are_cancelled_and_run_again_from_the_list(admin_client, asked):
    act(admin_client, "cancel", asked)
    assert Job.objects.get().state == "cancelled"
    act(admin_client, "run_again", asked)
    assert Job.objects.get().state == "pending"


def test_what_cannot_run_again_is_said(admin_client, asked):
    assert "only one that failed" in act(admin_client, "run_again", asked).content.decode()


@pytest.mark.parametrize(
    ("submission", "said"),
    [
        ('{"task": "sample.add", "args": {"a": "1"}}', "a must be a whole number"),
        ('{"task": "sample.gone"}', "There is no job"),
        ('{"task": "sample.add", "args": {"a": 1}, "priority": "urgent"}', "priority: "),
        ("[1]", "Invalid data"),
    ],
)
def test_a_template_is_refused_in_the_admin_as_it_is_over_http(admin_client, submission, said):
    form = {"name": "t", "submission": submission}
    assert said in admin_client.post("/admin/monitoring/jobtemplate/add/", form).content.decode()
    assert not JobTemplate.objects.exists()


def test_a_sound_template_is_saved_in_the_admin(admin_client):
    form = {"name": "t", "submission": '{"task": "sample.add", "args": {"a": 1}}'}
    admin_client.post("/admin/monitoring/jobtemplate/add/", form)
    assert JobTemplate.objects.get().submission == {"task": "sample.add", "args": {"a": 1}}


@pytest.mark.parametrize("path", ["job", "worker", "jobtemplate", "scheduleslot"])
def test_every_list_opens(admin_client, asked, path):
    assert admin_client.get(f"/admin/monitoring/{path}/").status_code == 200


def test_a_jobs_page_is_not_for_writing(admin_client, asked):
    page = admin_client.get(f"{PATH}{asked.pk}/change/").content.decode()
    assert 'name="_save"' not in page
