"""The page of signals: filters, what each did afterwards, where there are none, and what comes meanwhile."""

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def signals(visit):
    def go(query: str = "", **options) -> Page:
        page = visit(f"/signals/{query}", **options)
        expect(page.locator("[data-frame]")).to_have_attribute("aria-busy", "false", timeout=20_000)
        return page

    return go


def rows(page: Page) -> list[str]:
    return page.locator("[data-list] tbody tr").evaluate_all("rows => rows.map((row) => row.dataset.row)")


def test_filters_stand_in_the_address_and_leave_what_they_mean(signals):
    page = signals("?symbol=AAPL&rule=macd_cross_up")
    told = page.request.get("/api/v2/signals/?symbol=AAPL&rule=macd_cross_up&limit=50").json()["results"]
    assert told
    assert rows(page) == [str(each["id"]) for each in told]
    after = [each["after"]["move_percent"] for each in told]
    shown = page.locator("[data-list] tbody [data-column=after]").all_text_contents()
    assert [text == "–" for text in shown] == [move is None for move in after]
    page.select_option("[name=direction]", "down")
    expect(page.locator("[data-state-box]")).to_contain_text("No signal matches")
    assert "direction=down" in page.url
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("[data-list] tbody tr").first).to_be_visible()
    page.fill("[name=symbol]", "NOPE1")
    expect(page.locator("[data-state-box]")).to_contain_text("NOPE1")


def test_a_symbol_has_its_newest_signals_and_its_rating_with_26_parts(visit):
    page = visit("/symbols/AAPL/")
    with page.expect_response(lambda answer: "/signals/marks/" in answer.url) as marked:
        page.reload()
    assert marked.value.json()["marks"]
    page.locator("[data-facts]").scroll_into_view_if_needed()
    told = page.request.get("/api/v2/signals/?symbol=AAPL&limit=1").json()["results"][0]
    expect(page.locator("[data-newest] li").first).to_contain_text(told["session_date"])
    expect(page.locator("[data-rating]:not(.is-unknown) b").first).to_be_visible()
    assert not page.locator("[data-rating] li").first.is_visible()
    page.locator("[data-rating] summary").click()
    expect(page.locator("[data-rating] li")).to_have_count(26)
    expect(page.locator("[data-rating] li").first).to_be_visible()
