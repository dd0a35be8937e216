"""What is chosen stays chosen: a guest's in the browser, a person's on the account, without a flash of another look."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import PASSWORD, Site

CHOOSE = "([name, value]) => import('/static/components/preferences.js').then((it) => it.prefer(name, value))"
CHOSEN = "(name) => import('/static/components/preferences.js').then((it) => it.chosen(name))"
FORGET = "from finstage.models import Preference; Preference.objects.all().delete()"


@pytest.fixture(autouse=True)
def forgotten(site: Site) -> Iterator[None]:
    yield
    site.manage("shell", "-c", FORGET)


def log_in(page: Page, name: str = "admin") -> None:
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url(lambda url: "/login/" not in url)


def kept(page: Page) -> dict:
    return json.loads(page.evaluate("fetch('/api/v2/preferences/').then((answer) => answer.text())"))


def choose(page: Page, name: str, value: object) -> None:
    page.evaluate(CHOOSE, [name, value])


def test_what_a_person_chooses_is_there_on_another_machine_before_any_script_runs(visit):
    page = visit("/login/?next=/account/keys/")
    log_in(page)
    page.locator("[data-menu] > summary").first.click()
    with page.expect_response("**/api/v2/preferences/"):
        page.locator("[data-preference=theme]").get_by_text("Dark").click()
    with page.expect_response("**/api/v2/preferences/"):
        choose(page, "chart.scale", "log")
    other = visit("/login/?next=/account/keys/")
    log_in(other)
    other.route("**/*.js", lambda route: route.abort())
    other.reload()
    expect(other.locator("html")).to_have_attribute("data-theme", "dark")
    other.unroute("**/*.js")
    other.reload()
    assert other.evaluate(CHOSEN, "chart.scale") == "log"


def test_what_is_chosen_as_the_page_goes_is_kept(visit):
    page = visit("/login/?next=/account/keys/")
    log_in(page)
    choose(page, "density", "compact")
    page.goto("/login/?next=/account/keys/")
    page.wait_for_function(
        "fetch('/api/v2/preferences/').then((it) => it.json()).then((it) => it.density == 'compact')"
    )


def test_what_could_not_be_kept_is_tried_again(visit):
    page = visit("/login/?next=/account/keys/")
    log_in(page)
    page.route("**/api/v2/preferences/", lambda route: route.abort(), times=1)
    choose(page, "density", "compact")
    with page.expect_response("**/api/v2/preferences/"):
        pass
    assert kept(page)["density"] == "compact"


def test_a_guests_choice_stays_in_the_browser_and_shows_in_its_other_tabs(visit):
    page = visit("/ws/demo")
    other = page.context.new_page()
    other.goto("/ws/demo")
    choose(page, "palette", "blue-orange")
    choose(page, "drawings.BRK.B", [{"level": 81.5}])
    expect(other.locator("html")).to_have_attribute("data-palette", "blue-orange")
    other.reload()
    expect(other.locator("html")).to_have_attribute("data-palette", "blue-orange")
    assert other.evaluate(CHOSEN, "drawings.BRK.B") == [{"level": 81.5}]


def test_a_guests_choices_come_along_with_the_log_in(visit):
    page = visit("/ws/demo")
    choose(page, "theme", "dark")
    choose(page, "chart.scale", "log")
    page.goto("/login/?next=/account/keys/")
    log_in(page)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate(CHOSEN, "chart.scale") == "log"
    assert kept(page)["chart"] == {"scale": "log"}


@pytest.mark.parametrize(
    ("chosen", "time"), [(None, "09:30:00 Asia/Tokyo"), ("local", "01:30:00 Europe/London"), ("UTC", "00:30:00 UTC")]
)
def test_the_time_of_a_price_is_told_by_the_clock_that_was_chosen(visit, chosen, time):
    page = visit("/ws/demo", timezone_id="Europe/London")
    if chosen:
        choose(page, "time_zone", chosen)
    told = page.evaluate(
        """() => import('/static/words/words.js').then(({ asOf }) =>
        asOf({ as_of_precision: 'second', timestamp: '2026-07-01T00:30:00Z' }, 'Asia/Tokyo'))"""
    )
    assert time in told


def test_what_the_account_does_not_take_is_told_and_why(visit):
    page = visit("/login/?next=/account/keys/", locale="ko-KR")
    log_in(page)
    choose(page, "chart.scale", "x" * 5000)
    expect(page.locator(".toast.wrong")).to_contain_text("계정에는 저장되지 않았습니다. 값 하나가 너무 크거나")
