"""Key figures on a symbol's page: with unit, day and source, in room of their own, and no rows where there are none."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser import site as sites
from tests.browser import stillness
from tests.browser.site import Site
from tests.market.yahoo_charts import made_chart
from tests.market.yahoo_wire import Wire

ASK = "from monitoring import jobs; jobs.everything()['market.figures_chunk']([{!r}])"
EARNINGS = datetime.now(UTC).replace(month=12, day=20, hour=21) + timedelta(days=365)
TOLD = {
    "marketCap": 3_674_405_863_424, "sharesOutstanding": 15_022_100_480, "financialCurrency": "USD",
    "trailingPE": 10.0, "epsTrailingTwelveMonths": 43.047, "dividendRate": 10.6, "dividendYield": 2.46,
    "earningsTimestampStart": int(EARNINGS.timestamp()), "isEarningsDateEstimate": True,
    "earningsTimestampEnd": int((EARNINGS + timedelta(days=3)).timestamp()),
}  # fmt: skip


@pytest.fixture(scope="module")
def live(tmp_path_factory) -> Iterator[Site]:
    """A site of its own whose source is Yahoo's stub; of Apple the key figures have come, of Microsoft not yet."""
    with Wire() as wire:
        wire.charts |= {ticker: made_chart(ticker) for ticker in ("AAPL", "MSFT")}
        wire.figures |= {"AAPL": TOLD, "MSFT": {"marketCap": 238_000_000_000, "epsTrailingTwelveMonths": -1.2}}
        wire.summaries["AAPL"] = {"calendarEvents": {"exDividendDate": 1739145600}}
        told = {"FINSTAGE_SOURCE": "yahoo", "FINSTAGE_YAHOO_RATE": "100", **wire.environment}
        with sites.running(tmp_path_factory.mktemp("live"), **told) as running:
            running.manage("shell", "-c", ASK.format("AAPL"))
            yield running


def figures(page: Page) -> dict[str, str]:
    """What is written of each, by its name."""
    lines = page.locator("[data-key-figures] > div")
    return dict(zip(lines.locator("dt").all_text_contents(), lines.locator("dd").all_text_contents(), strict=True))


def test_each_has_its_unit_and_the_list_its_day_and_source(visit, live):
    page = visit(live.url + "/symbols/AAPL/")
    span = f"{EARNINGS:%Y-%m-%d} – {EARNINGS + timedelta(days=3):%m-%d}"
    expect(page.locator("[data-figures-note]")).to_have_text("as of 2013-03-01 · yahoo")
    assert figures(page) == {
        "Market cap": "3.7T USD", "P/E, 12 months": "10.00", "EPS, 12 months": "43.05 USD",
        "Dividend yield": "2.46%", "Earnings expected": span, "Ex-dividend date": "2025-02-10",
    }  # fmt: skip
    hover = page.locator("[data-figure=market_cap]").get_attribute("title")
    assert re.match(r"Source: yahoo\. The price they go with is of 2013-03-01 .*; received 20\d\d-", hover)


def test_they_are_told_in_korean(visit, live):
    page = visit(live.url + "/symbols/AAPL/", locale="ko-KR")
    expect(page.locator("[data-figures-note]")).to_have_text("2013-03-01 기준 · yahoo")
    found = figures(page)
    assert (found["시가총액"], found["배당락일"]) == ("3.7조 USD", "2025-02-10")
    assert "예상 실적 발표" in found


def test_nothing_moves_when_they_come(visit, live):
    sizes = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 390, "height": 844}}
    pages = {name: visit(live.url + "/symbols/MSFT/", viewport=size) for name, size in sizes.items()}
    pages["narrow"].get_by_role("button", name="Key figures").click()
    for page in pages.values():
        expect(page.locator("[data-figures-note]")).to_have_text("They are asked for once a day.")
        expect(page.locator("[data-panel=waiting]:visible")).to_have_count(0)
        page.evaluate(stillness.WATCH)
    live.manage("shell", "-c", ASK.format("MSFT"))
    for page in pages.values():
        expect(page.locator("[data-figures-note]")).to_have_text("as of 2013-03-01 · yahoo")
        assert figures(page)["Market cap"] == "238B USD"
    assert {name: page.evaluate(stillness.TOLD) for name, page in pages.items()} == {"wide": [], "narrow": []}


def test_why_one_is_missing_is_said_where_one_points(visit, live):
    live.manage("shell", "-c", ASK.format("MSFT"))
    page = visit(live.url + "/symbols/MSFT/")
    expect(page.locator("[data-figures-note]")).to_have_text("as of 2013-03-01 · yahoo")
    lines = {name: page.locator(f"[data-figure={name}]") for name in ("price_earnings", "ex_dividend_date")}
    expect(lines["price_earnings"].locator("dd")).to_have_text("–")
    assert lines["price_earnings"].get_attribute("title").startswith("There is no P/E of a loss. (since 20")
    assert lines["ex_dividend_date"].get_attribute("title").startswith("It pays no dividend. (since 20")


def test_an_index_has_no_room_for_them(visit, live):
    page = visit(live.url + "/symbols/%5EGSPC/")
    expect(page.locator("[data-figures] > div").first).to_be_visible()
    expect(page.locator("[data-key-figures]")).to_have_count(0)
    expect(page.locator(".figures-note")).to_have_count(0)


def test_what_a_recording_has_not_is_said_once_and_has_no_rows(visit):
    page = visit("/symbols/AAPL/")
    expect(page.locator(".figures-note")).to_have_text(
        "The recording tells no market value, earnings or dividend yield."
    )
    expect(page.locator("[data-key-figures]")).to_have_count(0)
