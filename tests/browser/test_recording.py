"""The bar over a recorded source: everybody sees where it plays, and staff steer it."""

import pytest
from playwright.sync_api import expect

from tests.browser.site import Site

SAID, PLAYER = "[data-recording-said]", "**/api/v2/replay/"


@pytest.fixture
def played_again(site: Site):
    yield
    site.manage("shell", "-c", "from market.player import steering; steering.want('a test', paused=False)")


def test_guests_are_told_where_it_plays_and_staff_hold_it_for_everybody(visit, played_again):
    staff, guest = visit("/", who="admin"), visit("/")
    expect(guest.locator(SAID)).to_contain_text("it plays")
    expect(guest.locator("[data-steer]")).to_have_count(0)
    staff.get_by_role("button", name="Hold it").click()
    expect(staff.locator(SAID)).to_contain_text("it is held")
    guest.reload()
    expect(guest.locator(SAID)).to_contain_text("it is held")
    before = guest.locator(SAID).text_content()
    staff.get_by_role("button", name="Let it play").click()
    expect(staff.locator(SAID)).not_to_have_text(before)


def test_to_go_live_the_source_is_named_and_why_not_is_said(visit):
    page = visit("/", who="admin")
    page.get_by_text("Go live").first.click()
    for name, said in (("nowhere", "There is no live source 'nowhere'; there is yahoo."), ("yahoo", "FINSTAGE_SOURCE")):
        page.fill("[data-go-live] input", name)
        page.locator("[data-go-live] button").click()
        expect(page.locator("[data-live-said]")).to_contain_text(said)


def test_who_wished_to_go_live_is_told_that_it_can_not_be(visit):
    page = visit("/", who="admin")
    page.route(PLAYER, lambda route: route.fulfill(json={**route.fetch().json(), "going_live": "yahoo"}))
    expect(page.locator(SAID)).to_contain_text("goes live from yahoo")
    page.unroute(PLAYER)  # the feed has given it up meanwhile
    expect(page.locator(".toast")).to_contain_text("yahoo told no price: the recording goes on.")
    expect(page.locator("[data-live-said]")).to_contain_text("Try again later")
    expect(page.locator(SAID)).to_contain_text("it plays")


def test_a_day_that_is_not_recorded_is_refused_where_it_is_chosen(visit):
    page = visit("/", who="admin")
    day = page.locator("[data-recording-date]:enabled")
    day.evaluate("day => day.addEventListener('invalid', () => (day.dataset.refused = 'yes'))")
    day.fill("2031-01-01")
    expect(page.locator("[data-recording-date][data-refused]")).to_be_focused()
