"""Every page by the keyboard alone: each stop is seen, with an outline that nothing cuts, and nothing is left out."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.test_every_page import SETTLED, contexts, staff  # noqa: F401

WALK = Path(__file__).with_name("walk.js").read_text()
START = "document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')"
MOST = 400
STAFF = [
    "/", "/symbols/AAPL/", "/tasks/", "/account/", "/account/keys/", "/connections/", "/ws/demo", "/api/docs/realtime/",
    "/replay/", "/admin/", "/admin/market/symbol/", "/admin/monitoring/job/",
]  # fmt: skip
GUEST = ["/login/", "/symbols/NOPE/"]


def walked(page: Page) -> dict:
    """What a walk by Tab from the page's beginning finds; a menu that it comes to is opened, and walked too.

    What a page reads once it comes into sight is there before: it would push on what has the focus.
    """
    for end in ("document.body.scrollHeight", "0"):
        page.evaluate(f"scrollTo({{ top: {end}, behavior: 'instant' }})")
        expect(page.locator(SETTLED).filter(visible=True)).to_have_count(0)
    page.evaluate(WALK)
    page.evaluate(START)
    for _ in range(MOST):
        page.keyboard.press("Tab")
        where = page.evaluate("walk.look()")
        if where == "over":
            break
        if where == "seen":
            page.evaluate("walk.faults.push('goes round without an end')")
            break
        if where == "closed":
            page.keyboard.press("Enter")
    return page.evaluate("walk.end()")


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("path", STAFF + GUEST)
def test_a_page_is_walked_by_tab(contexts, path, width):  # noqa: F811
    page = contexts[path in STAFF].new_page()
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(path)
    expect(page.locator(SETTLED).filter(visible=True)).to_have_count(0)
    found = walked(page)
    page.close()
    assert found["faults"] == []
    assert found["stops"] > 3


RANG = (
    '<li data-severity="warning"><a href="/symbols/FB/">FB</a><span>Fell by 10.9 %</span><time>2012-09-24</time></li>'
)


@pytest.mark.parametrize("width", [1440, 390])
def test_a_list_of_alerts_is_walked_by_tab_also_where_it_scrolls(contexts, width):  # noqa: F811
    def with_alerts(route: Route) -> None:
        whole = route.fetch().text()
        route.fulfill(
            body=re.sub(r'(<ol class="alert-list"[^>]*>)', rf"\1{RANG * 12}", whole), content_type="text/html"
        )

    page = contexts[True].new_page()
    page.set_viewport_size({"width": width, "height": 900})
    page.route(re.compile(r"/$"), with_alerts)
    page.goto("/")
    expect(page.locator(SETTLED).filter(visible=True)).to_have_count(0)
    found = walked(page)
    there = page.locator("[data-alerts] a").count()
    page.close()
    assert found["faults"] == []
    assert there >= 12
