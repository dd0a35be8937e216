"""A job belongs to whoever asked for it: with the rights ends its run, with the person nobody else gets to see it."""

import uuid
from collections.abc import Callable
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.utils import timezone

from monitoring import jobs
from monitoring.jobs.claiming import claims
from monitoring.jobs.ending import attempts, endings
from monitoring.jobs.running import body, context
from monitoring.jobs.running.context import Current
from monitoring.models import Job
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.db]


@pytest.fixture
def staff():
    return get_user_model().objects.create_user("staff", is_staff=True)


def run_all() -> None:
    while claimed := claims.claim(uuid.uuid4(), 50, timezone.now()):
        endings.write([ending for job in claimed if (ending := body.run(Current(job)))])


def deactivate(user) -> None:
    user.is_active = False
    user.save()


def end_staff(user) -> None:
    user.is_staff = False
    user.save()


@pytest.mark.parametrize("lose", [deactivate, end_staff, lambda user: user.delete()])
def test_a_job_that_waits_is_cancelled_where_the_rights_of_its_owner_end(staff, lose):
    job = jobs.submit("sample.add", {"a": 1}, owner=staff)
    lose(staff)
    run_all()
    job.refresh_from_db()
    assert (job.state, job.error_code, job.result) == ("cancelled", "rights_ended", None)
    assert "Whoever asked for it" in job.error


def test_a_claimed_job_whose_owner_is_deleted_before_it_runs_is_cancelled(staff):
    jobs.submit("sample.add", {"a": 1}, owner=staff)
    (claimed,) = claims.claim(uuid.uuid4(), 1, timezone.now())
    staff.delete()
    assert body.run(Current(claimed)).error_code == "rights_ended"


def test_what_follows_and_what_is_tried_again_is_asked_too(staff):
    first, then = jobs.chain([jobs.Step("sample.add", {"a": 1})] * 2, owner=staff)
    (claimed,) = claims.claim(uuid.uuid4(), 1, timezone.now())
    attempts.release(claimed)
    end_staff(staff)
    run_all()
    for job, code in ((first, "rights_ended"), (then, "previous_failed")):
        job.refresh_from_db()
        assert (job.state, job.error_code) == ("cancelled", code)


@pytest.fixture
def child(staff) -> Callable[[], Job]:
    """child(): what a job of theirs asks for."""
    jobs.submit("sample.add", {"a": 1}, owner=staff)
    current = Current(claims.claim(uuid.uuid4(), 1, timezone.now())[0])

    def ask() -> Job:
        with context.entered(current):
            return jobs.submit("sample.add", {"a": 2})

    return ask


def test_what_a_job_asks_for_is_its_owners_and_is_cancelled_with_their_rights(child, staff):
    asked = child()
    end_staff(staff)
    run_all()
    asked.refresh_from_db()
    assert (asked.owner, asked.error_code) == (staff, "rights_ended")


def test_what_a_job_asks_for_whose_owner_is_gone_is_not_run(child, staff):
    staff.delete()
    asked = child()
    run_all()
    asked.refresh_from_db()
    assert (asked.owner, asked.is_orphan, asked.error_code) == (None, True, "rights_ended")


def test_what_a_job_of_nobody_in_particular_asks_for_is_nobodys():
    jobs.submit("sample.add", {"a": 1})
    with context.entered(Current(claims.claim(uuid.uuid4(), 1, timezone.now())[0])):
        asked = jobs.submit("sample.add", {"a": 2})
    assert (asked.owner, asked.is_orphan) == (None, False)


def test_one_who_keeps_the_rights_that_the_job_needs_has_it_run(staff):
    job, nobodys = jobs.submit("sample.open_to_all", owner=staff), jobs.submit("sample.add", {"a": 1})
    end_staff(staff)
    run_all()
    assert {each.state for each in Job.objects.filter(pk__in=[job.pk, nobodys.pk])} == {"completed"}


def test_the_job_of_a_person_who_is_deleted_is_seen_by_staff_alone(client, staff):
    person = get_user_model().objects.create_user("person")
    job = jobs.submit("sample.open_to_all", owner=person)
    person.delete()
    path = f"/api/tasks/task/{job.pk}"
    assert [client.get(each).status_code for each in (path, f"{path}/result")] == [404, 404]
    client.force_login(staff)
    assert client.get(path).status_code == 200


def test_the_migration_knows_the_jobs_of_those_who_were_deleted_by_their_key():
    persons, ours = (jobs.submit("sample.open_to_all", key=key).pk for key in ("17:mine", "market.records:1"))
    import_module("monitoring.migrations.0006_fill_parts_subjects").fill_orphans(apps, None)
    assert dict(Job.objects.values_list("pk", "is_orphan")) == {persons: True, ours: False}


def test_a_job_that_a_job_asks_for_knows_its_parent():
    jobs.submit("sample.add", {"a": 1})
    current = Current(claims.claim(uuid.uuid4(), 1, timezone.now())[0])
    with context.entered(current):
        child = jobs.submit("sample.add", {"a": 1})
    assert child.parent_id == current.job.pk
