"""What can be done with a symbol's chart: by mouse, finger and keys, and what is kept of it."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

KEPT = "() => JSON.parse(localStorage.preferences ?? '{}')"
# The middle colours of the price's pane, as one string: it changes with whatever is drawn there.
LOOK = """() => {
  const canvas = document.querySelector('[data-canvas] canvas');
  const { data } = canvas.getContext('2d').getImageData(0, canvas.height / 4, canvas.width, canvas.height / 2);
  let sum = 0;
  for (let at = 0; at < data.length; at += 1) sum = (sum * 31 + data[at]) | 0;
  return sum;
}"""
# How many pixels of a chart have a hue, as candles and lines have, where another element stands.
COLOURED = """(chart, over) => {
  const canvas = document.querySelector(`${chart} canvas`);
  if (!canvas) return -1;
  const [own, box] = [canvas, document.querySelector(over)].map((each) => each.getBoundingClientRect());
  const [left, top] = [Math.max(0, box.left - own.left), Math.max(0, box.top - own.top)];
  const width = Math.min(own.right, box.right) - own.left - left;
  const height = Math.min(own.bottom, box.bottom) - own.top - top;
  const { data } = canvas.getContext('2d').getImageData(left, top, Math.max(1, width), Math.max(1, height));
  let found = 0;
  for (let at = 0; at < data.length; at += 4) {
    const hues = [data[at], data[at + 1], data[at + 2]];
    if (Math.max(...hues) - Math.min(...hues) > 60) found += 1;
  }
  return found;
}"""

# How many pixels of the price's pane have a hue of the tokens.
HUED = """name => {
  const sample = document.body.appendChild(document.createElement('i'));
  sample.style.color = `var(${name})`;
  const hue = getComputedStyle(sample).color.match(/[\\d.]+/g).slice(0, 3).map(Number);
  sample.remove();
  const canvas = document.querySelector('[data-canvas] canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (hue.every((part, each) => Math.abs(part - data[at + each]) < 12)) found += 1;
  }
  return found;
}"""


@pytest.fixture
def drawn(visit):
    def open_(query: str = "", symbol: str = "IBM", **options) -> Page:
        page = visit(f"/symbols/{symbol}/{query}", **options)
        expect(page.locator("[data-plot]")).to_have_attribute("data-panel", "shown")
        return page

    return open_


def at(page: Page, across: float, down: float) -> tuple[float, float]:
    box = page.locator("[data-canvas]").bounding_box()
    return box["x"] + box["width"] * across, box["y"] + box["height"] * down


def menu(page: Page, name: str) -> None:
    page.locator(f"[data-menu={name}] summary").click()


def test_arrow_keys_go_from_bar_to_bar_and_what_stands_there_is_read_out(drawn):
    page = drawn()
    page.locator("[data-canvas]").focus()
    page.keyboard.press("ArrowLeft")
    last = page.locator("[data-legend] b").first.text_content()
    for key in ("ArrowLeft", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    day = page.locator("[data-legend] b").first
    expect(day).not_to_have_text(last)
    said = page.locator("[data-readout]")
    read = r", Open [\d.,]+, High .*, Close .*%, Volume .*SMA 20 .*RSI 14"
    expect(said).to_have_text(re.compile(f"^{day.text_content()}{read}"))
    page.keyboard.press("Escape")
    expect(said).to_be_empty()
    assert day.text_content() >= last  # the newest again, of which there may be another by now


def test_a_finger_that_rests_reads_a_bar_and_one_that_moves_up_moves_the_page(drawn):
    page = drawn(viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)
    newest = page.locator("[data-legend] b").first.text_content()
    page.locator("[data-plot]").scroll_into_view_if_needed()
    touch = page.context.new_cdp_session(page)
    x, y = at(page, 0.4, 0.6)
    tap = {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]}
    touch.send("Input.dispatchTouchEvent", tap)
    expect(page.locator("[data-legend] b").first).not_to_have_text(newest)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    before = page.evaluate("scrollY")
    touch.send("Input.dispatchTouchEvent", tap)
    for step in range(1, 9):
        move = {"type": "touchMove", "touchPoints": [{"x": x, "y": y - 20 * step}]}
        touch.send("Input.dispatchTouchEvent", move)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function("before => scrollY > before + 80", arg=before)


def test_type_and_scale_are_chosen_and_stay_for_every_symbol(visit):
    page = visit("about:blank")
    page.route_web_socket("**/ws/realtime", lambda silent: None)  # no price changes what is looked at
    page.goto("/symbols/IBM/")
    expect(page.locator("[data-plot]")).to_have_attribute("data-panel", "shown")
    menu(page, "style")
    looks = [page.evaluate(LOOK)]
    for name in ("Line", "Area", "Percent", "Log"):
        page.get_by_text(name, exact=True).click()
        page.wait_for_function(f"looks => !looks.includes(({LOOK})())", arg=looks)
        looks.append(page.evaluate(LOOK))
    assert page.evaluate(KEPT) == {"chart.type": "area", "chart.scale": "log"}
    page.goto("/symbols/MSFT/")
    expect(page.locator("[name=chart-scale][value=log]")).to_be_checked()
    expect(page.locator("[name=chart-type][value=area]")).to_be_checked()


def test_an_indicator_that_is_left_out_leaves_legend_and_table(drawn):
    page = drawn()
    expect(page.locator("[data-legend]")).to_contain_text("RSI 14")
    menu(page, "indicators")
    page.get_by_label("RSI 14").uncheck()
    expect(page.locator("[data-legend]")).not_to_contain_text("RSI 14")
    page.get_by_role("button", name="Table", exact=True).click()
    expect(page.locator(".table-view thead th").last).to_have_text("SMA 20")


def test_an_interval_stands_in_the_address_and_its_bars_begin_with_their_week(drawn):
    page = drawn("?interval=1wk&view=table")
    expect(page.get_by_role("button", name="W", exact=True)).to_have_attribute("aria-pressed", "true")
    days = page.locator(".table-view tbody th").all_text_contents()[:3]
    mondays = "days => days.map((day) => new Date(`${day}T00:00:00Z`).getUTCDay())"
    assert page.evaluate(mondays, days) == [1, 1, 1]
    page.get_by_role("button", name="M", exact=True).click()
    expect(page.locator(".table-view tbody th").first).to_have_text(re.compile(r"-01$"))
    page.wait_for_url("**/symbols/IBM/?interval=1mo&view=table")


def test_a_level_and_a_trend_line_stay_with_their_symbol_are_moved_and_come_back_when_removed(drawn):
    page = drawn()
    for kind, places in (("level", [(0.3, 0.3)]), ("trend", [(0.2, 0.2), (0.6, 0.45)])):
        menu(page, "draw")
        page.locator(f"[data-draw={kind}]").click()
        expect(page.locator("[data-hint]")).to_be_visible()
        for place in places:
            page.mouse.click(*at(page, *place))
    expect(page.locator("[data-hint]")).to_be_hidden()
    kept = page.evaluate(KEPT)["drawings.IBM"]
    assert [(each["kind"], len(each["points"])) for each in kept] == [("level", 1), ("trend", 2)]
    page.mouse.move(*at(page, 0.8, 0.3))
    page.mouse.down()
    page.mouse.move(*at(page, 0.8, 0.4), steps=3)
    page.mouse.up()
    page.wait_for_function(
        f"before => ({KEPT})()['drawings.IBM'][0].points[0].price < before", arg=kept[0]["points"][0]["price"]
    )
    page.reload()
    expect(page.locator("[data-drawings] li")).to_have_count(2)
    menu(page, "draw")
    page.get_by_role("button", name=re.compile("^Remove: Level")).click()
    expect(page.locator("[data-drawings] li")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-drawings] li")).to_have_count(2)
    page.goto("/symbols/MSFT/")
    expect(page.locator("[data-plot]")).to_have_attribute("data-panel", "shown")
    expect(page.locator("[data-drawings] li")).to_have_count(0)


def test_a_level_is_set_by_keys_alone(drawn):
    page = drawn()
    page.locator("[data-menu=draw] summary").focus()
    for key in ("Enter", "Tab", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("[data-hint]")).to_be_visible()  # the pencil comes when it is asked for
    for key in ("ArrowLeft", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("[data-drawings] li")).to_have_text(re.compile(r"^Level \d+"))
    page.keyboard.press("Delete")
    expect(page.locator("[data-drawings] li")).to_have_count(0)


def test_a_level_drawn_before_a_split_lies_where_the_bars_went(drawn):
    level = [{"id": "a", "kind": "level", "on": "2005-01-03", "points": [{"price": 64.2}]}]
    page = drawn(symbol="AAPL")
    page.evaluate("kept => localStorage.setItem('preferences', kept)", json.dumps({"drawings.AAPL": level}))
    page.reload()
    expect(page.locator("[data-drawings] li")).to_have_text(re.compile(r"^Level 32\.10"))


ALL = "**/symbols/IBM/bars/**limit=10000"
DRAWN = """async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return document.querySelector('[data-legend] b').textContent;
}"""


def test_a_year_comes_first_and_whoever_goes_to_its_oldest_bar_stays_there_when_older_ones_come(drawn):
    page, asked = drawn(), []
    page.on("request", lambda request: asked.append(request.url) if "/bars/" in request.url else None)
    page.reload()
    expect(page.locator("[data-plot]")).to_have_attribute("data-panel", "shown")
    assert [url.rpartition("limit=")[2] for url in asked] == ["258"]
    page.locator("[data-canvas]").focus()
    with page.expect_response(ALL):
        page.keyboard.press("Home")
        oldest = page.locator("[data-legend] b").first.text_content()
    page.wait_for_function("document.querySelector('[data-plot]').dataset.panel === 'shown'")
    assert page.evaluate(DRAWN) == oldest
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-legend] b").first).not_to_have_text(oldest)
    assert page.locator("[data-legend] b").first.text_content() < oldest


def test_whoever_stands_at_a_bar_stays_there_though_sessions_begin_while_older_bars_are_read(drawn):
    page = drawn()
    session = lambda: page.request.get("/api/v2/symbols/IBM/quote/").json()["session_date"]  # noqa: E731

    def late(route) -> None:
        answer, before = route.fetch(), session()
        while session() == before:
            page.wait_for_timeout(200)
        page.wait_for_timeout(500)
        route.fulfill(response=answer)

    page.route(ALL, late)
    page.locator("[data-canvas]").focus()
    with page.expect_response(ALL):
        page.keyboard.press("Home")
        oldest = page.locator("[data-legend] b").first.text_content()
    newest = session()
    page.wait_for_function("document.querySelector('[data-plot]').dataset.panel === 'shown'")
    assert page.evaluate(DRAWN) == oldest
    page.keyboard.press("End")
    assert page.evaluate(DRAWN) >= newest, "what the stream told meanwhile is gone"


def test_a_longer_range_is_shown_once_it_has_come_and_the_one_before_stands_until_then(visit):
    page, held = visit("about:blank"), []
    page.route_web_socket("**/ws/realtime", lambda silent: None)  # no session begins and moves the axis
    page.goto("/symbols/IBM/")
    expect(page.locator("[data-plot]")).to_have_attribute("data-panel", "shown")
    page.route(ALL, lambda route: held.append(route))
    axis = "() => document.querySelector('[data-canvas] tr:last-child canvas').toDataURL()"
    before = page.evaluate(axis)
    with page.expect_request(ALL):
        page.get_by_role("button", name="All", exact=True).click()
    page.evaluate(DRAWN)
    assert page.evaluate(axis) == before
    expect(page.locator("[data-plot]")).to_have_attribute("data-panel", "shown")
    held[0].continue_()
    page.wait_for_function(f"before => ({axis})() !== before", arg=before)


@pytest.mark.parametrize("act", ["wheel", "drag", "5Y", "Table", "W"])
def test_what_shows_more_than_a_year_asks_for_all_there_is(drawn, act):
    page = drawn()
    x, y = at(page, 0.4, 0.4)
    page.mouse.move(x, y)
    with page.expect_response(ALL):
        if act == "wheel":
            for _ in range(6):
                page.mouse.wheel(0, 600)
        elif act == "drag":
            page.mouse.down()
            page.mouse.move(x + 400, y, steps=4)
            page.mouse.up()
        else:
            page.get_by_role("button", name=act, exact=True).click()


def test_a_range_that_does_not_come_is_said_and_what_stood_stays(drawn):
    page = drawn()
    page.route(ALL, lambda route: route.fulfill(status=503, json={"detail": "Busy.", "request_id": "r1"}))
    page.get_by_role("button", name="All", exact=True).click()
    expect(page.locator("[data-state-box]")).to_contain_text("request r1")
    expect(page.locator("[data-plot]")).to_have_attribute("data-panel", "late")
    with page.expect_response(ALL):
        page.get_by_role("button", name="Try again").click()
    page.unroute(ALL)  # it asks again by itself too
    expect(page.locator("[data-plot]")).not_to_have_attribute("data-panel", "late")


def test_a_line_from_before_the_first_year_is_drawn(drawn):
    points = [{"at": "2005-01-03T00:00:00Z", "price": 90}, {"at": "2008-01-02T00:00:00Z", "price": 110}]
    kept = {"drawings.IBM": [{"id": "a", "kind": "trend", "on": "2008-01-02", "points": points}]}
    page = drawn()
    page.evaluate("kept => localStorage.setItem('preferences', kept)", json.dumps(kept))
    with page.expect_response(ALL):
        page.reload()
    expect(page.locator("[data-drawings] li")).to_have_count(1)


@pytest.fixture
def still(visit):
    """As `drawn`, where no price comes and changes what is looked at."""

    def open_(symbol: str = "IBM", **options) -> Page:
        page = visit("about:blank", **options)
        page.route_web_socket("**/ws/realtime", lambda silent: None)
        page.goto(f"/symbols/{symbol}/")
        expect(page.locator("[data-plot]")).to_have_attribute("data-panel", "shown")
        return page

    return open_


def test_another_symbol_beside_it_is_a_line_of_its_own_and_turns_the_scale_to_percent(still):
    page = still(color_scheme="dark")
    assert page.evaluate(HUED, "--oscillator") == 0
    menu(page, "compare")
    page.get_by_label("MSFT").check()
    page.wait_for_function(f"hue => ({HUED})(hue) > 100", arg="--oscillator")
    expect(page.locator("[name=chart-scale][value=percent]")).to_be_checked()
    expect(page.locator("[name=chart-scale][value=log]")).to_be_disabled()
    page.get_by_label("MSFT").uncheck()
    page.wait_for_function(f"hue => ({HUED})(hue) === 0", arg="--oscillator")
    expect(page.locator("[name=chart-scale][value=linear]")).to_be_checked()


@pytest.mark.parametrize(
    ("locale", "said"),
    [("en-US", "Three at most: take one away first."), ("ko-KR", "최대 3개까지 비교할 수 있습니다.")],
)
def test_a_fourth_beside_it_is_refused_in_the_readers_language_and_leaves_the_three(still, locale, said):
    page = still(locale=locale)
    menu(page, "compare")
    boxes = page.locator("[data-compare] input")
    for symbol in ("AAPL", "GOOG", "MSFT"):
        page.locator(f"[data-symbol={symbol}] input").check()
        expect(page.locator("[data-compare] input:checked")).to_have_count(("AAPL", "GOOG", "MSFT").index(symbol) + 1)
    page.locator("[data-symbol=FB] input").click()
    expect(page.locator(".toast")).to_contain_text(said)
    expect(page.locator("[data-symbol=FB] input")).not_to_be_checked()
    expect(boxes.and_(page.locator(":checked"))).to_have_count(3)


def test_one_that_is_refused_is_unticked_also_where_the_list_was_made_anew_meanwhile(still):
    page, held = still(), []
    menu(page, "compare")
    page.route("**/api/v2/symbols/FB/bars/**", lambda route: held.append(route))
    box = page.locator("[data-symbol=FB] input")
    with page.expect_request("**/api/v2/symbols/FB/bars/**"):
        box.check()
    page.locator("[data-find]").fill("face")
    expect(page.locator("[data-symbol=MSFT]")).to_have_count(0)
    expect(box).to_be_checked()
    held[0].fulfill(status=503, json={"detail": "Busy.", "request_id": "r1"})
    expect(page.locator(".toast")).to_be_visible()
    expect(box).not_to_be_checked()


def test_the_price_scale_follows_what_is_seen_until_that_is_unticked(still):
    page = still()
    axis = "() => document.querySelector('[data-canvas] tr:first-child td:last-child canvas').toDataURL()"
    year = page.evaluate(axis)
    page.get_by_role("button", name="3M", exact=True).click()
    page.wait_for_function(f"before => ({axis})() !== before", arg=year)
    page.get_by_role("button", name="1Y", exact=True).click()
    page.wait_for_function(f"before => ({axis})() === before", arg=year)
    menu(page, "style")
    page.locator("[data-auto]").uncheck()
    page.keyboard.press("Escape")
    look = page.evaluate(LOOK)
    page.get_by_role("button", name="3M", exact=True).click()
    page.wait_for_function(f"before => ({LOOK})() !== before", arg=look)
    assert page.evaluate(axis) == year
    assert page.evaluate(KEPT) == {"chart.auto": False}
    page.reload()
    expect(page.locator("[data-auto]")).not_to_be_checked()


def test_a_symbol_beyond_the_list_is_searched_for_to_stand_beside_it(visit):
    def short(route) -> None:
        told = route.fetch().json()
        rest = [each for each in told["results"] if each["symbol"] != "MSFT"]
        route.fulfill(json={**told, "results": rest, "next": "there is more"})

    page = visit("/ws/demo")
    page.route("**/symbols/?limit=1000*", short)
    page.goto("/symbols/IBM/")
    menu(page, "compare")
    expect(page.locator("[data-compare] label")).not_to_have_count(0)
    expect(page.get_by_label("MSFT")).to_have_count(0)
    page.locator("[data-find]").fill("micro")
    page.get_by_label("MSFT").check()
    page.locator("[data-find]").fill("apple")
    expect(page.locator("[data-compare] label")).to_have_count(2)
    expect(page.get_by_label("MSFT")).to_be_checked()


def test_an_image_is_saved_under_what_it_shows(drawn):
    page = drawn()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as an image").click()
    assert re.fullmatch(r"IBM-1d-20\d\d-\d\d-\d\d\.png", download.value.suggested_filename)
    with open(download.value.path(), "rb") as file:
        head = file.read(24)
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(head[16:20], "big") > 900


@pytest.mark.parametrize("width", [360, 1440])
def test_prices_begin_below_the_legend(drawn, width):
    page = drawn("?range=All", viewport={"width": width, "height": 900}, color_scheme="dark")
    page.wait_for_function(f"({COLOURED})('[data-canvas]', '[data-plot]') > 0")
    page.wait_for_function(f"({COLOURED})('[data-canvas]', '[data-legend]') === 0")


def test_the_small_chart_has_room_for_whose_work_it_is(visit):
    page = visit(color_scheme="dark")
    page.wait_for_function(f"() => ({COLOURED})('[data-pane-chart]', '[data-pane-chart]') > 0")
    assert page.evaluate(f"({COLOURED})('[data-pane-chart]', '#tv-attr-logo')") == 0


@pytest.mark.parametrize("width", [360, 1024, 2560])
def test_the_panel_is_never_wider_than_its_page(drawn, width):
    page = drawn(viewport={"width": width, "height": 900}, locale="ko-KR")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    menu(page, "style")
    box = page.locator("[data-menu=style] .menu-body").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
