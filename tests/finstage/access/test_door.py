"""What a key opens, and what is said to one that opens nothing."""

import threading
import time

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from finstage.access import door, keys, tokens, uses
from finstage.models import ApiKey, User
from tests.finstage.access.conftest import bearer, in_days

pytestmark = [pytest.mark.django_db, pytest.mark.db]
OWN, STAFFS = "/api/tasks/tasks", "/api/tasks/status"
ONCE = "/api/v2/realtime/ticket"


def refusal(answer) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_a_key_comes_in_either_header(client, bob, make, header):
    _, key = make(bob)
    said = f"Bearer {key}" if header == "Authorization" else key
    refused = client.get(OWN)
    assert (refused.status_code, f"{header}: " in refused.json()["detail"]) == (401, True)
    assert client.get(OWN, headers={header: said}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer finstage_key_aaaaaaaaaaaa_" + "A" * 43},
        {"Authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer"},
        {"Authorization": "Token something"},
        {"X-API-Key": ""},
        {"X-API-Key": "é" * 5000},
    ],
)
@pytest.mark.parametrize("path", ["/api/v2/symbols/", "/", "/nothing/here"])
def test_a_wrong_key_is_never_silently_nobodys(client, db, headers, path):
    answer = client.get(path, headers=headers)
    assert refusal(answer) == (401, "invalid_key")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["RateLimit-Policy"].startswith('"address"')


def test_two_keys_that_differ_are_no_key(client, alice, bob, make):
    headers = {**bearer(make(alice)[1]), "X-API-Key": make(bob)[1]}
    assert refusal(client.get(OWN, headers=headers)) == (401, "invalid_key")


def test_what_a_proxy_asked_for_is_no_key_of_ours(client, db):
    assert client.get("/api/v2/symbols/", headers={"Authorization": "Basic YTpi"}).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"expires_at": in_days(-1)}, "expired_key"),
        ({"revoked_at": timezone.now()}, "revoked_key"),
    ],
)
def test_a_key_that_is_over_says_so(client, bob, make, changes, code):
    row, key = make(bob)
    ApiKey.objects.filter(pk=row.pk).update(**changes)
    assert refusal(client.get(OWN, headers=bearer(key))) == (401, code)


def test_the_key_of_an_account_that_is_not_active_opens_nothing(client, bob, make):
    _, key = make(bob)
    User.objects.update(is_active=False)
    assert refusal(client.get(OWN, headers=bearer(key))) == (401, "revoked_key")


def test_another_secret_under_a_known_name_is_wrong(client, bob, make):
    _, key = make(bob)
    assert client.get(OWN, headers=bearer(key)).status_code == 200
    other = key[:-43] + "B" * 43
    assert refusal(client.get(OWN, headers=bearer(other))) == (401, "invalid_key")


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (("read",), {"read", "ticket"}),
        (("write",), {"write"}),
        (("read", "write"), {"read", "write", "ticket"}),
        (("read", "staff"), {"read", "staff", "ticket"}),
    ],
)
def test_scopes_bound_what_a_key_may(client, alice, make, scopes, allowed):
    headers = bearer(make(alice, *scopes)[1])
    body = {"headers": headers, "content_type": "application/json"}
    answers = {
        "read": client.get(OWN, headers=headers),
        "staff": client.get(STAFFS, headers=headers),
        "write": client.post("/api/v2/keys/", {"name": "x", "scopes": ["write"]}, **body),
        "ticket": client.post(ONCE, **body),
    }
    assert {name for name, answer in answers.items() if answer.status_code in (200, 201)} == allowed
    refused = [answer for name, answer in answers.items() if name not in allowed]
    assert all(refusal(answer)[0] == 403 for answer in refused)
    assert all("scope" in answer.json()["detail"] for answer in refused)
    if "staff" not in allowed and "read" in allowed:
        told = answers["staff"].json()["detail"]
        assert told.endswith(
            f"it takes the scope staff, on a key of a staff account; this one has {', '.join(scopes)}."
        )


def test_a_key_never_allows_more_than_its_owner_now_does(client, alice, make):
    _, key = make(alice, "read", "staff")
    assert client.get(STAFFS, headers=bearer(key)).status_code == 200
    User.objects.update(is_staff=False)
    keys.forget()
    assert refusal(client.get(STAFFS, headers=bearer(key))) == (403, "permission_denied")


@pytest.mark.parametrize("scopes", [("read", "staff"), ("read",)])
def test_the_user_of_a_key_is_its_owner_as_far_as_it_goes(alice, make, scopes):
    User.objects.update(is_superuser=True, email="alice@example.com")
    user = door.granted(make(alice, *scopes)[1], "203.0.113.1").user()
    assert (user.pk, user.username, user.email, user.is_active) == (alice.pk, "alice", "alice@example.com", True)
    assert user.is_staff is user.is_superuser is ("staff" in scopes)


def test_the_admins_pages_are_for_people(client, alice, make):
    User.objects.update(is_superuser=True)
    assert refusal(client.get("/admin/", headers=bearer(make(alice)[1]))) == (403, "login_required")


def test_a_write_with_a_key_needs_no_forms_token(bob, make):
    from_elsewhere = Client(enforce_csrf_checks=True)
    answer = from_elsewhere.post(
        "/api/tasks/submit",
        {"task": "market.records"},
        content_type="application/json",
        headers={**bearer(make(bob)[1]), "Origin": "https://evil.example"},
    )
    assert answer.status_code != 401
    assert answer.json()["code"] != "csrf_failed"


