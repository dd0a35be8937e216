"""`make screenshots`: every page in dark and light, Korean and English, 1440 and 390 wide, and in colours that the
reader forces, into var/screenshots, and the two that the README shows into docs. Each is asked for faults, which are
told at the end. With --short each is only asked for, and one of each kind taken, to see that it can be.
"""

import shutil
import sys
import tempfile
from itertools import product
from pathlib import Path

from playwright.sync_api import APIResponse, Browser, Response

from tests import services
from tests.browser import faults
from tests.browser import site as sites

PAGES = {
    "watchlist": "/",
    "symbol": "/symbols/AAPL/",
    "data": "/data/",
    "replay": "/replay/",
    "conformance": "/conformance/",
    "screener": "/screener/?where=rsi_14 > 40 and (close > sma_200 or golden_cross)&fields=high_52w,volume",
    "demo": "/ws/demo",
    "unknown": "/symbols/NOPE/",
    "missing": "/nothing/here",
    "login": "/login/",
    "reset": "/reset/",
    "register": "/register/",
    "protocol": "/api/docs/realtime/",
    "docs": "/api/docs/",
}
STAFF_PAGES = {
    "account": "/account/",
    "apikeys": "/account/keys/",
    "connections": "/connections/",
    "tasks": "/tasks/",
    "task": "/tasks/{task}/",
    "admin": "/admin/",
    "admin-symbols": "/admin/market/symbol/",
    "admin-jobs": "/admin/monitoring/job/",
    "admin-alerts": "/admin/realtime/alert/",
}
KINDS = {"watchlist", "missing", "task"}  # for everybody, one that is not there, and staff's
NOT_OURS = {"docs"}  # its markup is Swagger's, and its document English
# A key that is good and one that is not; a job of every state: the last is shown by itself.
FILLED = """
from datetime import timedelta
from django.utils import timezone
from finstage.access import keys
from finstage.models import User
from monitoring import jobs
admin = User.objects.get(username="admin")
keys.make(admin, "nightly-report", ["read"], timezone.now() + timedelta(days=90))
keys.revoke(keys.make(admin, "laptop", ["read", "write", "staff"], None)[0].pk)
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
FORCED = [("dark", "en-US", (1440, 900)), ("light", "ko-KR", (390, 844))]
STATUS = {"unknown": 404, "missing": 404}  # pages that say that there is nothing
FAULTY: list[str] = []
FOLDER = sites.ROOT / "var" / "screenshots"
SETTLED_MILLISECONDS = 2500
README = {"watchlist.png": "watchlist-dark-en-1440.png", "symbol.png": "symbol-light-en-1440.png"}


def main(*options: str) -> None:
    if options == ("--short",):
        with tempfile.TemporaryDirectory(prefix="finstage-screenshots-") as folder:
            _shoot_all(Path(folder), LOOKS[:1], KINDS)
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    _shoot_all(FOLDER, LOOKS, {*PAGES, *STAFF_PAGES})
    assert not FAULTY, "These have faults:\n" + "\n".join(FAULTY)
    for name, shot in README.items():
        shutil.copyfile(FOLDER / shot, sites.ROOT / "docs" / name)


def _shoot_all(into: Path, looks: list[tuple], names: set[str]) -> None:
    try:
        with (
            tempfile.TemporaryDirectory(prefix="finstage-site-") as folder,
            sites.running(Path(folder), session_seconds=20) as site,
            sites.chromium() as browser,
        ):
            _shoot_pages(browser, site.url, PAGES, into, looks, names)
            site.start("worker")
            task = site.manage("shell", "-v", "0", "-c", FILLED).strip()
            pages = {name: path.format(task=task) for name, path in STAFF_PAGES.items()}
            _shoot_pages(browser, site.url, pages, into, looks, names, storage_state=_logged_in(browser, site.url))
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
    browser: Browser,
    url: str,
    pages: dict[str, str],
    into: Path,
    looks: list[tuple],
    names: set[str],
    **options: object,
) -> None:
    """Those that are named; the others are only asked for."""
    for name in pages.keys() - names:
        _ask(browser, url + pages[name], STATUS.get(name, 200), **options)
    taken = {name: path for name, path in pages.items() if name in names}
    wanted = [(look, "none") for look in looks] + [(look, "active") for look in FORCED if len(looks) > 1]
    for (name, path), ((theme, language, (width, height)), forced) in product(taken.items(), wanted):
        file = into / f"{name}-{theme if forced == 'none' else 'forced'}-{language[:2]}-{width}.png"
        look = {"color_scheme": theme, "locale": language, "viewport": {"width": width, "height": height}}
        found = _shoot(browser, url + path, file, STATUS.get(name, 200), forced_colors=forced, **look, **options)
        # Where the reader forces colours, none of ours is left to look at.
        FAULTY.extend(f"{file.name}: {fault}" for fault in found if name not in NOT_OURS and forced == "none")
        sys.stdout.write(f"{file}\n")


def _ask(browser: Browser, url: str, status: int, **options: object) -> None:
    context = browser.new_context(**options)
    _require(context.request.get(url), status)
    context.close()


def _require(answer: Response | APIResponse, status: int) -> None:
    assert answer.status == status, f"{answer.url} answers {answer.status} instead of {status}"


def _shoot(browser: Browser, url: str, file: Path, status: int, **options: object) -> list[str]:
    """A picture of what a page became, and its faults; a page that answers otherwise is no picture of it."""
    context = browser.new_context(**options, device_scale_factor=1)
    context.add_cookies([{"name": "tour", "value": "closed", "url": url}])
    page = context.new_page()
    found = faults.of_console(page)
    answer = page.goto(url)
    page.wait_for_timeout(SETTLED_MILLISECONDS)
    page.screenshot(path=file)
    found += faults.of_axe(page)
    found += faults.untranslated(page) if options["locale"] == "ko-KR" else []
    context.close()
    _require(answer, status)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
