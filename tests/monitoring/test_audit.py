"""Who did what: nothing is done without an entry, and what became of it stands there too."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from monitoring import audit, jobs
from monitoring.models import AuditEntry

pytestmark = [pytest.mark.django_db, pytest.mark.db]


@pytest.fixture
def request_of_staff() -> Request:
    request = Request(APIRequestFactory().post("/"))
    request.user, request.auth = get_user_model().objects.create_user("ann", is_staff=True), None
    return request


def test_an_act_is_logged_before_it_is_done_and_its_outcome_behind(request_of_staff):
    with audit.act(request_of_staff, "stream.close", "abc", target="any name") as outcome:
        assert AuditEntry.objects.get().outcome is None
        outcome["closed"] = True
    entry = AuditEntry.objects.get()
    assert (entry.actor_name, entry.action, entry.target) == ("ann", "stream.close", "abc")
    assert (entry.facts, entry.outcome) == ({"target": "any name"}, {"closed": True})


def test_an_act_that_fails_says_how(request_of_staff):
    with pytest.raises(ValueError, match="no"), audit.act(request_of_staff, "stream.close"):
        raise ValueError("no")
    assert AuditEntry.objects.get().outcome == {"error": "ValueError: no"}


def test_what_was_done_stands_though_its_outcome_can_not_be_written(request_of_staff, monkeypatch):
    def broken(*arguments, **options) -> None:
        raise DatabaseError("away")

    with audit.act(request_of_staff, "stream.close") as outcome:
        outcome["closed"] = True
        monkeypatch.setattr(AuditEntry, "save", broken)
    assert AuditEntry.objects.get().outcome is None


def test_an_entry_outlives_its_actor(request_of_staff):
    with audit.act(request_of_staff, "stream.close"):
        pass
    request_of_staff.user.delete()
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.actor_name) == (None, "ann")


def test_entries_are_kept_as_long_as_the_setting_says_and_then_deleted_a_few_at_a_time(request_of_staff, monkeypatch):
    monkeypatch.setattr(audit, "AT_ONCE", 2)
    for _ in range(6):
        with audit.act(request_of_staff, "stream.close"):
            pass
    kept = AuditEntry.objects.first().pk
    then = timezone.now() - timedelta(days=settings.AUDIT_DAYS, minutes=1)
    AuditEntry.objects.exclude(pk=kept).update(at=then)
    assert jobs.everything()["monitoring.audit"]() == {"deleted": 5}
    assert AuditEntry.objects.get().pk == kept


def test_an_act_with_a_key_is_begun_once_by_each_person(request_of_staff):
    with audit.act(request_of_staff, "stream.close", "a", "k"):
        pass
    with pytest.raises(audit.Repeated), audit.act(request_of_staff, "stream.close", "a", "k"):
        raise AssertionError("it is not done")
    assert audit.earlier(request_of_staff, "stream.close", "k").target == "a"
    assert audit.earlier(request_of_staff, "stream.close", "K") is None
    with audit.act(request_of_staff, "stream.open", "a", "k"):
        pass
