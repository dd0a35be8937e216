"""Every page, once: nothing that axe finds, no English where Korean is spoken, no word of trouble in the console.

`make screenshots` asks the same of each in every look.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import faults
from tests.browser.site import PASSWORD, Site

OURS = [
    "/", "/symbols/AAPL/", "/symbols/NOPE/", "/nothing/here", "/login/", "/reset/", "/reset/sent/", "/register/",
    "/ws/demo", "/api/docs/realtime/", "/account/", "/account/keys/", "/connections/", "/tasks/", "/data/",
    "/replay/", "/reset/x/y/", "/conformance/", "/screener/", "/signals/",
]  # fmt: skip
ENTRANCE = {"/login/", "/register/", "/reset/", "/reset/sent/", "/reset/x/y/"}
KOREAN = {"locale": "ko-KR", "color_scheme": "dark", "viewport": {"width": 1440, "height": 900}}
ONE_LINE = "[...document.querySelectorAll('.topbar')].every((bar) => bar.scrollHeight <= bar.clientHeight)"
SETTLED = "[data-skeleton], [data-pane-chart]:empty, [aria-busy=true]"


@pytest.fixture(scope="module")
def staff(chromium: Browser, site: Site) -> dict:
    """What a browser keeps of a login."""
    context = chromium.new_context(base_url=site.url)
    context.add_cookies([{"name": "tour", "value": "closed", "url": site.url}])
    page = context.new_page()
    page.goto("/login/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url(site.url + "/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(scope="module")
def contexts(chromium: Browser, site: Site, staff: dict) -> Iterator[dict[bool, BrowserContext]]:
    """Of staff, and of a guest."""
    made = {
        True: chromium.new_context(base_url=site.url, storage_state=staff, **KOREAN),
        False: chromium.new_context(base_url=site.url, **KOREAN),
    }
    yield made
    for context in made.values():
        context.close()


@pytest.mark.parametrize("path", OURS)
def test_a_page_has_no_fault(contexts, path):
    page = contexts[path not in ENTRANCE].new_page()
    said = faults.of_console(page)
    page.goto(path)
    _settle(page)
    assert faults.of_axe(page) == []
    assert faults.untranslated(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(ONE_LINE)
    assert said == []
    page.close()


def test_english_that_is_left_is_found(contexts):
    page = contexts[False].new_page()
    page.goto("/login/")
    page.evaluate("document.querySelector('h1').textContent = 'Log in here'")
    assert faults.untranslated(page) == ["Log in here"]
    page.close()


def _settle(page: Page) -> None:
    if page.locator("[data-connection]").count() and page.locator("main [data-quotes], main .symbol").count():
        expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
    expect(page.locator(SETTLED).filter(visible=True)).to_have_count(0)
