"""A symbol is added from the palette and from its page that is not there yet."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.site import Site
from tests.browser.test_tasks import log_in

# What a toast says, and how far its bar is, each time that it changes.
SEEN = """() => {
  window.seen = [];
  window.shares = [];
  new MutationObserver(() => {
    const bar = document.querySelector('.toast progress');
    const text = document.querySelector('.toast span')?.textContent;
    if (!bar || text === seen.at(-1)) return;
    seen.push(text);
    if (bar.value) shares.push(bar.value);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
ACTIVE = "from market.models import Symbol; Symbol.objects.filter(ticker='IBM').update(is_active={})"


@pytest.fixture(scope="module")
def staff(chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    if not (has_worker := "worker" in site.processes):
        site.start("worker")
    site.manage("shell", "-v", "0", "-c", ACTIVE.format(False))
    context = chromium.new_context(base_url=site.url, locale="en-US", viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "tour", "value": "closed", "url": site.url}])
    page = context.new_page()
    page.goto("/login/?next=/data/")
    log_in(page)
    page.wait_for_url("**/data/")
    yield context
    context.close()
    site.manage("shell", "-v", "0", "-c", "from market.models import Watchlist; Watchlist.objects.all().delete()")
    site.manage("shell", "-v", "0", "-c", ACTIVE.format(True))
    if not has_worker:
        site.kill("worker")


def test_the_palette_adds_what_nothing_is_called_and_tells_each_step_until_it_is_there(staff):
    page = staff.new_page()
    page.goto("/data/")
    page.keyboard.press("Control+k")
    page.keyboard.type("IBM")
    page.evaluate(SEEN)
    page.get_by_role("option", name="Add IBM").click()
    expect(page.locator(".toast")).to_contain_text("IBM is collected")
    expect(page.locator(".toast progress")).to_have_count(0)
    texts, shares = page.evaluate("() => [seen, shares]")
    assert shares == sorted(shares)
    assert (0 < shares[0] < 0.4, shares[-1]) == (True, 1)
    assert [text for text in texts if "IBM: its highs and lows are counted. " in text and "%" in text]
    page.locator(".toast a").click()
    expect(page.locator("h1")).to_contain_text("International Business Machines")
    page.close()


def test_a_symbol_that_nobody_knows_says_what_may_have_been_meant(staff):
    page = staff.new_page()
    page.goto("/symbols/AAPLE/")
    page.get_by_role("button", name="Add AAPLE").click()
    expect(page.locator("[data-said]")).to_contain_text("Did you mean AAPL?")
    expect(page.get_by_role("button", name="Add AAPLE")).to_be_enabled()
    page.close()


def test_what_is_taken_off_the_list_keeps_its_history_and_comes_back(staff):
    page = staff.new_page()
    page.goto("/?symbol=MSFT")
    row = page.locator("tr[data-row=MSFT]")
    expect(row).to_have_attribute("aria-selected", "true")
    page.keyboard.press("x")
    expect(page.locator(".toast")).to_contain_text("MSFT is off your watchlist")
    expect(row).to_have_count(0)
    page.goto("/symbols/MSFT/")
    page.locator("[data-facts]").scroll_into_view_if_needed()
    expect(page.locator("[data-held] li")).to_contain_text("1d")
    page.get_by_role("button", name="Put it on your watchlist").click()
    expect(page.get_by_role("button", name="Take it off your watchlist")).to_be_visible()
    page.goto("/")
    expect(row).to_be_visible()
    page.close()


def test_a_guest_is_offered_no_addition(visit):
    page = visit("/symbols/AAPLE/")
    expect(page.get_by_role("link", name="Go to the watchlist")).to_be_visible()
    expect(page.locator("[data-add]")).to_have_count(0)
