"""What a person sees and does on the watchlist."""

import re

import pytest
from playwright.sync_api import expect

SEEN = """each => {
  const { left, top } = each.getBoundingClientRect();
  return document.elementFromPoint(left + 4, top + 8) === each;
}"""
ONE_LEFT = (
    "from finstage.models import User; from market import symbols, watchlists; "
    "watchlists.change(User.objects.create_user('one').pk, 'default', symbols=[symbols.resolve('IBM')])"
)
TIDY = (
    "from finstage.models import User; from market import watchlists; "
    "watchlists.change(User.objects.create_user('tidy').pk, 'default', symbols=[])"
)
PRICES = "() => [...document.querySelectorAll('td.price')].map(cell => cell.textContent).join()"


def test_a_price_moves_by_itself(visit):
    page = visit()
    before = page.evaluate(PRICES)
    page.wait_for_function(f"before => ({PRICES})() !== before", arg=before)


def test_the_first_answer_of_the_server_has_every_row_filled(visit):
    page = visit(java_script_enabled=False)
    expect(page.locator("td.price")).to_have_text([re.compile(r"\d")] * 5)


def test_every_row_says_how_old_its_price_is_and_where_it_is_from(visit):
    page = visit()
    badge = page.locator("tr[data-row=AAPL] .fresh .status")
    expect(badge).to_have_text(re.compile(r"\d+ s"))
    expect(badge).to_have_attribute("title", re.compile(r"replay · session 20\d\d-"))


def test_a_banner_says_that_sessions_are_recorded_and_how_to_go_live(visit):
    page = visit()
    expect(page.locator(".banner:visible")).to_contain_text("Recorded sessions")
    page.locator(".banner").get_by_text("How to go live").click()
    expect(page.locator(".banner").get_by_text("manage.py switch_source yahoo")).to_be_visible()


def test_keys_move_the_choice_and_open_it(visit):
    page = visit()
    chosen = page.locator("tbody tr[aria-selected=true]")
    page.keyboard.press("j")
    expect(chosen).to_have_attribute("data-row", "FB")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    expect(page.locator("[data-pane-symbol]")).to_have_text("FB")
    page.keyboard.press("Enter")
    page.wait_for_url("**/symbols/FB/")


def test_page_keys_go_ten_rows_on_and_back_as_in_every_table(visit):
    page = visit()
    chosen = page.locator("tbody tr[aria-selected=true]")
    page.keyboard.press("PageDown")
    expect(chosen).to_have_attribute("data-row", "MSFT")
    expect(chosen).to_be_focused()
    page.keyboard.press("PageUp")
    expect(chosen).to_have_attribute("data-row", "AAPL")


def test_on_a_phone_whoever_comes_to_the_heads_by_keys_sees_them_and_sorts(visit):
    page = visit(viewport={"width": 390, "height": 844})
    head = page.get_by_role("button", name="Symbol", exact=True)
    page.locator("main").focus()
    page.keyboard.press("Tab")
    expect(head).to_be_focused()
    assert head.evaluate(SEEN)
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr b")).to_have_text(["MSFT", "IBM", "GOOG", "FB", "AAPL"])


def test_a_slash_searches_symbols_and_enter_goes_there(visit):
    page = visit()
    page.keyboard.press("/")
    page.keyboard.type("micro")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/symbols/MSFT/")


def test_a_click_on_a_head_sorts_and_another_turns_it_round(visit):
    page = visit()
    symbols = page.locator("tbody tr b")
    head = page.get_by_role("button", name="Symbol", exact=True)
    head.click()
    expect(symbols).to_have_text(["MSFT", "IBM", "GOOG", "FB", "AAPL"])
    head.click()
    expect(symbols).to_have_text(["AAPL", "FB", "GOOG", "IBM", "MSFT"])


