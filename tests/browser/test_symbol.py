"""What a person sees and does on a symbol's page."""

import json
import re

import pytest
from playwright.sync_api import expect

# How many different colours the chart's canvases hold: one means that nothing is drawn.
COLOURS = """() => {
  const seen = new Set();
  for (const canvas of document.querySelectorAll('[data-canvas] canvas')) {
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    for (let at = 0; at < data.length; at += 4) seen.add(data[at] << 16 | data[at + 1] << 8 | data[at + 2]);
  }
  return seen.size;
}"""
# Price, last bar of the page and bar of the interface at one moment, as soon as they agree.
AGREE = """async () => {
  const shown = document.querySelector('[data-price]').textContent;
  const close = document.querySelectorAll('[data-legend] b')[4]?.textContent;
  const { results } = await (await fetch('/api/v2/symbols/AAPL/bars/?limit=1')).json();
  const words = await import('/static/words/words.js');
  return shown === close && close === words.price(results[0].close, 4);
}"""


def test_the_chart_is_drawn(visit):
    page = visit("/symbols/AAPL/")
    expect(page.locator("[data-skeleton]")).to_be_hidden()
    page.wait_for_function(f"() => ({COLOURS})() > 20")


def test_the_last_bar_moves_and_agrees_with_the_price_and_the_interface(visit):
    page = visit("/symbols/AAPL/")
    before = page.locator("[data-price]").text_content()
    page.wait_for_function("before => document.querySelector('[data-price]').textContent !== before", arg=before)
    page.wait_for_function(AGREE)


@pytest.mark.parametrize("path", ["/symbols/AAPL/", "/"])
def test_bars_that_are_corrected_are_read_again_by_the_page_and_the_pane_that_show_them(visit, path):
    corrected = {"type": "correction", "stream": "bars:AAPL", "symbol": "AAPL", "interval": "1d", "from": "2012-03-01",
                 "to": "2012-03-02", "reason": "revision", "version": "1", "seq": 10**9}  # fmt: skip
    page, sockets = visit(path), []
    page.route_web_socket("**/ws/realtime", lambda socket: sockets.append((socket, socket.connect_to_server())))
    with page.expect_response("**/symbols/AAPL/bars/**"):
        page.reload()
    with page.expect_response("**/symbols/AAPL/bars/**"):
        sockets[-1][0].send(json.dumps(corrected))
    expect(page.locator("[data-note]")).to_have_text("Corrected by the source: 2012-03-01 – 2012-03-02")


def test_the_table_has_the_same_bars(visit):
    page = visit("/symbols/IBM/")
    expect(page.locator("[data-skeleton]")).to_be_hidden()
    page.get_by_role("button", name="Table").click()
    expect(page.locator(".table-view tbody tr").first.locator("th")).to_have_text(re.compile(r"^20\d\d-\d\d-\d\d$"))
    assert page.locator(".table-view tbody tr").count() > 200


def test_a_range_is_pressed_and_the_chart_goes_on(visit):
    page = visit("/symbols/MSFT/")
    expect(page.locator("[data-skeleton]")).to_be_hidden()
    for name in ("1M", "5Y", "All"):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")
    page.wait_for_function(f"() => ({COLOURS})() > 20")


def test_bars_that_do_not_come_are_told_with_a_way_to_try_again(visit):
    page = visit("/symbols/AAPL/")
    page.context.route(
        "**/bars/**", lambda route: route.fulfill(status=503, json={"detail": "Busy.", "request_id": "r1"})
    )
    page.reload()
    expect(page.locator("[data-state-box]")).to_contain_text("request r1")
    again = page.get_by_role("button", name="Try again").element_handle()
    page.context.unroute("**/bars/**")
    again.evaluate("each => each.click()")  # the panel looks again by itself too, and may have taken the button away
    expect(page.locator("[data-state-box]")).to_be_hidden()


def test_an_unknown_symbol_gets_a_page_that_leads_on(visit):
    page = visit("/symbols/NOPE/")
    expect(page.get_by_role("heading")).to_have_text("This symbol is not followed here")
    page.get_by_role("link", name="MSFT Microsoft").click()
    page.wait_for_url("**/symbols/MSFT/")


def test_a_range_begins_on_the_same_day_of_an_earlier_month_or_on_its_last(visit):
    starts = """async (asked) => {
      const { rangeStart } = await import('/static/components/chart/history.js');
      return asked.map(([range, last]) => rangeStart(range, last));
    }"""
    asked = {
        ("1M", "2012-03-31"): "2012-02-29", ("1M", "2011-03-30"): "2011-02-28", ("1M", "2012-09-04"): "2012-08-04",
        ("3M", "2012-05-31"): "2012-02-29", ("6M", "2012-08-31"): "2012-02-29", ("1Y", "2012-02-29"): "2011-02-28",
        ("YTD", "2012-03-31"): "2012-01-01",
    }  # fmt: skip
    assert visit().evaluate(starts, [list(each) for each in asked]) == list(asked.values())


