"""The page of one's own account: what is chosen there holds at once and everywhere, and axe finds nothing."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.faults import AXE, RUN
from tests.browser.site import PASSWORD, Site
from tests.browser.test_accessibility import LOOKS

PATH = "/account/"
MAKE = (
    "from finstage.models import User; u, _ = User.objects.get_or_create(username='bob'); "
    f"u.is_active = True; u.email = 'bob@example.com'; u.set_password('{PASSWORD}'); u.save()"
)
LINK = (
    "from django.contrib.auth.tokens import default_token_generator as tokens; from django.urls import reverse; "
    "from django.utils.encoding import force_bytes; from django.utils.http import urlsafe_base64_encode as coded; "
    "from finstage.models import User; u = User.objects.get(username='bob'); "
    "print(reverse('password_reset_confirm', args=[coded(force_bytes(u.pk)), tokens.make_token(u)]))"
)


@pytest.fixture
def account(visit, site: Site):
    site.manage("shell", "-c", MAKE)

    def go(**options) -> Page:
        return visit(PATH, who="bob", **options)

    return go


def test_a_time_zone_and_a_theme_hold_at_once_and_where_one_logs_in_next(account):
    page = account(timezone_id="Europe/London")
    with page.expect_response("**/api/v2/preferences/"):
        page.select_option("[data-zone]", "Asia/Seoul")
    expect(page.locator("[data-now]")).to_contain_text("GMT+9")
    with page.expect_response("**/api/v2/preferences/"):
        page.locator(".display-choices").get_by_text("Dark", exact=True).click()
    other = account()
    expect(other.locator("html")).to_have_attribute("data-theme", "dark")
    expect(other.locator("[data-zone]")).to_have_value("Asia/Seoul")
    expect(other.locator(".logins li")).to_have_count(2)
    other.get_by_role("button", name="Log out everywhere else").click()
    expect(other.get_by_role("status").first).to_contain_text("logged out")
    page.reload()
    expect(page).to_have_url("**/login/?next=/account/".replace("**", page.url.split("/login")[0]))


def test_another_address_asks_for_the_password_and_what_was_typed_stays(account):
    page = account()
    password = page.locator("#profile_password")
    expect(password).to_be_hidden()
    page.fill("#profile_email", "rob@example.com")
    page.fill("#profile_first_name", "Rob")
    expect(password).to_be_visible()
    page.click("[data-profile] .button")
    expect(page.locator("#profile .is-wrong .help")).to_contain_text("needs your password")
    expect(page.locator("#profile_email")).to_have_value("rob@example.com")


def test_who_deletes_an_account_types_its_name_and_comes_in_no_more(account, visit):
    page = account()
    page.fill("#deletion_name", "bo")
    page.fill("#deletion_password", PASSWORD)
    page.click("#delete .danger")
    expect(page.locator("#delete .is-wrong .help").first).to_contain_text("not the name")
    page.fill("#deletion_name", "bob")
    page.fill("#deletion_password", PASSWORD)
    page.click("#delete .danger")
    expect(page.locator("h1")).to_have_text("Your account is deleted")
    page.goto("/login/")
    page.fill("[name=username]", "bob")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    expect(page.locator("[role=alert]")).to_be_visible()
    page.get_by_role("link", name="Make an account").click()
    expect(page.get_by_label("Invitation")).to_be_visible()


@pytest.mark.parametrize(("theme", "locale", "width"), LOOKS[:2])
def test_axe_finds_nothing(account, visit, site, theme, locale, width):
    look = {"color_scheme": theme, "locale": locale, "viewport": {"width": width, "height": 900}}
    page = account(**look)
    page.evaluate(AXE)
    assert page.evaluate(RUN) == []
    for path in (
        "/login/",
        "/register/",
        "/reset/",
        "/reset/sent/",
        site.manage("shell", "-v", "0", "-c", LINK).strip(),
    ):
        page = visit(path, **look)
        page.evaluate(AXE)
        assert page.evaluate(RUN) == [], path
    expect(page.locator("[name=new_password1]")).to_be_visible()  # behind a link that is good


@pytest.mark.parametrize(("theme", "locale", "width"), LOOKS[:2])
def test_axe_finds_nothing_where_an_account_was_deleted(account, theme, locale, width):
    page = account(color_scheme=theme, locale=locale, viewport={"width": width, "height": 900})
    page.fill("#deletion_name", "bob")
    page.fill("#deletion_password", PASSWORD)
    page.click("#delete .danger")
    expect(page.locator("#delete")).to_have_count(0)
    page.evaluate(AXE)
    assert page.evaluate(RUN) == []
