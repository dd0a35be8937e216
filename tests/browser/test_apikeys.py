"""The page of one's own API keys: made, copied once, revoked by its name, all by the keyboard where one likes."""

import re
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from tests.browser.faults import AXE, RUN
from tests.browser.site import Site
from tests.browser.test_accessibility import LOOKS

PATH = "/account/keys/"


@pytest.fixture
def keys(visit):
    def go(**options) -> Page:
        page = visit(PATH, who="admin", **options)
        expect(page.locator("[data-frame]")).to_have_attribute("aria-busy", "false")
        return page

    return go


def opens(site: Site, key: str) -> int:
    request = urllib.request.Request(f"{site.url}/api/tasks/status", headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def make(page: Page, name: str) -> str:
    page.click("[data-new]")
    page.keyboard.type(name)
    page.check("[name=scopes][value=staff]")
    page.keyboard.press("Tab")
    page.click("[data-making] [data-submit]")
    expect(page.locator("[data-made]")).to_be_visible()
    return page.locator("[data-key]").text_content()


def test_a_key_is_made_shown_once_and_revoked_by_its_name(keys, site):
    page = keys()
    key = make(page, "nightly <b>report</b>")
    assert opens(site, key) == 200
    page.click("[data-made] footer button")
    row = page.locator("tbody tr").filter(has_text="nightly <b>report</b>")
    expect(row).to_have_attribute("data-state", "live")
    expect(page.locator("[data-key]")).to_be_empty()  # as the browser tells of the close, a moment later
    assert key not in page.content()
    page.reload()
    assert key not in page.content()
    row.get_by_role("button").click()
    revoke = page.locator("[data-revoking] [data-submit]")
    page.keyboard.type("nightly")
    expect(revoke).to_be_disabled()
    page.keyboard.type(" <b>report</b>")
    revoke.click()
    expect(row).to_have_attribute("data-state", "revoked")
    page.wait_for_timeout(5000)
    assert opens(site, key) == 401


def test_a_phone_shows_which_part_of_the_account_this_is(keys):
    page = keys(viewport={"width": 390, "height": 844}, locale="ko-KR")
    expect(page.locator(".account-nav [aria-current]")).to_be_in_viewport(ratio=1)


def test_a_form_that_lacks_something_says_so_and_keeps_what_was_typed(keys):
    page = keys()
    page.click("[data-new]")
    page.click("[data-making] [data-submit]")
    expect(page.locator("[data-making] [data-refusal]")).to_be_visible()
    page.keyboard.type("kept")
    page.uncheck("[name=scopes][value=read]")
    page.click("[data-making] [data-submit]")
    expect(page.locator("[data-making] [data-refusal]")).to_have_text(re.compile("one"))
    expect(page.locator("#k-name")).to_have_value("kept")


def test_who_is_not_logged_in_is_asked_to(visit):
    page = visit(PATH)
    expect(page.locator("main .button.primary")).to_have_attribute("href", re.compile("/login/"))


@pytest.mark.parametrize(("theme", "locale", "width"), LOOKS)
def test_axe_finds_nothing(keys, theme, locale, width):
    page = keys(color_scheme=theme, locale=locale, viewport={"width": width, "height": 900})
    page.evaluate(AXE)
    assert page.evaluate(RUN) == []
    page.click("[data-new]")
    assert page.evaluate(RUN) == []
    page.fill("#k-name", "for axe")
    page.click("[data-making] [data-submit]")
    expect(page.locator("[data-made]")).to_be_visible()
    assert page.evaluate(RUN) == []
