"""The chart as it was known at an instant: from the page of what was revised, by the address and by its own menu."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.site import Site

# A bar of a day long past closes at 30 for a moment, and then as it did before.
REVISE = """
from dataclasses import replace
from datetime import UTC, date, datetime
from market import bars
[known] = bars.history("IBM", start=date(2003, 5, 6), end=date(2003, 5, 6), adjusted="raw")
for close in (known.low, known.close):
    bars.upsert([replace(known, close=close, received_at=datetime.now(UTC))], reason="correction by a test")
"""
FORGET = "from market.models import BarRevision; BarRevision.objects.all().delete()"


@pytest.fixture
def revised(site: Site) -> Iterator[None]:
    site.manage("shell", "-v", "0", "-c", REVISE)
    yield
    site.manage("shell", "-v", "0", "-c", FORGET)


def test_what_was_revised_leads_to_the_chart_as_it_was_known_before_and_back_to_now(visit, revised):
    page, asked = visit("/data/?tab=restatements&symbol=IBM"), []
    page.on("request", lambda request: asked.append(request.url))
    page.locator("tbody tr [data-column=revised] a").first.click()
    page.wait_for_url("**/symbols/IBM/?as_known_at=*")
    made = page.locator("[data-made]")
    expect(made).to_contain_text("as known at")
    expect(page.locator("[data-plot]")).to_have_attribute("data-panel", "shown")
    told = [url for url in asked if "/symbols/IBM/bars/" in url or "/symbols/IBM/actions/" in url]
    assert told
    assert all("as_known_at=" in url for url in told if "/bars/" in url)
    assert not [url for url in asked if "/indicators/IBM" in url]  # what they were then nobody keeps
    page.get_by_role("button", name="Table", exact=True).click()
    expect(page.locator(".table-view tbody tr").first).to_be_visible()
    page.get_by_role("button", name="As it is known now").click()
    page.wait_for_url("**/symbols/IBM/?view=table")
    expect(made).not_to_contain_text("as known at")
    expect(page.locator("[data-legend]")).to_contain_text("SMA 20")


def test_before_anything_came_nothing_was_known_and_an_instant_to_come_is_none(visit):
    page = visit("/symbols/IBM/?as_known_at=2001-01-01T00:00:00Z")
    expect(page.locator("[data-state-box]")).to_contain_text("Nothing was known of it then.")
    for wrong in ("2999-01-01T00:00:00Z", "soon"):
        page = visit(f"/symbols/IBM/?as_known_at={wrong}")
        page.wait_for_url("**/symbols/IBM/")
        expect(page.locator("[data-plot]")).to_have_attribute("data-panel", "shown")


def test_an_instant_is_chosen_in_the_menu_and_stands_in_the_address(visit):
    page = visit("/symbols/IBM/", timezone_id="Asia/Seoul")
    expect(page.locator("[data-plot]")).to_have_attribute("data-panel", "shown")
    page.locator("[data-menu=style] summary").click()
    page.get_by_label("As known at", exact=True).fill("2001-01-01T09:00:00")
    page.wait_for_url("**/symbols/IBM/?as_known_at=2001-01-01T00%3A00%3A00.000Z")
    expect(page.locator("[data-state-box]")).to_contain_text("Nothing was known of it then.")
