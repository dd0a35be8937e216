"""The page of one's own account: names, a new password, logins and their end, and the end of all of it."""

from datetime import date

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from finstage.access import keys
from finstage.accounts import attempts, logins, preferences
from finstage.models import ApiKey, Invitation, Login, Preference, User
from market import watchlists
from market.models import Symbol, WatchedSymbol, Watchlist
from monitoring import jobs
from monitoring.limits import Limit
from monitoring.models import AuditEntry, Job, JobTemplate
from realtime import events, streams
from realtime.kinds import ALERTS
from realtime.messages import Message
from realtime.models import Alert, AlertRule, Event
from tests.finstage.accounts.conftest import PASSWORD
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.db]
NEW = "something quite different"


@pytest.fixture(autouse=True)
def fresh(monkeypatch) -> None:
    logins._noted.clear()
    keys.forget()
    monkeypatch.setattr(attempts, "wrong_passwords", Limit("wrong", 3, window_seconds=3600))


def another(bob: User, agent: str = "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0") -> Client:
    client = Client(HTTP_USER_AGENT=agent)
    client.force_login(bob)
    client.get("/account/")
    return client


def test_the_name_changes_alone_and_the_address_with_the_password_only(browser, bob):
    assert browser.post("/account/profile/", {"first_name": "Bob", "email": bob.email}).status_code == 302
    page = browser.post("/account/profile/", {"first_name": "Rob", "email": "eve@example.com"})
    assert "needs your password" in page.content.decode()
    told = {"first_name": "Rob", "email": "rob@example.com", "password": PASSWORD}
    assert browser.post("/account/profile/", told).status_code == 302
    bob.refresh_from_db()
    assert (bob.first_name, bob.email) == ("Rob", "rob@example.com")


def test_a_new_password_ends_every_other_login_and_keeps_this_one(browser, bob):
    browser.get("/account/")
    other = another(bob)
    told = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert browser.post("/account/password/", told).status_code == 302
    assert "Your password is new" in browser.get("/account/").content.decode()
    assert other.get("/account/").status_code == 302
    assert [each.is_this for each in logins.of(User.objects.get(), browser.session.session_key)] == [True]


