"""The page of a replay: past sessions of the recording, over the stream, as they are seen and steered."""

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

from tests.browser import stillness

SPLIT = "/replay/?symbols=AAPL,IBM&from=2005-02-01&to=2005-06-30"  # Apple's shares are split on 2005-02-28
LONG = SPLIT.replace("2005-06-30", "2007-12-31")  # it is not over while somebody looks, however slow the machine
SLOW, QUICK = "&speed=60", "&speed=100000"
CLOSES = "() => [...document.querySelectorAll('[data-quotes] td.price')].map(each => each.textContent).join()"


def at(page: Page) -> str:
    return page.locator("[data-player] [data-at]").input_value()


def said(page: Page, text: str | re.Pattern) -> None:
    expect(page.locator("[data-said-text]")).to_contain_text(text)


def stands(page: Page, session: str) -> None:
    expect(page.locator("[data-player] [data-at]")).to_have_value(session)


def test_a_link_plays_prices_chart_and_alerts_and_another_browser_goes_on_from_there(visit, site):
    site.manage("shell", "-c", "from realtime import alerts; alerts.prepare()")  # the feed's own first step
    page = visit(LONG + QUICK + "&at=2005-02-25")
    before = page.evaluate(CLOSES)
    page.wait_for_function(f"before => ({CLOSES})() !== before", arg=before)
    expect(page.locator("[data-alerts] [data-session]", has_text="AAPL fell 6.6 %")).to_be_attached()
    page.keyboard.press("Space")
    said(page, "Held.")
    here = at(page)
    asked = parse_qs(urlsplit(page.url).query)
    assert (asked["symbols"], asked["speed"], asked["at"]) == (["AAPL,IBM"], ["100000"], [here])
    assert visit(page.url.replace("speed=100000", "speed=1")).locator("[data-player] [data-at]").input_value() == here
    page.fill("[data-player] [data-at]", "2005-02-02")
    expect(page.locator("[data-alerts]")).to_have_text("Nothing rang yet.")


def test_it_waits_to_be_played_and_is_ended_at_its_last_session(visit):
    page = visit("/replay/")
    said(page, "Play it, or choose other days.")
    expect(page.locator("[data-quotes] td.price").first).not_to_have_text("–")
    page.fill("[name=symbols]", "IBM")
    page.fill("[name=from]", "2011-12-27")
    page.fill("[name=to]", "2011-12-30")
    page.select_option("[data-player] [data-speed]", "100000")
    page.get_by_role("button", name="Play these").click()
    said(page, "Over: this was the last session, 2011-12-30.")
    expect(page.locator("[data-quotes] tbody tr")).to_have_count(1)
    expect(page.locator("[data-quotes] td.price")).to_have_text("183.88")
    page.get_by_role("button", name="Play again").click()
    said(page, "Over")
    page.set_viewport_size({"width": 390, "height": 844})
    play, speed = (page.locator(f"[data-player] {part}").bounding_box() for part in ("[data-play]", "[data-speed]"))
    assert play["x"] + play["width"] < speed["x"]


def test_the_keys_go_from_session_to_session_and_a_day_is_chosen(visit):
    page = visit(SPLIT + SLOW + "&at=2005-03-04")
    said(page, "Plays")
    page.keyboard.press("Space")
    said(page, "Held.")
    for key, session in (("ArrowRight", "2005-03-07"), ("ArrowLeft", "2005-03-04"), ("ArrowLeft", "2005-03-03")):
        expect(page.locator("[data-plot]")).to_have_attribute("data-panel", "shown")
        page.keyboard.press(key)
        stands(page, session)
    page.fill("[data-player] [data-at]", "2005-05-28")  # a Saturday, before a holiday
    stands(page, "2005-05-31")
    said(page, "Held.")


def test_the_next_split_turns_what_came_before_into_its_shares(visit):
    page = visit(SPLIT + SLOW + "&view=table")
    said(page, "Plays")
    page.get_by_role("button", name="Split").click()
    said(page, "2005-02-28: AAPL is split.")
    stands(page, "2005-02-28")
    day = page.locator(".table-view tbody tr", has_text="2005-02-25")
    expect(day).to_contain_text("44.495")  # 88.99 as it was traded
    page.get_by_role("button", name="Split").click()
    said(page, "No split is left up to 2005-06-30.")
    page.get_by_role("button", name="Record").click()
    said(page, "2005-04-15: IBM is higher or lower than the 52 weeks before.")


def test_a_split_that_is_played_turns_them_too(visit):
    page = visit(SPLIT + "&speed=10000&at=2005-02-25&view=table")
    day = page.locator(".table-view tbody tr", has_text="2005-02-24")
    expect(day).to_contain_text("88.93")
    expect(day).to_contain_text("44.465")


def test_a_line_that_is_lost_comes_back_and_it_goes_on_where_it_was(visit):
    page, sockets = visit("/replay/"), []
    page.route_web_socket("**/ws/realtime", lambda socket: sockets.append((socket, socket.connect_to_server())))
    page.goto(SPLIT + "&speed=23400&at=2005-03-04")
    expect(page.locator("[data-player] [data-at]")).not_to_have_value("2005-03-04")
    before = at(page)
    sockets[-1][0].close(code=4008)
    said(page, "it goes on from the open of")
    assert at(page) >= before
    here = at(page)
    page.wait_for_function("here => document.querySelector('[data-player] [data-at]').value > here", arg=here)


def test_what_can_not_be_played_is_said_and_what_is_left_out(visit):
    page = visit("/replay/?symbols=AAPL,NOPE&from=2005-02-01&to=2005-03-01&speed=60")
    said(page, "Not followed here: NOPE")
    page.goto("/replay/?symbols=AAPL&from=1990-01-01&to=1990-12-31")
    said(page, "Nothing is held of these symbols in these days.")
    page.goto("/replay/?symbols=AAPL&from=2005-03-01&to=2005-02-01")
    said(page, "These days can't be played")
    page.goto("/replay/?symbols=NOPE")
    expect(page.locator(".empty")).to_contain_text("Not followed here: NOPE")


def test_more_than_may_be_at_once_are_refused_in_words(visit):
    for _ in range(2):
        said(visit(SPLIT + SLOW), "Plays")
    third = visit(SPLIT + SLOW)
    said(third, "As many replays play as may be at once.")
    expect(third.locator("[data-play-word]")).to_have_text("Play")


def test_nothing_moves_beside_what_is_played(visit):
    sizes = {1440: {}, 390: {"viewport": {"width": 390, "height": 844}, "locale": "ko-KR"}}
    pages = {str(width): visit(SPLIT + "&speed=23400&at=2005-03-10", **size) for width, size in sizes.items()}
    for page in pages.values():
        expect(page.locator("[data-player] [data-at]")).not_to_have_value("2005-03-10")
        expect(page.locator("[data-plot]")).to_have_attribute("data-panel", "shown")
    assert stillness.moved(pages, 5) == {}


def test_a_symbol_s_page_and_the_palette_lead_to_it(visit):
    page = visit("/symbols/IBM/")
    page.keyboard.press("/")
    page.keyboard.type("replay this")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/replay/\?symbols=IBM"))
    expect(page.locator("[data-chosen-symbol]")).to_have_text("IBM")
