"""What somebody sees who has just started Finstage."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.faults import AXE, RUN
from tests.browser.site import PASSWORD


def test_the_first_page_is_full_and_says_what_the_recording_has_not(visit):
    page = visit(is_new=True)
    expect(page.locator("td.price")).to_have_text([re.compile(r"\d")] * 5)
    lacking = page.get_by_role("region", name="Not in the recording")
    for what in ("Minutes and hours", "News", "Currencies"):
        expect(lacking).to_contain_text(what)
    lacking.get_by_text("how to go live").click()
    expect(lacking.get_by_text("FINSTAGE_SOURCE=yahoo make up")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_three_steps_point_at_what_they_speak_of_and_end_for_good(visit, width):
    page = visit(is_new=True, viewport={"width": width, "height": 844}, locale="ko-KR")
    tour = page.get_by_role("complementary", name="첫걸음")
    for step in ("1 / 3", "2 / 3", "3 / 3"):
        expect(tour).to_contain_text(step)
        expect(page.locator("[data-pointed-at]")).to_have_count(1)
        expect(page.locator("[data-pointed-at]")).to_be_visible()
        expect(tour.get_by_role("button").last).to_have_text("완료" if step == "3 / 3" else "다음")
        page.evaluate(AXE)
        assert page.evaluate(RUN) == []
        tour.get_by_role("button").last.click()
    expect(tour).to_have_count(0)
    expect(page.locator("[data-pointed-at]")).to_have_count(0)
    page.reload()
    expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
    expect(tour).to_have_count(0)


def test_closed_in_one_tab_it_is_closed_in_the_others(visit):
    page = visit(is_new=True)
    other = page.context.new_page()
    other.goto("/")
    for each in (page, other):
        expect(each.locator("[data-tour]")).to_be_visible()
    page.get_by_role("button", name="Close the first steps for good").click()
    expect(other.locator("[data-tour]")).to_have_count(0)


def test_closed_by_somebody_it_is_closed_in_every_browser_of_theirs(visit, chromium, site):
    new = f"from finstage.models import User; User.objects.create_user('newcomer', password='{PASSWORD}')"
    site.manage("shell", "-c", new)
    for is_closed in (False, True):
        page = visit("/login/", is_new=True)
        page.fill("[name=username]", "newcomer")
        page.fill("[name=password]", PASSWORD)
        page.click("main button")
        page.wait_for_url(site.url + "/")
        expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
        expect(page.locator("[data-tour]")).to_have_count(0 if is_closed else 1)
        if not is_closed:
            with page.expect_response("**/api/v2/preferences/"):
                page.get_by_role("button", name="Close the first steps for good").click()
