"""The command palette: symbols, pages and actions, by the keyboard alone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import PASSWORD

LIST = "**/api/v2/symbols/?limit=1000*"
NAMES = [
    ["AAPL", "Apple Inc.", "애플"],
    ["MSFT", "Microsoft Corporation", "마이크로소프트"],
    ["005930.KS", "Samsung Electronics Co., Ltd.", "삼성전자"],
    ["000660.KS", "SK hynix Inc.", "SK하이닉스"],
    ["BRK-B", "Berkshire Hathaway Inc.", "버크셔 해서웨이"],
    ["IBM", "International Business Machines"],
]
BEST = """async ([names, asked]) => {
  const { ranked, saying } = await import('/static/components/palette/matching.js');
  const entries = names.map((texts, order) => ({ title: texts[0], order, said: saying(...texts) }));
  return asked.map((text) => ranked(entries, text).map(({ title }) => title));
}"""
ASKED = {
    "msft": "MSFT", "apple inc": "AAPL", "inc apple": "AAPL", "hathaway berk": "BRK-B",
    "애플": "AAPL", "ㅇㅍ": "AAPL", "앺": "AAPL", "전자": "005930.KS", "삼ㅅ": "005930.KS", "삼서": "005930.KS",
    "ㅅㅅㅈㅈ": "005930.KS", "하이ㄴ": "000660.KS", "버크셔 해": "BRK-B", "해서 버크": "BRK-B",
    "ㅡㄴㄹㅅ": "MSFT", "메ㅔㅣㄷ": "AAPL",
    "mircosoft": "MSFT", "micrsoft": "MSFT", "microosoft": "MSFT", "aple": "AAPL", "samsunk": "005930.KS", "imb": "IBM",
    "sansumg": None, "zzz": None, "apple zzz": None, "xp": None, "xpp": "AAPL",
}  # fmt: skip


@pytest.fixture
def palette(visit):
    return lambda **options: is_live(visit("/", **options))


def is_live(page: Page) -> Page:
    """Its scripts run."""
    expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
    return page


def test_words_in_any_order_one_typo_and_hangul_as_it_is_typed_find_what_is_meant(visit):
    found = visit().evaluate(BEST, [NAMES, list(ASKED)])
    assert dict(zip(ASKED, found, strict=True)) == {text: [meant] if meant else [] for text, meant in ASKED.items()}


def test_an_enter_typed_before_the_list_came_is_kept(palette):
    page = palette()
    held = []
    page.route(LIST, lambda route: held.append(route))
    page.reload()
    is_live(page)
    page.keyboard.type("/msft")
    page.keyboard.press("Enter")
    expect(page.locator("[data-said]")).to_contain_text("Searching")
    held[0].continue_()
    page.wait_for_url("**/symbols/MSFT/")


def test_what_is_typed_before_the_palettes_script_came_is_kept_with_its_enter(palette):
    page, held = palette(), []
    page.route("**/palette/palette.js", lambda route: held.append(route))
    page.reload()
    is_live(page)
    page.keyboard.type("/msft")
    page.keyboard.press("Enter")
    expect(page.locator("[data-palette-dialog] input")).to_have_value("msft")
    held[0].continue_()
    page.wait_for_url("**/symbols/MSFT/")


def test_the_palette_comes_with_the_first_sign_of_a_person_and_its_list_once(palette):
    page, asked = palette(), []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    is_live(page)
    assert not [url for url in asked if "/palette/" in url]
    with page.expect_response(LIST):
        page.mouse.move(300, 300)
    page.keyboard.type("/apple")
    expect(page.get_by_role("option")).to_have_count(1)
    entries = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert len([name for name in entries if "limit=1000" in name]) == 1


def test_a_list_that_did_not_come_is_told_and_asked_again(palette):
    page = palette()
    page.route(LIST, lambda route: route.fulfill(status=503, json={"detail": "Busy."}))
    page.reload()
    is_live(page)
    page.keyboard.type("/")
    retry = page.get_by_role("button", name="Try again")
    expect(retry).to_be_visible()
    page.unroute(LIST)
    page.keyboard.type("ibm")
    retry.click()
    expect(page.get_by_role("option")).to_contain_text(["IBM"])


def test_what_no_name_here_has_is_asked_of_the_server_once_the_typist_pauses(palette):
    page, asked = palette(), []
    page.on("request", lambda request: asked.append(request.url) if "search=" in request.url else None)
    page.keyboard.press("/")
    expect(page.get_by_role("option")).not_to_have_count(0)
    with page.expect_response("**search=zzzz"):
        page.keyboard.type("zzzz")
    expect(page.locator("[data-said]")).to_contain_text("Nothing found")
    page.keyboard.press("Backspace")
    page.keyboard.type("z")
    expect(page.locator("[data-said]")).to_contain_text("Nothing found")
    assert [url.rpartition("=")[2] for url in asked if url.endswith("zzzz")] == ["zzzz"]


@pytest.mark.parametrize(("typed", "theme"), [("dark theme", "dark"), ("theme light", "light")])
def test_an_action_is_done(palette, typed, theme):
    page = palette()
    page.keyboard.press("Control+k")
    page.keyboard.type(typed)
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    expect(page.locator("[data-palette-dialog]")).to_be_hidden()


def test_the_language_changes_from_either_and_pages_are_found_in_it(palette):
    page = palette()
    page.keyboard.type("/한국")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("관심 종목")
    is_live(page)
    page.keyboard.type("/english")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Watchlist")


def test_what_was_opened_lately_is_first(palette):
    page = palette()
    page.keyboard.type("/ibm")
    page.keyboard.press("Enter")
    page.wait_for_url("**/symbols/IBM/")
    page.goto("/")
    page.keyboard.press("/")
    expect(page.get_by_role("option").first).to_contain_text(re.compile("IBM.*Recent"))


def test_a_guest_logs_in_from_it_and_comes_back(palette):
    page = palette()
    page.keyboard.type("/log in")
    expect(page.locator("#palette-results [role=option]").first).to_contain_text("Log in")
    page.keyboard.press("Enter")
    page.wait_for_url("**/login/?next=/")


def test_staff_ask_for_a_task_from_anywhere_and_log_out(visit):
    page = visit("/login/?next=/symbols/AAPL/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/symbols/AAPL/")
    is_live(page)
    page.keyboard.type("/new task")
    page.keyboard.press("Enter")
    form = page.get_by_role("dialog", name="New task")
    expect(form).to_be_visible()
    page.keyboard.press("Escape")
    expect(form).to_be_hidden()
    page.keyboard.type("/log out")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Log in")).to_be_visible()


def test_a_question_mark_shows_every_key_of_the_page(palette):
    page = palette(locale="ko-KR")
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="이 페이지의 단축키")
    expect(sheet.locator("dl > div")).not_to_have_count(0)
    assert {"/", "?", "j", "k", "Enter"} <= set(sheet.locator("kbd").all_text_contents())
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