def test_all_time_says_since_when_in_the_readers_language(visit):
    for locale, said in (("en-US", "All time since 2000-03-01"), ("ko-KR", "전체 기간 2000-03-01부터")):
        page = visit("/symbols/AAPL/", locale=locale)
        expect(page.locator("[data-scope=all_time] h3")).to_have_text(said)
        expect(page.locator("[data-scope='52_weeks'] h3 small")).to_have_count(0)


def test_in_a_recording_bars_within_a_day_say_why_there_are_none_and_how_to_go_live(visit):
    page = visit("/symbols/AAPL/?interval=5m")
    expect(page.locator("[data-state-box]")).to_contain_text("The recording has daily bars alone")
    for way in ("FINSTAGE_SOURCE=yahoo make up", "manage.py switch_source yahoo"):
        expect(page.locator("[data-state-box]")).to_contain_text(way)
    page.get_by_role("button", name="D", exact=True).click()
    expect(page.locator("[data-state-box]")).to_be_hidden()
    expect(page.locator("[data-legend]")).not_to_be_empty()


def test_bars_within_a_day_move_by_a_stream_of_their_own(visit):
    page, sent, lines = visit("/ws/demo"), [], []
    prices = {"open": 101, "high": 102, "low": 99, "close": 101.5, "volume": 7, "source": "yahoo"}
    bar = {
        "symbol": "IBM",
        "interval": "5m",
        "session_date": "2012-09-04",
        "opened_at": "2012-09-04T13:30:00Z",
        **prices,
    }
    bar |= {"received_at": "2012-09-04T13:31:00Z"}

    def carry(line) -> None:
        server = line.connect_to_server()
        line.on_message(lambda text: (sent.append(json.loads(text)), server.send(text)))
        lines.append(line)

    page.route_web_socket("**/ws/realtime", carry)
    page.route("**/symbols/IBM/bars/**", lambda route: route.fulfill(json={"results": [bar], "coverage": {}}))
    page.goto("/symbols/IBM/?interval=5m")
    expect(page.locator("[data-legend]")).to_contain_text("101.50")
    expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
    told = {**bar, "type": "bar", "close": 99.25, "is_final": False, "stream": "bars:IBM@5m", "seq": 1}
    lines[-1].send(json.dumps(told))
    expect(page.locator("[data-legend]")).to_contain_text("99.25")
    assert [each for each in sent if each.get("interval") == "5m" and each["symbols"] == ["IBM"]]


def test_prices_as_traded_are_those_before_the_split_and_stand_in_the_address(visit):
    asked = []
    page = visit("/symbols/AAPL/?view=table&range=All")
    expect(page.locator(".table-view tbody tr").first).to_be_visible()
    page.on("request", lambda request: asked.append(request.url))
    page.locator("[data-menu=style] summary").click()
    page.locator("[name=chart-adjusted][value=raw]").check(force=True)
    page.wait_for_url("**adjusted=raw")
    expect(page.locator("[data-made]")).to_contain_text("as traded")
    expect(page.locator(".table-view tbody tr").first).to_be_visible()
    assert [url for url in asked if "/bars/" in url and "adjusted=raw" in url]


def test_what_was_done_to_its_shares_and_what_is_held_comes_as_it_is_scrolled_to(visit):
    page, asked = visit("/symbols/AAPL/"), []
    expect(page.locator("[data-legend]")).not_to_be_empty()
    page.on("request", lambda request: asked.append(request.url))
    expect(page.locator("[data-facts] li")).to_have_count(0)
    page.locator("[data-facts]").scroll_into_view_if_needed()
    expect(page.locator("[data-actions] li", has_text="2005-02-28")).to_contain_text("2:1")
    expect(page.locator("[data-held] li")).to_contain_text(re.compile(r"1d2000-03-01 – \d{4}-\d\d-\d\d"))
    assert [url for url in asked if "/coverage/?symbol=AAPL" in url]
    expect(page.locator("[data-scope='52_weeks'] .ends")).to_contain_text("%")


COVERED = """() => [...document.querySelectorAll('[data-menu=indicators] input')].map((box) => {
  box.scrollIntoView({ block: 'nearest' });
  const { x, y } = box.getBoundingClientRect();
  return box.contains(document.elementFromPoint(x + 8, y + 8)) ? '' : box.parentElement.textContent;
}).filter(Boolean)"""


@pytest.mark.parametrize("path", ["/symbols/MSFT/", "/replay/"])
def test_a_long_menu_lies_over_all_panes_of_the_chart(visit, path):
    page = visit("/ws/demo")
    keys = [f"sma_{period}" for period in range(5, 14)] + ["rsi_14", "macd_12_26_9", "atr_14"]
    page.evaluate("keys => localStorage.preferences = JSON.stringify({ 'chart.indicators': keys })", keys)
    page.goto(path)
    menu = page.locator("[data-menu=indicators]")
    expect(menu.locator("input")).not_to_have_count(1)
    menu.locator("summary").click()
    assert menu.locator("input").count() > 10
    assert page.evaluate(COVERED) == []
