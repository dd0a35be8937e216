"""A running site for a module, and a page of a real Chromium for each test."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import logins
from tests.browser import site as sites
from tests.browser.site import Site

WITHIN = 60_000
expect.set_options(timeout=WITHIN)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def site(tmp_path_factory) -> Iterator[Site]:
    with sites.running(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with sites.chromium() as browser:
        yield browser


@pytest.fixture
def visit(chromium: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """visit("/symbols/AAPL/", color_scheme="dark"): a page of a fresh profile, whose first steps are closed.

    visit("/tasks/", who="admin"): the same for somebody who has logged in.
    """
    contexts = []

    def go(path: str = "/", *, is_new: bool = False, who: str = "", **options) -> Page:
        context = chromium.new_context(
            **{"viewport": {"width": 1440, "height": 900}, "locale": "en-US", "base_url": site.url, **options}
        )
        contexts.append(context)
        if not is_new:
            context.add_cookies([{"name": "tour", "value": "closed", "url": site.url}])
        if who:
            context.add_cookies([logins.cookie(site, who)])
        page = context.new_page()
        page.set_default_timeout(WITHIN)
        page.goto(path)
        return page

    yield go
    for context in contexts:
        context.close()