def test_a_chosen_theme_language_and_palette_stay(visit):
    page = visit(color_scheme="light", locale="ko-KR")
    expect(page.locator("html")).to_have_attribute("data-palette", "red-blue")
    page.get_by_label("화면과 언어").click()
    page.get_by_text("어둡게").click()
    page.get_by_text("초록 상승").click()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Watchlist")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("html")).to_have_attribute("data-palette", "green-red")


def test_on_a_phone_nothing_is_wider_than_the_screen(visit):
    page = visit(viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("tr[data-row=IBM]").click()
    page.wait_for_url("**/symbols/IBM/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("width", [1280, 1440])
def test_beside_the_pane_names_are_read_and_no_column_reaches_under_it(visit, width):
    page = visit(viewport={"width": width, "height": 800})
    page.wait_for_function("document.querySelectorAll('td.spark canvas, td.spark svg').length > 1")
    name = page.locator("tr[data-row=AAPL] .name")
    assert name.evaluate("cell => cell.scrollWidth <= cell.clientWidth")
    ends = "document.querySelector('.quotes').getBoundingClientRect().right"
    assert page.evaluate(f"{ends} <= document.querySelector('.pane').getBoundingClientRect().left")


def test_nothing_flashes_for_those_who_asked_for_less_motion(visit):
    page = visit(reduced_motion="reduce")
    before = page.evaluate(PRICES)
    page.wait_for_function(f"before => ({PRICES})() !== before", arg=before)
    assert page.evaluate("document.getAnimations().filter(each => each.playState === 'running').length") == 0


def test_an_alert_that_rings_says_the_exchanges_own_day_as_those_before_it_do(visit):
    ring = """async () => {
      const { showAlerts } = await import('/static/components/alerts.js');
      const alert = { id: 987654, symbol: 'FPH.NZ', message: 'It rose.', severity: 'info', session_date: '2026-03-02',
                      timestamp: '2026-03-01T21:30:00Z', as_of_precision: 'second' };
      const stream = { on: (type, take) => (type === 'alert' && take(alert), stream) };
      showAlerts(stream, document.querySelector('[data-alerts]'));
    }"""
    page = visit()
    page.evaluate(ring)
    said = page.locator("[data-alerts] [data-id='987654'] time")
    expect(said).to_have_text("2026-03-02")
    expect(said).to_have_attribute("title", re.compile(r"2026-03-0[12] \d\d:\d\d:\d\d \S+"))


CUT = """all => all.filter((each) => !each.clientWidth || each.scrollWidth > each.clientWidth)
  .map((each) => each.textContent)"""


def test_an_empty_list_says_the_next_step_and_is_connected(visit, site):
    site.manage("shell", "-v", "0", "-c", TIDY)
    page = visit(who="tidy", locale="ko-KR")
    expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
    page.locator(".empty [data-search]").click()
    expect(page.get_by_role("option").first).to_be_visible()


def test_whoever_takes_the_last_one_off_sees_the_next_step_and_no_pane_of_what_is_gone(visit, site):
    site.manage("shell", "-v", "0", "-c", ONE_LEFT)
    page = visit(who="one")
    pane, next_step = page.locator("[data-pane]"), page.locator("[data-no-symbols]")
    expect(pane.locator("[data-pane-symbol]")).to_have_text("IBM")
    page.keyboard.press("x")
    expect(next_step).to_be_visible()
    expect(pane).to_be_hidden()
    expect(page.locator("[data-quotes]")).to_be_hidden()
    expect(page.locator("[data-count]")).to_have_text("0 symbols")
    page.get_by_role("button", name="Undo").click()
    expect(next_step).to_be_hidden()
    expect(pane.locator("[data-pane-symbol]")).to_have_text("IBM")
    expect(page.locator("[data-count]")).to_have_text("1 symbol")


def test_every_figure_of_a_row_is_seen_whole(visit):
    page = visit("/")
    figures = page.locator("tbody tr[data-row='AAPL'] .live")
    expect(figures.first).to_have_text(re.compile(r"\d"))
    assert figures.evaluate_all(CUT) == []
