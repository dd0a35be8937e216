"""Who makes, changes and revokes keys stands in the audit log, by whatever door, and no secret does."""

import json

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.urls import reverse

from finstage.models import ApiKey
from monitoring.audit import SHELL
from monitoring.models import AuditEntry

pytestmark = [pytest.mark.django_db, pytest.mark.db]


def made(client, **headers: str) -> dict:
    body = {"name": "nightly", "scopes": ["read", "write"]}
    answer = client.post("/api/v2/keys/", body, content_type="application/json", headers=headers)
    assert answer.status_code == 201, answer.content
    return answer.json()


def entries() -> list[tuple]:
    return list(AuditEntry.objects.order_by("pk").values_list("actor_name", "via", "action"))


def test_a_key_that_is_made_and_revoked_over_http_is_logged_without_its_secret(client):
    client.force_login(get_user_model().objects.create_user("ann"))
    key = made(client)
    assert client.delete(f"/api/v2/keys/{key['id']}/").status_code == 204
    assert entries() == [("ann", "", "keys.make"), ("ann", "", "keys.revoke")]
    entry = AuditEntry.objects.last()
    assert (entry.target, entry.facts["scopes"], entry.outcome["id"]) == ("nightly", ["read", "write"], key["id"])
    assert key["key"].rsplit("_", 1)[1] not in json.dumps(list(AuditEntry.objects.values("target", "facts", "outcome")))


def test_what_a_key_makes_is_logged_as_made_by_it(client, admin_client):
    first = made(admin_client)
    made(client, Authorization=f"Bearer {first['key']}")
    prefix = ApiKey.objects.get(pk=first["id"]).prefix
    assert entries() == [("admin", "", "keys.make"), ("admin", prefix, "keys.make")]


def test_a_key_that_is_widened_in_the_administration_is_logged_with_what_it_was(admin_client):
    key = made(admin_client)
    row = ApiKey.objects.get(pk=key["id"])
    form = {
        "name": row.name,
        "may_read": "on",
        "may_write": "on",
        "may_staff": "on",
        "expires_at_0": "",
        "expires_at_1": "",
    }
    change = admin_client.post(reverse("admin:finstage_apikey_change", args=[row.pk]), form)
    assert change.status_code == 302
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.facts["changed"]) == ("keys.change", {"may_staff": [False, True]})
    chosen = {"action": "revoke", "_selected_action": [row.pk]}
    admin_client.post(reverse("admin:finstage_apikey_changelist"), chosen)
    assert (AuditEntry.objects.first().action, AuditEntry.objects.first().outcome) == ("keys.revoke", {"revoked": True})


def test_a_key_of_a_shell_is_logged_as_of_a_shell(capsys):
    get_user_model().objects.create_user("bob")
    call_command("key", "create", "of a shell", "--user", "bob")
    call_command("key", "revoke", ApiKey.objects.get().prefix)
    assert [(via, action) for _, via, action in entries()] == [(SHELL, "keys.make"), (SHELL, "keys.revoke")]
    assert AuditEntry.objects.last().facts["owner"] == "bob"
