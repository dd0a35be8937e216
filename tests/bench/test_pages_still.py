"""What moves on the pages in a minute of prices beside the figures that change: nothing.

Looked at are the watchlist and a symbol's page, on a wide screen and on a phone. The rival is how many texts changed.
"""

from contextlib import ExitStack

import pytest

from tests.bench.evidence import IS_JUDGED, Evidence, Line
from tests.browser import site as sites
from tests.browser import stillness

pytestmark = [pytest.mark.bench]
PATHS = {"the watchlist": "/", "a symbol's page": "/symbols/AAPL/"}
SIZES = {"1440 wide": {"width": 1440, "height": 900}, "390 wide": {"width": 390, "height": 844}}
SECONDS = 60 if IS_JUDGED else 2


def test_pages_hold_still(tmp_path):
    evidence = Evidence("pages-still")
    with ExitStack() as opened:
        site = opened.enter_context(sites.running(tmp_path, session_seconds=4))
        browser = opened.enter_context(sites.chromium())
        pages = {}
        for what, path in PATHS.items():
            for size, viewport in SIZES.items():
                page = pages[f"{what}, {size}"] = browser.new_page(base_url=site.url, viewport=viewport)
                page.goto(path)
                page.wait_for_selector("[data-connection][data-status=live]")
                page.wait_for_function("() => !document.querySelector('[data-panel=waiting]')")
        moved = stillness.moved(pages, SECONDS)
        for name, page in pages.items():
            found, changed = len(moved.get(name, [])), stillness.changes(page)
            evidence.add(Line(name, [found], [changed], "moves", 0, 0, is_smaller_better=True, gates_ours=True))
    evidence.tell()
    assert not moved
