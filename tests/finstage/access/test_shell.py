"""`manage.py key`, and the admin's list."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from finstage.access import door, keys
from finstage.models import ApiKey, User

pytestmark = [pytest.mark.django_db, pytest.mark.db]


def run(*arguments: str) -> str:
    said = StringIO()
    call_command("key", *arguments, stdout=said, stderr=StringIO())
    return said.getvalue()


def test_a_key_of_the_shell_opens_what_it_says(alice):
    key = run("create", "nightly", "--user", "alice", "--scope", "read", "--scope", "staff", "--days", "1").strip()
    grant = door.granted(key, "203.0.113.1")
    assert (grant.username, grant.scopes, grant.is_staff) == ("alice", {"read", "staff"}, True)
    assert 0.9 < (grant.expires_at - timezone.now()).total_seconds() / 86_400 <= 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "x", "--user", "nobody"),
        ("create", "x", "--user", "bob", "--scope", "staff"),
        ("create", " ", "--user", "bob"),
        ("create", "x", "--user", "bob", "--days", "0"),
        ("create", "x", "--user", "bob", "--days", "nan"),
        ("revoke", "aaaaaaaaaaaa"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(bob, arguments):
    with pytest.raises(CommandError):
        run(*arguments)
    assert not ApiKey.objects.exists()


def test_the_list_tells_no_secret_and_what_is_revoked_opens_nothing(bob, make):
    row, key = make(bob, "read")
    listed = run("list", "--user", "bob")
    assert ("EXPIRES (UTC)" in listed, "LAST USED (UTC)" in listed) == (True, True)
    assert row.prefix in listed
    assert key[-43:] not in listed
    assert row.digest not in listed
    run("revoke", row.prefix)
    assert "revoked" in run("list")
    with pytest.raises(keys.Invalid, match="revoked"):
        door.granted(key, "203.0.113.1")


def test_the_admin_lists_changes_and_revokes_keys_and_never_tells_them(client, alice, bob, make):
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    client.force_login(alice)
    row, key = make(bob)
    place = "/admin/finstage/apikey/"
    for page in (place, f"{place}{row.pk}/change/"):
        answer = client.get(page)
        assert answer.status_code == 200
        assert row.prefix in answer.text
        assert key[-43:] not in answer.text
        assert row.digest not in answer.text
    assert client.get(f"{place}add/").status_code == 403
    client.post(f"{place}{row.pk}/change/", {"name": "narrower", "may_read": "on"})
    row.refresh_from_db()
    assert (row.name, row.scopes) == ("narrower", ["read"])
    client.post(place, {"action": "revoke", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.revoked_at is not None
