"""The page of the screener: line, builder, columns and order ask the same; what is asked is kept and shared."""

import re

import pytest
from playwright.sync_api import Page, expect

PATH = "/screener/?where=close > 100 and rsi_14 > 1"


@pytest.fixture
def screener(visit):
    def go(path: str = PATH, **options) -> Page:
        page = visit(path, **options)
        expect(page.locator("[data-frame]")).to_have_attribute("aria-busy", "false")
        return page

    return go


def symbols(page: Page) -> list[str]:
    return page.locator("[data-list] tbody tr").evaluate_all("rows => rows.map((row) => row.dataset.row)")


def asked(page: Page) -> str:
    return page.evaluate("new URLSearchParams(location.search).get('where') ?? ''")


def test_the_builder_follows_the_line_and_the_line_the_builder(screener):
    page = screener()
    lefts = page.locator("[data-builder] .left")
    expect(lefts).to_have_count(2)
    assert "AAPL" in symbols(page)
    line = page.locator("tr[data-row=AAPL] .sparkline path:not(.area)")
    expect(line).to_have_attribute("d", re.compile("^M"))
    assert line.evaluate("line => getComputedStyle(line).fill") == "none"
    page.locator("[data-builder] .right").nth(0).fill("1e9")
    expect(page.locator("[data-line]")).to_have_value("close > 1e9 and rsi_14 > 1")
    expect(page.locator("[data-count]")).to_have_text(re.compile(r"^0 of \d+ symbols"))
    expect(page.locator("[data-state-box]")).to_contain_text("It holds for no symbol")
    page.locator("[data-line]").fill(
        "close > 100 and (golden_cross or not rsi_14 > 99) and close rises_by 1% within 500"
    )
    expect(lefts).to_have_count(4)
    expect(page.locator("[data-builder] .operator").nth(1)).to_have_value("")
    expect(page.locator("[data-builder] .within").nth(3)).to_have_value("500")
    assert asked(page) == page.locator("[data-line]").input_value()
    page.locator("[data-builder] .row .remove").nth(0).click()
    expect(page.locator("[data-line]")).to_have_value(
        "(golden_cross or not (rsi_14 > 99)) and close rises_by 1% within 500"
    )
    expect(page.locator("[data-count]")).to_have_text(re.compile(r"^[1-9]\d* of \d+ symbols"))
    page.get_by_role("button", name="+ Group").last.click()
    page.keyboard.type("close")
    page.locator("[data-builder] .right").last.fill("2")
    expect(page.locator("[data-line]")).to_have_value(re.compile(r" and close > 2$"))
    expect(page.locator("[data-tree]")).to_contain_text('"rises_by"')


def test_what_cannot_be_read_is_said_at_its_place_and_columns_and_order_are_ones_own(screener):
    page = screener()
    page.locator("[data-line]").fill("close > ")
    expect(page.locator("[data-wrong]")).to_contain_text("missing")
    expect(page.locator("[data-list]")).to_be_hidden()
    page.locator("[data-line]").fill("close > 1")
    expect(page.locator("[data-wrong]")).to_be_hidden()
    page.locator("[data-column-input]").fill("high_52w")
    page.keyboard.press("Enter")
    expect(page.locator("thead [data-column=high_52w]")).to_be_visible()
    page.locator("thead [data-column=close] button").click()
    expect(page.locator("thead [data-column=close]")).to_have_attribute("aria-sort", "descending")
    first = symbols(page)
    page.locator("thead [data-column=close] button").click()
    expect(page.locator("thead [data-column=close]")).to_have_attribute("aria-sort", "ascending")
    assert symbols(page) == first[::-1]
    expect(page).to_have_url(re.compile(r"fields=high_52w"))
    page.reload()
    expect(page.locator("thead [data-column=close]")).to_have_attribute("aria-sort", "ascending")
    page.locator("[data-columns] button").click()
    expect(page.locator("thead [data-column=high_52w]")).to_have_count(0)
    page.locator("[data-column-input]").fill("nope_7")
    page.keyboard.press("Enter")
    expect(page.locator("[data-columns-wrong]")).to_contain_text("nope_7")
    href = page.locator("[data-export=csv]").get_attribute("href")
    assert "format=csv" in href


def test_a_screen_is_kept_shared_by_its_link_and_deleted_with_a_way_back(screener, visit):
    page = screener(who="admin")
    page.click("[data-keep]")
    page.click("[data-submit]")
    expect(page.locator("#keep-name-help")).not_to_be_empty()
    page.fill("#keep-name", "IBM 100")
    page.check("[name=is_shared]")
    page.click("[data-submit]")
    expect(page.locator("[data-kept-list] option:checked")).to_have_text("IBM 100")
    expect(page).to_have_url(re.compile(r"\?screen=\d+$"))
    token = page.evaluate("fetch('/api/v2/screens/').then((told) => told.json()).then(({results}) => results[0].token)")
    guest = screener(f"/screener/?screen={token}", is_new=True)
    expect(guest.locator("[data-line]")).to_have_value("close > 100 and rsi_14 > 1")
    expect(guest.locator(".toast")).to_contain_text("IBM 100")
    assert symbols(guest) == symbols(page)
    page.click("[data-remove]")
    expect(page.locator("[data-kept-list] option")).to_have_count(1)
    page.click(".toast .undo")
    expect(page.locator("[data-kept-list] option:checked")).to_have_text("IBM 100")
