"""The ledger in the admin."""

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from monitoring import jobs
from monitoring.jobs import schedules
from monitoring.models import Job, JobTemplate
from tests.monitoring import sample_jobs  # noqa: F401
from tests.monitoring.locks import read_only

PATH = "/admin/monitoring/job/"
SCHEDULES = "/admin/django_celery_beat/periodictask/"


@pytest.fixture
def asked(db) -> Job:
    return jobs.submit("sample.add", {"a": 1})


def act(admin_client, action: str, *chosen: Job):
    return admin_client.post(PATH, {"action": action, "_selected_action": [str(job.pk) for job in chosen]}, follow=True)


def test_jobs_are_cancelled_and_run_again_from_the_list(admin_client, asked):
    act(admin_client, "cancel", asked)
    assert Job.objects.get().state == "cancelled"
    act(admin_client, "run_again", asked)
    assert Job.objects.get().state == "pending"


def test_what_cannot_run_again_is_said(admin_client, asked):
    assert "only one that failed" in act(admin_client, "run_again", asked).content.decode()


@pytest.mark.django_db(transaction=True)
def test_whatever_the_database_says_to_one_those_behind_it_are_told_of_too(admin_client):
    made = jobs.submit_many("sample.add", [{"a": 1}] * 2)
    with read_only():
        told = act(admin_client, "cancel", *made).content.decode()
    assert "0 cancelled, or asked to stop, 2 refused." in told


def test_one_that_nobody_can_run_again_ends_nothing_and_is_counted(admin_client):
    made = jobs.submit_many("sample.add", [{"a": 1}] * 3)
    Job.objects.exclude(pk=made[2].pk).update(state="failed", lane=None)
    Job.objects.filter(pk=made[1].pk).update(name="sample.newer")
    told = act(admin_client, "run_again", *made).content.decode()
    assert "1 waiting to run again, 2 refused." in told
    assert "sample.newer" in told
    assert Job.objects.get(pk=made[0].pk).state == "pending"


@pytest.mark.parametrize(
    ("submission", "said"),
    [
        ('{"task": "sample.add", "args": {"a": "1"}}', "a must be a whole number"),
        ('{"task": "sample.gone"}', "There is no job"),
        ('{"task": "sample.add", "args": {"a": 1}, "priority": "urgent"}', "priority: "),
        ("[1]", "<li>It must be an object: values by name."),
    ],
)
def test_a_template_is_refused_in_the_admin_as_it_is_over_http(admin_client, submission, said):
    form = {"name": "t", "submission": submission}
    assert said in admin_client.post("/admin/monitoring/jobtemplate/add/", form).content.decode()
    assert not JobTemplate.objects.exists()


def test_a_name_that_ends_in_a_slash_is_refused_in_the_admin_too(admin_client):
    form = {"name": "t/", "submission": '{"task": "sample.add", "args": {"a": 1}}'}
    answer = admin_client.post("/admin/monitoring/jobtemplate/add/", form)
    assert "must not begin or end with a slash" in answer.content.decode()
    assert not JobTemplate.objects.exists()


@pytest.mark.parametrize("submission", ["[" * 100_000, "1" * 5_000, '{"task": "sample.add", "\\ud800": 1}'])
def test_nonsense_in_the_admin_is_refused_and_not_raised(admin_client, submission):
    form = {"name": "t", "submission": submission}
    assert admin_client.post("/admin/monitoring/jobtemplate/add/", form).status_code == 200


def test_a_schedule_that_was_seeded_may_be_given_an_end_and_no_tiny_interval(admin_client):
    schedules.seed()
    row = PeriodicTask.objects.get(name="market.records")
    form = {"name": row.name, "crontab": row.crontab_id, "kwargs": row.kwargs, "expires_0": "2099-01-01",
            "expires_1": "00:00"}  # fmt: skip
    assert admin_client.post(f"{SCHEDULES}{row.pk}/change/", form).status_code == 302
    tiny = IntervalSchedule.objects.create(every=1, period="microseconds")
    assert "once a minute" in admin_client.post(f"{SCHEDULES}add/", schedule_form(interval=tiny.pk)).content.decode()


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


def schedule_form(**more) -> dict:
    every = IntervalSchedule.objects.get_or_create(every=1, period="hours")[0]
    kwargs = '{"job": "sample.add", "arguments": {"a": 1}}'
    return {"name": "mine", "enabled": "on", "interval": every.pk, "kwargs": kwargs, **more}


def test_a_schedule_is_made_in_the_admin_and_ticks(admin_client):
    admin_client.post(f"{SCHEDULES}add/", schedule_form())
    made = PeriodicTask.objects.get(name="mine")
    assert (made.task, made.enabled) == ("monitoring.tick", True)
    assert "mine" in admin_client.get(SCHEDULES).content.decode()


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ("{", "This is not JSON"),
        ("[]", "must name a job"),
        ('{"job": "sample.gone"}', "There is no job"),
        ('{"job": "sample.add"}', "a is required"),
        ('{"job": "sample.add", "arguments": {"a": 1}, "timout": 5}', "asks for timout"),
        ('{"job": "sample.add", "arguments": {"a": 1}, "catch_up": "yes"}', "catch_up must be true or false"),
        ('{"job": "sample.add", "arguments": {"a": 1}, "only_if": {"name": ["x"]}}', "no such condition"),
        ('{"job": "sample.add", "arguments": {"a": 1}, "only_if": {"name": "sample.open", "args": {}}}', "says args"),
        ('{"job": "sample.add", "\\ud800": 1}', "asks for ?"),
    ],
)
def test_a_schedule_that_could_not_run_is_refused_when_it_is_saved(admin_client, kwargs, said):
    assert said in admin_client.post(f"{SCHEDULES}add/", schedule_form(kwargs=kwargs)).content.decode()
    assert not PeriodicTask.objects.filter(name="mine").exists()
