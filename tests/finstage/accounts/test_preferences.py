"""What a person chose: kept on the account by name, put into pages before they are seen."""

import json

import pytest
from django.test import Client
from django.utils import timezone

from finstage.accounts import preferences
from finstage.models import Preference, User

pytestmark = [pytest.mark.django_db, pytest.mark.db]
PATH = "/api/v2/preferences/"


def change(browser, **body):
    return browser.patch(PATH, json.dumps(body), content_type="application/json")


def test_what_was_not_chosen_is_null(browser):
    told = browser.get(PATH)
    assert told["Cache-Control"] == "no-store"
    assert told.json() == {
        "theme": None, "language": None, "palette": None, "density": None, "tour": None, "time_zone": None,
        "columns": {}, "chart": {}, "drawings": {},
    }  # fmt: skip


def test_one_thing_changes_and_the_others_stay(browser, django_assert_max_num_queries):
    change(browser, theme="dark", chart={"scale": "log", "style": "line"})
    with django_assert_max_num_queries(9):
        told = change(browser, time_zone="Asia/Seoul", chart={"scale": None, "levels": {"at": [1.5, None]}}).json()
    assert (told["theme"], told["time_zone"]) == ("dark", "Asia/Seoul")
    assert told["chart"] == {"levels": {"at": [1.5, None]}, "style": "line"}


def test_a_null_forgets(browser):
    change(browser, theme="dark")
    assert change(browser, theme=None).json()["theme"] is None
    assert not Preference.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"theme": "pink"}, {"time_zone": "Mars/Base"}, {"time_zone": ["market"]}, {"colour": "red"}, {"chart": "log"},
        {"chart": {"": 1}}, {"chart": {"a b": 1}}, {"chart": {"a": "x" * 4001}}, {"drawings": None},
        {"drawings": {"AAPL": [[[[[[[[[1]]]]]]]]]}}, {"columns": {"watchlist\n": []}},
        {"chart": {"a": [2**64]}}, {"chart": {"a": "\ud800"}},
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_is_refused_with_what_can(browser, body):
    answer = change(browser, **body, density="compact") if "density" not in body else change(browser, **body)
    assert answer.status_code == 400, answer.content
    assert not Preference.objects.exists()


def test_what_was_kept_once_and_can_not_be_told_breaks_no_read(browser, bob):
    for name, text in (("chart.a", f"[{2**64}]"), ("chart.b", '"\\ud800"'), ("chart.c", '"log"')):
        Preference.objects.create(owner=bob, name=name, value=text, changed_at=timezone.now())
    assert browser.get(PATH).json()["chart"] == {"a": [2**64], "c": "log"}
    assert browser.get("/tasks/").status_code == 200


def test_a_value_is_refused_however_deep_it_is_nested():
    value: object = 1
    for _ in range(5000):
        value = [value]
    with pytest.raises(preferences.Wrong, match="levels"):
        preferences.check("chart.a", value)


def test_an_account_keeps_so_many_values_and_no_more(browser, monkeypatch):
    monkeypatch.setattr(preferences, "MOST", 2)
    change(browser, theme="dark", density="compact")
    assert change(browser, palette="red-blue").json()["errors"]["preferences"]
    assert change(browser, theme="light").status_code == 200
    assert Preference.objects.count() == 2


def test_they_are_ones_own(browser):
    change(browser, theme="dark")
    other = Client()
    other.force_login(User.objects.create_user("eve"))
    assert other.get(PATH).json()["theme"] is None
    assert Client().get(PATH).status_code == 401


def test_a_page_comes_as_it_was_chosen_on_the_account_whatever_the_browser_says(browser):
    change(browser, theme="dark", palette="blue-orange", language="ko", time_zone="Asia/Seoul", chart={"scale": "log"})
    browser.cookies["theme"] = "light"
    page = browser.get("/tasks/").content.decode()
    assert (
        'lang="ko" data-theme="dark" data-palette="blue-orange" data-density="comfortable" data-time-zone="Asia/Seoul"'
        in page
    )
    assert '"chart.scale": "log"' in page
    assert 'lang="ko" data-theme="dark"' in browser.get("/nothing/here").content.decode()


def test_a_guests_page_comes_as_the_browser_says_and_holds_no_word_of_a_cookie_that_can_not_be():
    guest = Client()
    guest.cookies["theme"], guest.cookies["palette"], guest.cookies["time_zone"] = "dark", '"><b>', "Asia%2FSeoul"
    page = guest.get("/login/").content.decode()
    assert 'data-theme="dark" data-palette="green-red"' in page
    assert 'data-time-zone="Asia/Seoul"' in page


def test_the_interface_for_programs_does_not_change_its_language(browser):
    change(browser, language="ko", theme="dark")
    assert change(browser, theme="pink").json()["detail"].startswith("theme:")
