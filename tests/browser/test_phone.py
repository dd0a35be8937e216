"""On a phone: tabs and more at the bottom, sheets from below, and room for a finger on all that can be pressed."""

import json

import pytest
from playwright.sync_api import Page, expect

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# What can be pressed and is smaller than a finger; a link inside of a row or a sentence has that to be pressed.
SMALL = """() => [...document.querySelectorAll('a, button, summary, select, input, [tabindex="0"]')].flatMap((each) => {
  const target = each.matches('input') ? each.closest('label, .field') ?? each : each;
  const box = target.getBoundingClientRect();
  const isIn = each.closest('tr, p:not(.actions), .skip, pre, [popover]:not(:popover-open), dialog:not([open])');
  if (isIn || !each.checkVisibility() || !box.width || each.className === 'skip') return [];
  return box.width >= 44 && box.height >= 44 ? [] : [`${each.outerHTML.slice(0, 90)} ${box.width}x${box.height}`];
})"""


@pytest.fixture
def phone(visit):
    def go(path: str) -> Page:
        page = visit(path, **PHONE)
        expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
        return page

    return go


@pytest.mark.parametrize("path", ["/", "/symbols/AAPL/", "/data/"])
def test_everything_has_room_for_a_finger_and_nothing_is_wider_than_the_screen(phone, path):
    page = phone(path)
    expect(page.locator("[aria-busy=true]").filter(visible=True)).to_have_count(0)
    assert page.evaluate(SMALL) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    bar = page.locator(".topbar").bounding_box()
    inside = page.locator(".topbar > *, .facts > *").filter(visible=True)
    for box in [each.bounding_box() for each in inside.all()]:
        assert box["y"] + box["height"] <= bar["y"] + bar["height"] + 1
        assert box["x"] + box["width"] <= 390


def test_more_leads_on_and_goes_away(phone):
    page = phone("/")
    more = page.get_by_role("dialog", name="More")
    page.get_by_role("button", name="More").tap()
    expect(more).to_be_visible()
    page.touchscreen.tap(195, 200)
    expect(more).to_be_hidden()
    page.get_by_role("button", name="More").tap()
    more.get_by_role("link", name="Try the live stream").tap()
    page.wait_for_url("**/ws/demo")


def test_the_market_has_its_place_below_the_bar(phone):
    expect(phone("/").locator(".facts .market")).to_be_visible()


def test_key_figures_come_as_a_sheet_and_stand_beside_the_chart_where_there_is_room(phone):
    page = phone("/symbols/AAPL/")
    figures = page.locator("#figures")
    expect(figures).to_be_hidden()
    page.get_by_role("button", name="Key figures").tap()
    expect(figures.get_by_text("Previous close")).to_be_visible()
    page.keyboard.press("Escape")
    expect(figures).to_be_hidden()
    page.set_viewport_size({"width": 1200, "height": 800})
    expect(figures.get_by_text("Previous close")).to_be_visible()


def test_a_browser_finds_nothing_wrong_with_what_it_would_install(phone):
    page = phone("/")
    found = page.context.new_cdp_session(page).send("Page.getAppManifest")
    assert found["url"].endswith("/static/manifest.webmanifest")
    assert found["errors"] == []
    told = json.loads(found["data"])
    assert (told["display"], told["start_url"], told["icons"][0]["sizes"]) == ("standalone", "/", "512x512")


def test_the_price_stays_in_sight(phone):
    page = phone("/symbols/AAPL/")
    line = page.locator("[data-sticky-price]")
    expect(line).to_be_hidden()
    page.set_viewport_size({"width": 390, "height": 500})
    page.locator(".figures-open").scroll_into_view_if_needed()
    expect(line).to_be_visible()
    agree = """() => document.querySelector('[data-sticky-price] strong').textContent
      === document.querySelector('[data-price]').textContent"""
    page.wait_for_function(f"() => ({agree})()")
