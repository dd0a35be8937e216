"""What the source corrects of bars within a session changes on the chart that stands open, through the real feed."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.site import Site

# Ten bars of five minutes of a session before the first one that is played; the last of them closes at a price.
WRITE = """
from datetime import UTC, date, datetime, timedelta
from market import bars
from market.prices import Bar
opened, told = datetime(2012, 8, 30, 13, 30, tzinfo=UTC), dict(source="replay", received_at=datetime.now(UTC))
closes = [180.0 + number / 10 for number in range(9)] + [{close}]
facts = dict(is_final=True, state="final", session_date=date(2012, 8, 30), **told)
bars.upsert([
    Bar("FB", "5m", opened + timedelta(minutes=5 * number), 180.0, 190.0, 170.0, close, 1000, **facts)
    for number, close in enumerate(closes)
], reason="correction by a test")
"""
FORGET = """
from market.models import Bar, BarRevision, Coverage
for model in (Bar, BarRevision, Coverage): model.objects.filter(symbol__ticker="FB", interval="5m").delete()
"""


@pytest.fixture
def write(site: Site) -> Iterator[Callable[[float], None]]:
    """write(181.5): the last of them closes there, as the source has it."""
    yield lambda close: site.manage("shell", "-v", "0", "-c", WRITE.format(close=close))
    site.manage("shell", "-v", "0", "-c", FORGET)


@pytest.mark.parametrize("interval", ["5m", "15m"])
def test_a_bar_that_the_source_corrects_changes_on_the_open_chart_and_is_said(visit, write, interval):
    write(181.5)
    page = visit(f"/symbols/FB/?interval={interval}")
    legend = page.locator("[data-legend]")
    expect(legend).to_contain_text("181.50")
    expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
    write(184.25)
    expect(legend).to_contain_text("184.25")
    expect(page.locator("[data-plot]")).to_contain_text("Corrected by the source: 2012-08-30")
    page.get_by_role("button", name="Table", exact=True).click()
    expect(page.locator(".table-view tbody tr").first).to_contain_text("184.25")
    write(185.75)
    expect(page.locator(".table-view tbody tr").first).to_contain_text("185.75")
