"""`make screenshots`: every page in dark and light, Korean and English, 1440 and 390 wide, into var/screenshots,
and the two that the README shows into docs. With --short each page once, only to see that it can be taken.
"""

import shutil
import sys
import tempfile
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser

from tests import services
from tests.browser import site as sites

PAGES = {
    "watchlist": "/",
    "symbol": "/symbols/AAPL/",
    "unknown": "/symbols/NOPE/",
    "missing": "/nothing/here",
    "login": "/login/",
}
STAFF_PAGES = {"tasks": "/tasks/", "task": "/tasks/{task}/"}
# One of every state: the last is shown by itself.
JOBS = """
from datetime import timedelta
from django.utils import timezone
from monitoring import jobs
jobs.submit("market.records")
jobs.submit("rehearsal.break")
jobs.submit("rehearsal.backfill", {"symbols": ["MSFT"], "sessions": 900}, priority="high", timeout=2)
jobs.cancel(jobs.submit("market.records", not_before=timezone.now() + timedelta(days=1)).pk)
jobs.submit("market.records", not_before=timezone.now() + timedelta(days=1))
jobs.submit("rehearsal.backfill", {"symbols": ["AAPL", "FB", "GOOG", "IBM", "MSFT"], "sessions": 2000}, timeout=3600)
jobs.submit("rehearsal.backfill", {"symbols": ["AAPL", "IBM"]})
print(jobs.submit("rehearsal.stumble", {"symbol": "GOOG"}).pk)
"""
LOOKS = list(product(("dark", "light"), ("ko-KR", "en-US"), ((1440, 900), (390, 844))))
ABSENT = {"unknown", "missing"}  # pages that say that there is nothing
FOLDER = sites.ROOT / "var" / "screenshots"
SETTLED_MILLISECONDS = 2500
README = {"watchlist.png": "watchlist-dark-en-1440.png", "symbol.png": "symbol-light-en-1440.png"}


def main(*options: str) -> None:
    if options == ("--short",):
        with tempfile.TemporaryDirectory(prefix="finstage-screenshots-") as folder:
            _shoot_all(Path(folder), LOOKS[:1])
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    _shoot_all(FOLDER, LOOKS)
    for name, shot in README.items():
        shutil.copyfile(FOLDER / shot, sites.ROOT / "docs" / name)


def _shoot_all(into: Path, looks: list[tuple]) -> None:
    try:
        with (
            tempfile.TemporaryDirectory(prefix="finstage-site-") as folder,
            sites.running(Path(folder), session_seconds=20) as site,
            sites.chromium() as browser,
        ):
            _shoot_pages(browser, site.url, PAGES, into, looks)
            site.start("worker")
            task = site.manage("shell", "-v", "0", "-c", JOBS).strip()
            pages = {name: path.format(task=task) for name, path in STAFF_PAGES.items()}
            _shoot_pages(browser, site.url, pages, into, looks, storage_state=_logged_in(browser, site.url))
    finally:
        services.pytest_unconfigure()


def _logged_in(browser: Browser, url: str) -> dict:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/login/?next=/tasks/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", sites.PASSWORD)
    page.click("main button")
    page.wait_for_url("**/tasks/")
    state = context.storage_state()
    context.close()
    return state


def _shoot_pages(
    browser: Browser, url: str, pages: dict[str, str], into: Path, looks: list[tuple], **options: object
) -> None:
    for (name, path), (theme, language, (width, height)) in product(pages.items(), looks):
        file = into / f"{name}-{theme}-{language[:2]}-{width}.png"
        look = {"color_scheme": theme, "locale": language, "viewport": {"width": width, "height": height}}
        _shoot(browser, url + path, file, status=404 if name in ABSENT else 200, **look, **options)
        sys.stdout.write(f"{file}\n")


def _shoot(browser: Browser, url: str, file: Path, *, status: int, **options: object) -> None:
    """A picture of what a page became; a page that answers otherwise or whose script breaks is no picture of it."""
    context = browser.new_context(**options, device_scale_factor=1)
    page, faults = context.new_page(), []
    page.on("pageerror", lambda fault: faults.append(fault))
    answer = page.goto(url)
    page.wait_for_timeout(SETTLED_MILLISECONDS)
    page.screenshot(path=file)
    context.close()
    assert answer.status == status, f"{url} answers {answer.status} instead of {status}"
    assert not faults, f"{url}: {faults[0]}"


if __name__ == "__main__":
    main(*sys.argv[1:])