def test_who_sits_at_an_open_login_guesses_no_password(browser):
    told = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}
    assert [browser.post("/account/password/", told).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert browser.post("/account/delete/", {"name": "bob", "password": PASSWORD}).status_code == 429
    assert User.objects.get().is_active


def test_logins_are_listed_and_one_ends_by_a_click(browser, bob):
    browser.get("/account/")
    other = another(bob)
    page = browser.get("/account/").content.decode()
    assert "Firefox · Windows" in page
    assert "this browser" in page
    pk = Login.objects.exclude(session_key=browser.session.session_key).get().pk
    assert browser.post(f"/account/sessions/{pk}/end/").status_code == 302
    assert other.get("/account/").status_code == 302
    assert browser.get("/account/").status_code == 200


def test_nobody_ends_the_login_of_another(browser, bob):
    eve = User.objects.create_user("eve")
    client = another(eve)
    browser.post(f"/account/sessions/{Login.objects.get(owner=eve).pk}/end/")
    assert client.get("/account/").status_code == 200


def test_all_others_end_at_once(browser, bob):
    browser.get("/account/")
    others = [another(bob) for _ in range(3)]
    browser.post("/account/sessions/end/")
    assert [each.get("/account/").status_code for each in others] == [302] * 3
    assert browser.get("/account/").status_code == 200


def test_a_login_that_has_ended_is_listed_no_more(browser, bob):
    browser.get("/account/")
    another(bob).logout()
    assert len(logins.of(bob, None)) == 1
    assert Login.objects.count() == 1


def test_a_page_writes_of_its_login_once_in_a_while(browser, django_assert_num_queries):
    browser.get("/account/keys/")
    with django_assert_num_queries(3):  # the session, the person, what they prefer
        browser.get("/account/keys/")


def test_a_key_neither_reads_nor_changes_an_account(bob):
    _, key = keys.make(bob, "a script", ApiKey.SCOPES, None)
    for path in ("/account/sessions/end/", "/account/delete/", "/account/password/"):
        assert Client().post(path, headers={"Authorization": f"Bearer {key}"}).status_code == 403
    assert Client().get("/account/", headers={"Authorization": f"Bearer {key}"}).status_code == 403
    assert Client().get("/account/")["Location"] == "/login/?next=/account/"


@pytest.mark.parametrize("told", [{"name": "Bob", "password": PASSWORD}, {"name": "bob", "password": "no"}, {}])
def test_nothing_is_deleted_without_the_name_and_the_password(browser, told):
    assert "is-wrong" in browser.post("/account/delete/", told).content.decode()
    assert User.objects.get().is_active


def test_what_is_a_persons_goes_and_what_happened_stays(browser, bob):
    apple = Symbol.objects.create(ticker="AAPL", name="Apple", exchange="XNAS", currency="USD", time_zone="UTC")
    _, key = keys.make(bob, "a script", ApiKey.SCOPES, None)
    preferences.change(bob, {"theme": "dark"})
    rule = AlertRule.objects.create(owner=bob, symbol=apple, kind="price_above", level=1)
    told = {
        "symbol": apple,
        "kind": "price_above",
        "severity": "info",
        "message": "",
        "price": 2.0,
        "source": "replay",
        "epoch": 1,
    }
    times = {
        "session_date": date(2012, 9, 4),
        "as_of": timezone.now(),
        "as_of_precision": "day",
        "received_at": timezone.now(),
    }
    Alert.objects.create(rule=rule, owner=bob, **told, **times)
    JobTemplate.objects.create(name="mine", owner=bob, submission={})
    watchlists.make(bob.pk, "mine", [apple])
    watchlists.remove(bob.pk, "default", apple)
    waiting = jobs.submit("sample.add", {"a": 1}, owner=bob)
    other = another(bob)
    body = b'{"type":"alert","stream":"alerts:@me"}'
    said = [Message(ALERTS.of_user(bob.pk), body, keep=True, conflate=False)]
    events.keep(said, streams.publish(said))
    assert "your watchlists" in browser.get("/account/").content.decode()
    assert "is deleted" in browser.post("/account/delete/", {"name": "bob", "password": PASSWORD}).content.decode()
    bob.refresh_from_db()
    assert (bob.username, bob.email, bob.is_active) == (f"deleted:{bob.pk}", "", False)
    events.mend()
    for rows in (ApiKey, Preference, Login, AlertRule, Alert, Event, JobTemplate, Watchlist, WatchedSymbol):
        assert not rows.objects.exists(), rows
    assert Job.objects.get(pk=waiting.pk).state == "cancelled"
    assert Job.objects.get(pk=waiting.pk).owner_id == bob.pk
    assert AuditEntry.objects.get().actor_name == bob.username
    assert other.get("/account/").status_code == 302
    assert not Session.objects.filter(session_key=other.session.session_key).exists()
    assert Client().get("/api/v2/keys/", headers={"Authorization": f"Bearer {key}"}).status_code == 401
    assert Client().post("/login/", {"username": "bob", "password": PASSWORD}).status_code == 200


def test_the_only_one_who_can_look_after_it_stays(browser, bob):
    User.objects.filter(pk=bob.pk).update(is_superuser=True, is_staff=True)
    page = browser.post("/account/delete/", {"name": "bob", "password": PASSWORD}).content.decode()
    assert "make another superuser first" in page
    User.objects.create_superuser("eve")
    browser.post("/account/delete/", {"name": "bob", "password": PASSWORD})
    assert not User.objects.get(pk=bob.pk).is_active


def test_staff_invite_and_the_code_is_nowhere_but_on_the_answer(browser, bob, settings):
    assert browser.post("/account/invite/").status_code == 403
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    settings.REGISTRATION = "invitation"
    answer = browser.post("/account/invite/")
    assert "finstage_invitation_" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert "finstage_invitation_" not in browser.get("/account/").content.decode() + str(answer.cookies)
    assert Invitation.objects.get().made_by == bob


@pytest.mark.parametrize("path", ["/account/", "/account/keys/"])
def test_every_page_of_the_account_has_the_same_ways_to_go(browser, bob, settings, path):
    settings.REGISTRATION = "invitation"
    assert "#invite" not in browser.get(path).content.decode()
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    assert 'href="/account/#invite"' in browser.get(path).content.decode()


def test_a_language_that_is_chosen_is_kept_on_the_account(browser, bob):
    browser.post("/i18n/setlang/", {"language": "ko", "next": "/account/"})
    assert preferences.of(bob.pk) == {"language": "ko"}
    browser.post("/i18n/setlang/", {"language": "xx", "next": "/account/"})
    assert preferences.of(bob.pk) == {"language": "ko"}
