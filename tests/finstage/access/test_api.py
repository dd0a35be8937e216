"""/api/v2/keys/: made, shown once, listed, revoked."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from finstage.access import api, keys, tickets, tokens
from finstage.models import ApiKey, User
from tests.finstage.access.conftest import bearer, in_days

pytestmark = [pytest.mark.django_db, pytest.mark.db]
KEYS = "/api/v2/keys/"


@pytest.fixture
def browser(client, bob):
    client.force_login(bob)
    return client


def post(browser, headers=None, **body):
    return browser.post(KEYS, {"name": "nightly", **body}, content_type="application/json", headers=headers or {})


def test_a_key_is_shown_once_and_kept_as_a_hash(browser, django_assert_num_queries):
    answer = post(browser, scopes=["write", "read"])
    made = answer.json()
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    assert made | {"id": 0, "key": ""} == {
        "id": 0, "name": "nightly", "scopes": ["read", "write"], "expires_at": None, "key": "",
    }  # fmt: skip
    [told] = browser.get(KEYS).json()["results"]
    assert made["key"] not in str(told)
    assert told["prefix"] in made["key"]
    row = ApiKey.objects.get()
    assert row.digest == tokens.Token.read(made["key"]).digest
    assert made["key"][-43:] not in str(vars(row))


def test_a_ticket_says_when_it_is_over(browser):
    before = timezone.now()
    at = datetime.fromisoformat(browser.post("/api/v2/realtime/ticket").json()["expires_at"])
    assert before <= at - timedelta(seconds=tickets.LIFE_SECONDS) <= timezone.now()


def test_one_sees_and_revokes_ones_own_alone(browser, alice, make):
    row, key = make(alice)
    assert browser.get(KEYS).json()["results"] == []
    assert browser.delete(f"{KEYS}{row.pk}/").json()["code"] == "unknown_key"
    assert browser.get(KEYS, headers=bearer(key)).json()["results"][0]["id"] == row.pk


def test_a_revoked_key_opens_nothing_at_once_and_stays_listed(browser):
    made = post(browser).json()
    assert browser.get(KEYS, headers=bearer(made["key"])).status_code == 200
    assert browser.delete(f"{KEYS}{made['id']}/").status_code == 204
    first = ApiKey.objects.get().revoked_at
    assert browser.delete(f"{KEYS}{made['id']}").status_code == 204
    assert browser.get(KEYS, headers=bearer(made["key"])).json()["code"] == "revoked_key"
    assert ApiKey.objects.get().revoked_at == first
    assert browser.get(KEYS).json()["results"][0]["revoked_at"] is not None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("null", "invalid"),
        ('{"name": null}', "invalid_name"),
        ('{"name": "\\u0000"}', "invalid_name"),
        ('{"name": "x", "scopes": {}}', "invalid_scopes"),
        ('{"name": "x", "hue": 1}', "unknown_field"),
        ('{"name": "x", "name": "y"}', "duplicate_key"),
    ],
)
def test_a_refusal_has_the_code_that_the_document_says(browser, body, code):
    answer = browser.post(KEYS, body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": ["staff"]}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["fly"]}, "there are read, write, staff"),
        ({"scopes": "read"}, "scopes"),
        ({"scopes": {"read": False}}, "scopes"),
        ({"name": 5}, "name"),
        ({"name": " "}, "name"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "9999-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2099-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": "2099-01-01"}, "expires_at"),
        ({"expires_at": 5}, "expires_at"),
        ({"expire": None}, "expire"),
    ],
)
def test_what_cannot_be_is_named(browser, body, field):
    answer = post(browser, **body)
    assert answer.status_code == 400
    assert field in answer.json()["errors"] or field in answer.json()["detail"]
    assert not ApiKey.objects.exists()


def test_a_key_hands_on_no_more_than_it_has_and_its_own_ends_with_it(browser, bob, make):
    row, key = make(bob, "read", "write", expires_at=in_days(1))
    assert post(browser, bearer(make(bob, "write")[1]), scopes=["read"]).status_code == 400
    child = post(browser, bearer(key), scopes=["read", "write"]).json()
    assert browser.get(KEYS, headers=bearer(child["key"])).status_code == 200
    assert post(browser, bearer(child["key"]), scopes=["read"]).status_code == 403
    ApiKey.objects.filter(pk=row.pk).update(may_read=False)
    keys.forget()
    assert browser.get(KEYS, headers=bearer(child["key"])).json()["code"] == "missing_scope"
    ApiKey.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    keys.forget()
    assert browser.get(KEYS, headers=bearer(child["key"])).json()["code"] == "expired_key"


def test_one_person_has_so_many_keys_at_most(browser, bob, monkeypatch):
    monkeypatch.setattr(api, "AT_MOST", 2)
    first = post(browser).json()
    post(browser)
    assert post(browser).json()["code"] == "too_many_keys"
    browser.delete(f"{KEYS}{first['id']}/")
    assert post(browser).status_code == 201


def test_a_session_still_needs_the_forms_token(bob):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(bob)
    assert post(browser).json()["code"] == "permission_denied"


def test_with_the_person_go_the_keys(browser, bob):
    post(browser)
    User.objects.filter(pk=bob.pk).delete()
    assert not ApiKey.objects.exists()