def test_a_key_in_use_costs_no_query_of_its_own(client, bob, make):
    _, key = make(bob)
    client.get("/api/v2/realtime/schema", headers=bearer(key))
    with CaptureQueriesContext(connection) as asked:
        client.get("/api/v2/realtime/schema", headers=bearer(key))
    assert not [query for query in asked.captured_queries if "apikey" in query["sql"]]


def test_a_wrong_key_asks_the_database_as_often_whatever_is_wrong_with_it(bob, make):
    _, key = make(bob)
    keys.looked_up(tokens.Token.read(key))
    for wrong in (key[:-43] + "B" * 43, "finstage_key_aaaaaaaaaaaa_" + "A" * 43, "nonsense"):
        with CaptureQueriesContext(connection) as asked, pytest.raises(keys.Invalid):
            door.granted(wrong, "203.0.113.1")
        assert len(asked) == 1


def test_many_keys_are_looked_at_together(bob, make, monkeypatch):
    made = [make(bob)[1] for _ in range(50)]
    monkeypatch.setattr(keys, "LOOK_SECONDS", 0.3)
    costs = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as asked:
            for key in made:
                door.granted(key, "203.0.113.1")
        costs.append(len(asked))
        time.sleep(0.35)
    assert costs == [50, 2, 1]  # each by itself; together, and understood; together, and unchanged


@pytest.mark.parametrize("looks", [0, 2])
@pytest.mark.parametrize("change", [{"revoked_at": timezone.now()}, {"may_write": False}, None])
def test_what_is_remembered_is_believed_for_a_short_time_only(bob, make, monkeypatch, change, looks):
    row, key = make(bob)
    before = door.granted(key, "203.0.113.1")
    for _ in range(looks):  # at what has not changed
        keys._known[tokens.Token.read(key).digest].looked_at -= keys.LOOK_SECONDS
        assert door.granted(key, "203.0.113.1") == before
    rows = ApiKey.objects.filter(pk=row.pk)
    rows.update(**change) if change else rows.delete()
    assert door.granted(key, "203.0.113.1") == before
    monkeypatch.setattr(keys, "LOOK_SECONDS", 0.01)
    time.sleep(0.02)
    if change == {"may_write": False}:
        assert door.granted(key, "203.0.113.1").scopes < before.scopes
        return
    with pytest.raises(keys.Invalid, match="was revoked"):
        door.granted(key, "203.0.113.1")


def test_memory_is_bounded(bob, make, monkeypatch):
    monkeypatch.setattr(keys, "REMEMBERED", 3)
    for _ in range(5):
        door.granted(make(bob)[1], "203.0.113.1")
    assert len(keys._known) == 3


def test_wrong_keys_are_limited_per_address_and_right_ones_that_are_known_go_on(client, bob, make):
    _, key = make(bob)
    client.get(OWN, headers=bearer(key))
    codes = {refusal(client.get(OWN, headers=bearer("wrong"))) for _ in range(door.WRONG_A_MINUTE)}
    assert codes == {(401, "invalid_key")}
    answer = client.get(OWN, headers=bearer("wrong"))
    assert refusal(answer) == (429, "too_many_wrong_keys")
    assert 1 <= int(answer["Retry-After"]) <= 2
    assert client.get(OWN, headers=bearer(key)).status_code == 200
    assert refusal(client.get(OWN, headers=bearer("x"), REMOTE_ADDR="203.0.113.9")) == (401, "invalid_key")


def test_a_last_use_is_written_beside_the_requests_and_once_a_minute(client, bob, make):
    row, key = make(bob)
    with CaptureQueriesContext(connection) as asked:
        client.get(OWN, headers=bearer(key))
    assert not [query for query in asked.captured_queries if query["sql"].startswith("UPDATE")]
    uses.write()
    row.refresh_from_db()
    first = row.last_used_at
    assert first is not None
    client.get(OWN, headers=bearer(key))
    uses.write()
    row.refresh_from_db()
    assert row.last_used_at == first


def test_a_use_that_the_database_does_not_take_is_noted_still(bob, make):
    row, key = make(bob)
    door.granted(key, "203.0.113.1")
    uses.note(row.pk)

    def away(*_):
        raise OperationalError("gone")

    with pytest.raises(OperationalError), transaction.atomic(), connection.execute_wrapper(away):
        uses.write()
    uses.write()
    row.refresh_from_db()
    assert row.last_used_at is not None


def test_so_many_uses_wait_to_be_written_and_no_more(monkeypatch):
    monkeypatch.setattr(uses, "MOST", 2)
    monkeypatch.setattr(uses, "_used", set())
    for key_id in (7, 8, 9, 7):
        uses.note(key_id)
    assert uses._used == {7, 8}


@pytest.mark.parametrize(("age", "waits"), [(keys.LOOK_SECONDS, False), (keys.TRUE_SECONDS, True)])
def test_while_one_looks_others_go_on_with_what_may_still_be_true(bob, make, age, waits):
    token = tokens.Token.read(make(bob)[1])
    grant = keys.looked_up(token)
    keys._known[token.digest].looked_at -= age
    answered: list[keys.Grant] = []
    asking = threading.Thread(target=lambda: answered.append(keys.remembered(token)))
    with keys._looking:
        asking.start()
        asking.join(0.3)
        assert (answered == []) == waits
        keys._known[token.digest].looked_at = time.monotonic()  # by the one who looks
    asking.join()
    assert answered == [grant]
