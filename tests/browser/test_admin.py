"""The admin, in the frame: axe finds nothing on its lists, and nothing is wider than a phone."""

import pytest
from playwright.sync_api import expect

from tests.browser.faults import AXE, RUN, untranslated
from tests.browser.test_preferences import log_in

PATHS = [
    *("/admin/", "/admin/monitoring/job/", "/admin/market/symbol/", "/admin/finstage/user/", "/admin/realtime/alert/"),
    *("/admin/realtime/alertrule/add/", "/admin/finstage/apikey/"),
]
TICKED = {"/admin/finstage/user/", "/admin/finstage/apikey/"}  # Django says "True" of its ticks in every language


@pytest.mark.parametrize(("theme", "locale", "width"), [("dark", "ko-KR", 1440), ("light", "en-US", 390)])
def test_axe_finds_nothing_and_nothing_is_too_wide(visit, theme, locale, width):
    look = {"color_scheme": theme, "locale": locale, "viewport": {"width": width, "height": 844}}
    page = visit("/login/?next=/admin/", **look)
    faults = []
    page.on("console", lambda said: said.type == "error" and faults.append(said.text))
    log_in(page)
    for path in PATHS:
        page.goto(path)
        expect(page.locator(".topbar")).to_be_visible()
        page.evaluate(AXE)
        assert page.evaluate(RUN) == [], path
        if locale == "ko-KR" and path not in TICKED:
            assert untranslated(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
    assert not faults
