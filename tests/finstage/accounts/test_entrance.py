"""Log-in, registration and a new password by mail: what they let in, and what they tell to whom."""

import json
import re
import time

import pytest
from django.contrib.auth.forms import PasswordResetForm
from django.core import mail as outbox
from django.test import Client

from finstage.accounts import attempts, invitations, mail, preferences
from finstage.models import Invitation, User
from monitoring.limits import Limit
from tests.finstage.accounts.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.db]
NEW = "something quite different"


@pytest.fixture(autouse=True)
def fresh_counts(monkeypatch) -> None:
    for name in ("wrong_passwords", "resets_of_network", "resets_of_address", "registrations"):
        monkeypatch.setattr(attempts, name, Limit(name, 3, window_seconds=3600))


@pytest.fixture
def sent(monkeypatch) -> list[str]:
    """Mail leaves here and now, so that this test's database has its reader."""
    monkeypatch.setattr(mail, "later", lambda send: send())
    return outbox.outbox


def log_in(name: str = "bob", password: str = PASSWORD, client: Client | None = None, **more: str):
    return (client or Client()).post("/login/", {"username": name, "password": password, **more})


@pytest.mark.parametrize("name", ["bob", "nobody"])
def test_who_guesses_is_told_to_wait_whether_there_is_such_a_name_or_not(bob, name):
    assert [log_in(name, "wrong").status_code for _ in range(3)] == [200] * 3
    answer = log_in(name, "wrong")
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 60
    assert "Too many tries" in answer.content.decode()


def test_the_right_password_of_one_who_must_wait_opens_nothing(bob):
    for _ in range(3):
        log_in(password="wrong")
    assert log_in().status_code == 429
    assert log_in().wsgi_request.user.is_anonymous


def test_right_passwords_are_not_counted(bob):
    assert [log_in().status_code for _ in range(6)] == [302] * 6


def test_the_admins_log_in_is_the_same_one(bob):
    page = Client().get("/admin/login/").content.decode()
    assert 'name="preferences"' in page
    assert [Client().post("/admin/login/", {"username": "bob", "password": "x"}).status_code for _ in range(4)][
        3
    ] == 429


def test_a_log_in_brings_a_guests_choices_where_the_account_has_none(bob):
    preferences.change(bob, {"theme": "dark", "chart.scale": "log"})
    client = Client()
    client.cookies["theme"], client.cookies["density"], client.cookies["palette"] = "light", "compact", "none"
    kept = json.dumps({"chart.scale": "linear", "chart.style": "area", "chart.": 1, "theme": "light", "nonsense": 2})
    answer = log_in(client=client, preferences=kept)
    told = preferences.of(bob.pk)
    assert told == {"theme": "dark", "density": "compact", "chart.scale": "log", "chart.style": "area"}
    assert answer.cookies["theme"].value == "dark"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 5000])
def test_what_a_browser_can_not_have_kept_is_no_hindrance(bob, text):
    assert log_in(preferences=text).status_code == 302


def test_who_is_logged_in_goes_on_and_who_may_not_is_asked_for_somebody_who_may(bob):
    client = Client()
    client.force_login(bob)
    assert client.get("/login/?next=/account/")["Location"] == "/account/"
    assert client.get("/login/?next=/login/")["Location"] == "/"
    asked = client.get("/admin/", follow=True)
    assert (asked.status_code, asked.redirect_chain[-1][0]) == (200, "/admin/login/?next=/admin/")
    assert "logged in as bob" in asked.content.decode()
    bob.is_staff = True
    bob.save(update_fields=["is_staff"])
    assert client.get("/admin/login/")["Location"] == "/admin/"


def test_who_is_logged_in_may_log_in_as_another(bob):
    client = Client()
    client.force_login(User.objects.create_user("eve", password=PASSWORD))
    assert log_in(client=client).status_code == 302
    assert client.session["_auth_user_id"] == str(bob.pk)


def test_a_reset_says_the_same_of_every_address_and_mails_only_to_one_that_is_known(bob, sent):
    known, unknown = (Client().post("/reset/", {"email": each}) for each in ("BOB@example.com", "eve@example.com"))
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"]) == (302, "/reset/sent/")
    assert [each.to for each in sent] == [["bob@example.com"]]


def test_a_reset_is_sent_behind_the_answer(bob, monkeypatch):
    monkeypatch.setattr(PasswordResetForm, "save", lambda *_, **__: time.sleep(60))
    begun = time.monotonic()
    Client().post("/reset/", {"email": "bob@example.com"})
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("address", ["bob@example.com", "eve@example.com"])
def test_a_reset_of_one_address_is_limited_whether_it_is_known_or_not(bob, sent, address):
    answers = [Client().post("/reset/", {"email": address}).status_code for _ in range(4)]
    assert answers == [302, 302, 302, 429]
    assert len(sent) <= 3


