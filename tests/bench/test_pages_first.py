"""What a first visit costs: bytes as they came over the line, and when a page answers on a processor four times slower.

A page is interactive once its scripts have run, which is where a browser says that its content is loaded. Weighed is
the content of all that it asks for until it is at rest: the page, its files and its data; beside it the heads of these
answers, which nothing compresses. The rival is the limit. The reference of the paths over HTTP is Swagger's: its
script alone weighs more than that.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, TimeoutError

from tests.bench.evidence import IS_JUDGED, Evidence, Line
from tests.browser import site as sites
from tests.browser.site import PASSWORD, Site

pytestmark = [pytest.mark.bench]
OFTEN = {"watchlist": "/", "symbol": "/symbols/AAPL/", "live stream": "/ws/demo", "log-in": "/login/"}
OTHERS = {
    "data": "/data/", "replay": "/replay/", "tasks": "/tasks/", "connections": "/connections/", "account": "/account/",
    "certificates": "/conformance/",
    "keys": "/account/keys/", "messages": "/api/docs/realtime/", "new password": "/reset/", "nothing": "/nothing/here",
    "admin": "/admin/", "admin's symbols": "/admin/market/symbol/", "admin's tasks": "/admin/monitoring/job/",
}  # fmt: skip
PATHS = {**OFTEN, **OTHERS} if IS_JUDGED else OFTEN
FOR_GUESTS = {"/login/", "/reset/"}
JOBS = """
from datetime import timedelta
from django.utils import timezone
from monitoring.models import Job, ids_from
Job.objects.bulk_create(Job(
    id=ids_from(at), name="market.records", state="completed", max_attempts=1, attempt=1, timeout_seconds=9,
    about="AAPL", created_at=at, not_before=at, started_at=at, finished_at=at, outcome="whole", result={"rows": 7})
    for at in (timezone.now() - timedelta(seconds=seconds) for seconds in range(150)))
"""
ROUNDS = 5 if IS_JUDGED else 1
SLOWER = 4 if IS_JUDGED else 1  # a browser that is slowed computes all the while it waits
MOST_SECONDS, MOST_KILOBYTES = 1.5, 140
HEAVIER = {"replay": 155}  # it has the table and the whole chart
REST_MILLISECONDS = 1500
REST_WITHIN = 15_000
INTERACTIVE = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd / 1000"


@dataclass
class Visit:
    """Seconds until it was interactive, and kilobytes that came to a browser that had nothing of it."""

    seconds: float
    heads: float
    content: float


def test_first_visits(tmp_path):
    evidence = Evidence("pages-first")
    with sites.running(tmp_path, session_seconds=20) as site, sites.chromium() as browser:
        site.manage("shell", "-c", JOBS)
        state = logged_in(browser, site)
        for name, path in PATHS.items():
            kept = None if path in FOR_GUESTS else state
            visits = [visited(browser, site.url + path, kept) for _ in range(ROUNDS if name in OFTEN else 1)]
            _tell(evidence, name, visits)
    evidence.leave_out("the reference of the paths", "Swagger's script is 3 times the limit, and not ours")
    evidence.tell()
    assert all(line.reaches(line.gate) for line in evidence.lines)


def logged_in(browser: Browser, site: Site) -> dict:
    """What a browser keeps of a login, and nothing that the pages have left in it."""
    with _context(browser) as context:
        page = context.new_page()
        page.goto(f"{site.url}/login/?next=/ws/demo")
        page.fill("[name=username]", "admin")
        page.fill("[name=password]", PASSWORD)
        page.click("main button")
        page.wait_for_url(f"{site.url}/ws/demo")
        return context.storage_state()


def visited(browser: Browser, url: str, state: dict | None) -> Visit:
    with _context(browser, storage_state=state) as context:
        page, came, answers = context.new_page(), {}, {}
        devices = context.new_cdp_session(page)
        devices.send("Network.enable")
        devices.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        devices.on("Network.responseReceived", lambda told: answers.update({told["requestId"]: told["response"]}))
        devices.on("Network.loadingFinished", lambda told: came.update({told["requestId"]: told["encodedDataLength"]}))
        page.goto(url)
        seconds = page.evaluate(INTERACTIVE)
        with suppress(TimeoutError):  # a busy machine is never at rest where a page asks every two seconds
            page.wait_for_load_state("networkidle", timeout=REST_WITHIN)
        page.wait_for_timeout(REST_MILLISECONDS)
        heads = sum(answers[each]["encodedDataLength"] for each in came)
        return Visit(seconds, heads / 1000, (sum(came.values()) - heads) / 1000)


@contextmanager
def _context(browser: Browser, **options) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="en-US", viewport={"width": 1440, "height": 900}, **options)
    yield context
    context.close()


def _tell(evidence: Evidence, name: str, visits: list[Visit]) -> None:
    seconds, contents = [each.seconds for each in visits], [each.content for each in visits]
    heads = [each.heads for each in visits]
    evidence.add(_line(f"{name}: interactive, processor / {SLOWER}", seconds, MOST_SECONDS, "s"))
    evidence.add(_line(f"{name}: page, files and data", contents, HEAVIER.get(name, MOST_KILOBYTES), "KB"))
    evidence.add(_line(f"{name}: heads beside them", heads, MOST_KILOBYTES, "KB"))


def _line(what: str, ours: list[float], most: float, unit: str) -> Line:
    return Line(what, ours, [most] * len(ours), unit, 1, 1, is_smaller_better=True)
