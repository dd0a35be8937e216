"""What axe finds: nothing, on every page, dark and light, Korean and English, wide and narrow."""

import pytest
from playwright.sync_api import expect

from tests.browser.faults import AXE, RUN

LOOKS = [("dark", "ko-KR", 1440), ("light", "en-US", 390), ("light", "ko-KR", 1440), ("dark", "en-US", 390)]


@pytest.mark.parametrize("path", ["/", "/symbols/AAPL/", "/symbols/NOPE/"])
@pytest.mark.parametrize(("theme", "locale", "width"), LOOKS)
def test_axe_finds_nothing(visit, path, theme, locale, width):
    page = visit(path, color_scheme=theme, locale=locale, viewport={"width": width, "height": 900})
    if not path.endswith("NOPE/"):
        expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
        expect(page.locator("[data-skeleton], [data-pane-chart]:empty").filter(visible=True)).to_have_count(0)
    page.evaluate(AXE)
    assert page.evaluate(RUN) == []
