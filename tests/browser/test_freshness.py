"""A page that is left open says by itself when what it shows gets old."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

# A close of three days ago, of an exchange that opens in ten minutes; the feed of the site tells nothing of it.
CLOSED = """
from datetime import UTC, datetime, timedelta
from market import quotes
from market.calendars import openings
from market.calendars.openings import Opening, Openings
from market.models import Symbol
from market.prices import Quote
now = datetime.now(UTC).replace(microsecond=0)
made, opens = now - timedelta(days=3), now + timedelta(minutes=10)
facts = dict(name="BP", exchange="XLON", currency="GBP", time_zone="Europe/London", is_active=False)
Symbol.objects.update_or_create(ticker="BP.L", defaults=facts)
quotes.keep([Quote("BP.L", 4.5, 4.4, 4.4, 4.6, 4.3, 1000, made.date(), made, "second", made, "yahoo", "closed",
                   state="closed")])
openings.keep("XLON", Openings(Opening(made.date(), made - timedelta(hours=8)), {next}))
"""
UNKNOWN, IN_TEN_MINUTES = "None", "Opening(opens.date(), opens)"
# Of a recording a page says no more than that it is one.
LIVE = """document.addEventListener('readystatechange', () => {
  const data = document.getElementById('page-data');
  if (document.readyState !== 'interactive' || !data) return;
  const page = JSON.parse(data.textContent);
  data.textContent = JSON.stringify({ ...page, source: { ...page.source, is_recorded: false } });
})"""


def status(page: Page, is_so: str) -> None:
    expect(page.locator("[data-fresh] .status")).to_have_attribute("data-status", is_so)


@pytest.fixture
def left_open(visit, site) -> Callable[..., Page]:
    """left_open(IN_TEN_MINUTES): the page of a close, on a clock that can be moved."""

    def opened(opens: str) -> Page:
        site.manage("shell", "-c", CLOSED.format(next=opens))
        page = visit("about:blank")
        page.add_init_script(LIVE)
        page.clock.install()
        page.goto("/symbols/BP.L/")
        expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
        status(page, "closed")
        return page

    return opened


def test_a_close_gets_old_on_a_page_that_is_left_open_once_the_exchange_opens(left_open):
    page = left_open(IN_TEN_MINUTES)
    page.route("**/quote/", lambda route: route.abort())  # it says so by itself, and not as it asks again
    page.clock.fast_forward("11:00")
    status(page, "delayed")
    page.clock.fast_forward("30:00")
    status(page, "stale")
    expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")


def test_when_the_exchange_opens_next_is_asked_for_now_and_then(left_open, site):
    page = left_open(UNKNOWN)
    site.manage("shell", "-c", CLOSED.format(next=IN_TEN_MINUTES))
    with page.expect_response("**/quote/"):
        page.clock.fast_forward("01:10")
    page.route("**/quote/", lambda route: route.abort())
    status(page, "closed")
    page.clock.fast_forward("11:00")
    status(page, "delayed")
