"""Every page by the keyboard alone: each stop is seen, with an outline that nothing cuts, and nothing is left out."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_every_page import SETTLED, contexts, staff  # noqa: F401

WALK = Path(__file__).with_name("walk.js").read_text()
START = "document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')"
MOST = 400
STAFF = [
    "/", "/symbols/AAPL/", "/tasks/", "/account/", "/account/keys/", "/connections/", "/ws/demo", "/api/docs/realtime/",
    "/admin/", "/admin/market/symbol/", "/admin/monitoring/job/",
]  # fmt: skip
GUEST = ["/login/", "/symbols/NOPE/"]


def walked(page: Page) -> dict:
    """What a walk by Tab from the page's beginning finds; a menu that it comes to is opened, and walked too."""
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
