"""The interface for programs, in the frame: by subject, in both themes, and tried with the login of who reads it."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_preferences import log_in

PATH = "/api/docs/"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_stands_in_the_frame_in_the_theme_and_by_subject(visit, theme):
    faults = []
    page = visit("/ws/demo", color_scheme=theme)
    page.on("console", lambda said: said.type == "error" and faults.append(said.text))
    page.goto(PATH)
    expect(page.locator(".opblock-tag").first).to_contain_text("Symbols")
    expect(page.locator(".rail [aria-current], .rail a[href='/api/docs/']").first).to_be_visible()
    ink = "(it) => getComputedStyle(it).color"
    said, paper = page.locator(".opblock-tag a span").first, page.locator(".page-head h1")
    assert said.evaluate(ink) == paper.evaluate(ink)
    assert not faults


def test_a_write_is_tried_with_the_login_and_the_forms_token(visit):
    page = visit(f"/login/?next={PATH}")
    log_in(page)
    page.locator("#operations-Your_account-preferences_change .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.locator(".body-param__text").fill('{"density": "compact"}')
    with page.expect_response("**/api/v2/preferences/") as answer:
        page.get_by_role("button", name="Execute").click()
    assert answer.value.status == 200
    assert answer.value.json()["density"] == "compact"