def test_the_link_of_a_mail_opens_one_new_password_in_its_readers_language(bob, sent):
    preferences.change(bob, {"language": "ko"})
    elsewhere = Client()
    elsewhere.force_login(bob)
    Client().post("/reset/", {"email": "bob@example.com"})
    [told] = sent
    assert re.search("[가-힣]", told.subject + told.body)
    link = re.search(r"http://testserver(/reset/\S+)", told.body)[1]
    client = Client()
    page = client.get(link)
    assert page["Location"].endswith("/set-password/")  # the token leaves the address at once
    form = page["Location"]
    assert client.post(form, {"new_password1": "12345678", "new_password2": "12345678"}).status_code == 200
    assert client.post(form, {"new_password1": NEW, "new_password2": NEW})["Location"] == "/login/"
    assert log_in(password=NEW).status_code == 302
    assert Client().get(link, follow=True).content.decode().count("/reset/") == 1
    assert elsewhere.get("/account/").status_code == 302


def register(client: Client | None = None, **more: str):
    told = {"username": "eve", "password1": NEW, "password2": NEW, "email": "", **more}
    return (client or Client()).post("/register/", told)


def test_nobody_registers_where_it_is_off():
    assert register().status_code == 403
    assert not User.objects.exists()
    assert "/register/" not in Client().get("/login/").content.decode()


def test_anybody_registers_where_it_is_open_and_brings_what_they_chose(settings):
    settings.REGISTRATION = "open"
    client = Client()
    client.cookies["theme"] = "dark"
    assert register(client)["Location"] == "/"
    assert client.get("/account/").status_code == 200
    assert preferences.of(User.objects.get().pk) == {"theme": "dark"}
    assert not User.objects.get().is_staff
    assert [register(username=f"e{n}").status_code for n in range(3)][2] == 429


@pytest.mark.parametrize(
    "more",
    [
        {"username": "bob"},
        {"username": "BOB"},
        {"username": "deleted:1"},
        {"password2": "other"},
        {"password1": "12345678", "password2": "12345678"},
    ],
)
def test_what_can_not_be_is_said_at_its_field_and_what_was_typed_stays(settings, bob, more):
    settings.REGISTRATION = "open"
    page = register(**{"email": "eve@example.com", **more}).content.decode()
    assert "is-wrong" in page
    assert 'value="eve@example.com"' in page
    assert NEW not in page


def test_what_is_wrong_with_a_password_is_said_where_it_was_typed_first(settings, bob, sent):
    settings.REGISTRATION = "open"
    weak = {"password1": "12345678", "password2": "12345678"}
    mailed, account = Client(), Client()
    account.force_login(bob)
    Client().post("/reset/", {"email": "bob@example.com"})
    form = mailed.get(re.search(r"http://testserver(/reset/\S+)", sent[0].body)[1])["Location"]
    change = {"old_password": PASSWORD, "new_password1": "12345678", "new_password2": "12345678"}
    pages = (
        register(**weak),
        mailed.post(form, {f"new_{name}": value for name, value in weak.items()}),
        account.post("/account/password/", change),
    )
    wrong = [re.findall(r'is-wrong".*?name="(\w+)"', page.content.decode()) for page in pages]
    assert wrong == [["password1"], ["new_password1"], ["new_password1"]]


def test_an_invitation_makes_one_account(settings, bob):
    settings.REGISTRATION = "invitation"
    code, _ = invitations.make(bob)
    assert code not in str(Invitation.objects.values())
    assert register(code="").status_code == register(code=code[:-1] + "x").status_code == 200
    assert register(code=f" {code} ").status_code == 302
    assert Invitation.objects.get().used_by.username == "eve"
    attempts.registrations = Limit("registrations", 3)
    assert register(code=code, username="mallory").status_code == 200
    assert not User.objects.filter(username="mallory").exists()


def test_an_invitation_that_two_use_at_once_makes_one_account(settings, bob, monkeypatch):
    settings.REGISTRATION = "invitation"
    code, _ = invitations.make(bob)
    row = Invitation.objects.get()
    monkeypatch.setattr(invitations, "open_one", lambda text: row)
    assert register(code=code).status_code == 302
    assert register(code=code, username="mallory").status_code == 200
    assert not User.objects.filter(username="mallory").exists()
