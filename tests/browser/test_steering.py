"""Staff choose the speed and the day of the recording, on a site of its own: everybody is moved."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser import site as sites
from tests.browser.site import Site

SAID = "[data-recording-said]"
PRICES = re.compile(r"^(87\.75|90\.44|86\.95|93\.61|92\.21)$")  # IBM's of 2008-10-13, behind the close before


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    """Its sessions last long: it stands where it is led."""
    with sites.running(tmp_path_factory.mktemp("site"), session_seconds=3600) as running:
        yield running


def test_speed_and_day_are_chosen_by_staff_and_all_pages_go_along(visit):
    staff, guest = visit("/", who="admin"), visit("/")
    staff.select_option("[data-recording-speed]", "60")
    expect(staff.locator(SAID)).to_contain_text("60×")
    staff.fill("[data-recording-date]", "2008-10-11")  # a Saturday
    expect(staff.locator(SAID)).to_contain_text("2008-10-13")
    expect(guest.locator("[data-quotes] tr", has_text="IBM").locator("td.price")).to_have_text(PRICES)
    guest.reload()
    expect(guest.locator(SAID)).to_contain_text("2008-10-13")
    expect(guest.locator(SAID)).to_contain_text("60×")


def test_a_day_of_which_nothing_is_recorded_is_not_sent(visit):
    staff = visit("/", who="admin")
    expect(staff.locator("[data-recording-date]")).not_to_have_value("")
    staff.fill("[data-recording-date]", "1999-01-04")
    expect(staff.locator("[data-recording-date]:invalid")).to_be_attached()
    staff.reload()
    expect(staff.locator("[data-recording-date]")).to_have_value(re.compile("^20"))
