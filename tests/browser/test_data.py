"""The page of the data: tabs and filters that the address keeps, and what staff do there."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from market.api.source.health import HEALTH
from tests.browser.site import Site
from tests.browser.test_tasks import log_in

# A bar of AAPL waits, one was revised, and of MSFT a Saturday is missing that no recording has.
FILLED = """
import json
from datetime import UTC, date, datetime
from market import bars, prices
from market.calendars import hours
from market.models import Bar as Row, Coverage, QuarantinedBar, TradingYear
from market.prices import Bar
at, old = datetime.now(UTC), Row.objects.filter(symbol__ticker="AAPL").order_by("-opened_at")[30]
higher = (old.open, old.high * 1.001, old.low, old.close)
prices_of = [getattr(old, name) for name in ("open", "high", "low", "close")]
bars.upsert([Bar("AAPL", "1d", old.opened_at, *higher, old.volume, True, "replay", at)], reason="a test")
tenfold = [10 * each for each in prices_of]
bars.upsert([Bar("AAPL", "1d", prices.midnight(date(2012, 1, 2)), *tenfold, 1000, True, "replay", at)])
hours.keep("XNAS")
year = TradingYear.objects.get(exchange="XNAS", year=2012)
sessions = json.loads(year.sessions)
[friday] = [each for each in sessions if each[0] == "2012-07-13"]
sessions = sorted([*sessions, ["2012-07-14", *(second + 86_400 for second in friday[1:])]])
TradingYear.objects.filter(exchange="XNAS", year=2012).update(sessions=json.dumps(sessions))
Coverage.objects.filter(symbol__ticker="MSFT").update(unbroken_until=date(2012, 7, 13))
print(QuarantinedBar.objects.count())
"""


@pytest.fixture(scope="module")
def staff(chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    """One login for all."""
    assert site.manage("shell", "-v", "0", "-c", FILLED).strip() == "1"
    context = chromium.new_context(base_url=site.url, locale="en-US", viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "tour", "value": "closed", "url": site.url}])
    page = context.new_page()
    page.goto("/login/?next=/data/")
    log_in(page)
    yield context
    context.close()


def opened(context: BrowserContext, path: str = "/data/") -> Page:
    page = context.new_page()
    page.goto(path)
    expect(page.locator("[data-frame]")).to_have_attribute("aria-busy", "false")
    return page


def test_tab_and_filters_stand_in_the_address_and_come_back(staff):
    page = opened(staff)
    expect(page.locator("[data-list=coverage] tbody tr", has_text="AAPL")).to_contain_text("1d")
    page.get_by_role("button", name="Restatements").click()
    page.get_by_label("Symbol", exact=True).fill("AAPL")
    expect(page).to_have_url(re.compile(r"tab=restatements&symbol=AAPL"))
    expect(page.locator("[data-list=restatements] tbody tr").first).to_contain_text("high")
    page.reload()
    expect(page.locator("[data-list=restatements] tbody tr").first).to_contain_text("a test")
    expect(page.get_by_role("button", name="Restatements")).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Symbol", exact=True).fill("NOPE")
    expect(page.locator("[data-state-box]")).to_contain_text("NOPE")
    page.get_by_role("button", name="Show all").click()
    expect(page).to_have_url(re.compile(r"/data/\?tab=restatements$"))
    page.close()


def test_a_bar_that_waits_is_released_by_a_second_press(staff):
    page = opened(staff, "/data/?tab=quarantine&state=waiting")
    release = page.get_by_role("button", name="Release: AAPL")
    release.click()
    expect(release).to_have_text("Really?")
    expect(page.locator("[data-list=quarantine] tbody tr")).to_have_count(1)
    release.click()
    expect(page.locator("[data-state-box]")).to_be_visible()
    page.locator("select[data-of=quarantine]").select_option("released")
    expect(page.locator("[data-list=quarantine] tbody tr")).to_contain_text("admin")
    page.close()


def test_what_is_missing_is_named_and_asked_for(staff):
    page = opened(staff, "/data/?tab=gaps")
    row = page.locator("[data-list=gaps] tbody tr", has_text="MSFT")
    expect(row.locator("[data-column=gaps]")).to_have_text("2012-07-14")
    expect(row.locator("[data-column=missing]")).to_have_text("1")
    fill = row.get_by_role("button")
    fill.click()
    fill.click()
    expect(page.locator(".toast")).to_contain_text("MSFT")
    expect(page.locator(".toast a")).to_have_attribute("href", re.compile("/tasks/"))
    page.close()


def test_a_guest_sees_the_same_without_acts(visit, staff):
    page = visit("/data/")
    expect(page.locator("[data-list=coverage] tbody tr", has_text="AAPL")).to_be_visible()
    expect(page.locator("[data-source-health] [data-name]")).to_have_text("Replay")
    expect(page.locator("[data-data] .act, [data-acts]")).to_have_count(0)


def test_how_long_prices_take_to_us_and_from_us_stands_beside_the_pace(visit):
    page = visit("about:blank")
    page.route("**/api/v2/source/", lambda route: route.fulfill(json=HEALTH))
    page.goto("/data/")
    for name, figure, note in (
        ("streamer", "420 ms", "99% within 1.9 s"),
        ("polled", "–", ""),
        ("to-client", "4 ms", "99% within 21 ms"),
        ("asked-again", "9.4 s", "99% within 10 s"),
    ):
        expect(page.locator(f"[data-figure={name}]")).to_have_text(figure)
        expect(page.locator(f"[data-note={name}]")).to_have_text(note)
