"""The picker of indicators on a chart: what is chosen, with which parameters, in which order, and who keeps it."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import faults
from tests.browser.test_chart import DRAW

KEPT = "() => JSON.parse(localStorage.preferences ?? '{}')"
CHOOSE = "keys => localStorage.preferences = JSON.stringify({ 'chart.indicators': keys })"
# Of each column of a canvas' pixels whether it has a hue of the tokens.
COLUMNS = """name => {
  const sample = document.body.appendChild(document.createElement('i'));
  sample.style.color = `var(--${name})`;
  const hue = getComputedStyle(sample).color.match(/[\\d.]+/g).slice(0, 3).map(Number);
  sample.remove();
  const canvas = chart.element.querySelector('canvas');
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  const has = (x, y) => hue.every((part, each) => Math.abs(part - data[4 * (y * width + x) + each]) < 12);
  return Array.from({ length: width }, (_, x) => Array.from({ length: height }, (_, y) => y).some((y) => has(x, y)));
}"""


def opened(page: Page) -> Page:
    expect(page.locator("[data-plot]")).to_have_attribute("data-panel", "shown")
    page.locator("[data-menu=indicators] summary").click()
    page.locator("[data-pick]").click()
    page.mouse.move(0, 0)  # off the chart, whose legend tells of the bar below it
    expect(page.locator(".picker[open] .entries button").first).to_be_visible()
    return page


def row(page: Page, key: str):
    return page.locator(f".picked [data-key='{key}']")


def test_what_is_chosen_is_drawn_moves_with_the_price_and_is_kept_on_the_account(visit):
    page = visit("/ws/demo", who="admin")
    told, asked = [], []
    page.on("websocket", lambda line: line.on("framereceived", lambda text: told.append(str(text))))
    page.on("websocket", lambda line: line.on("framesent", lambda text: asked.append(str(text))))
    page.goto("/symbols/IBM/")
    opened(page)
    page.locator(".picker .find").fill("mov conv")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(row(page, "macd_12_26_9")).to_be_visible()
    slow = row(page, "macd_12_26_9").locator("[data-part=slow]")
    slow.fill("1")
    slow.press("Enter")
    expect(row(page, "macd_12_26_9").locator(".is-wrong .help")).to_have_text("A whole number, 2 to 1,000")
    slow.fill("31")
    slow.press("Enter")
    expect(row(page, "macd_12_31_9")).to_be_visible()
    own = page.locator("[data-legend] [data-of=macd_12_31_9]")
    expect(own).to_contain_text(re.compile(r"MACD 12 31 9 .*\d.*Signal .*\d.*Histogram .*\d"))
    page.wait_for_function("() => document.querySelector('[data-plot]').dataset.panel === 'shown'")
    seen = own.locator("b").first.text_content()
    expect(own.locator("b").first).not_to_have_text(seen)  # with a price that came meanwhile
    assert any("indicators:IBM/macd_12_31_9" in text for text in told)
    row(page, "macd_12_31_9").get_by_role("button", name="Further up").click()
    row(page, "rsi_14").get_by_label("Show Relative").uncheck()
    expect(page.locator("[data-legend]")).not_to_contain_text("RSI 14")
    row(page, "sma_20").get_by_role("button", name="Remove").click()
    expect(row(page, "sma_20")).to_have_count(0)
    page.get_by_role("button", name="Done").click()
    page.wait_for_timeout(700)
    assert any('"unsubscribe"' in text and "sma_20" in text for text in asked) is False  # everybody gets it
    elsewhere = visit("/symbols/MSFT/", who="admin")
    expect(elsewhere.locator("[data-legend] [data-of=macd_12_31_9]")).to_be_visible()
    expect(elsewhere.locator("[data-legend]")).not_to_contain_text("SMA 20")
    opened(elsewhere)
    assert elsewhere.locator(".picked li").evaluate_all("rows => rows.map(({ dataset }) => dataset.key)") == [
        "macd_12_31_9", "rsi_14",
    ]  # fmt: skip
    elsewhere.get_by_role("button", name="Reset").click()
    expect(elsewhere.locator("[data-legend]")).to_contain_text("SMA 20")
    expect(elsewhere.locator("[data-legend]")).to_contain_text("RSI 14")
    elsewhere.wait_for_timeout(700)
    told_now = elsewhere.evaluate("fetch('/api/v2/preferences/').then((answer) => answer.json())")
    assert "indicators" not in told_now["chart"]
    assert "hidden" not in told_now["chart"]


def test_it_stands_beside_the_chart_which_shows_at_once_what_is_measured_against_another_symbol(visit):
    page = opened(visit("/symbols/IBM/", viewport={"width": 1440, "height": 900}))
    *beside, panel = (page.locator(each).bounding_box() for each in ("[data-plot]", ".big", ".picker"))
    assert all(each["x"] + each["width"] <= panel["x"] + 1 for each in beside)  # nothing of them is covered
    assert page.locator(".picker .body").evaluate("body => body.scrollWidth <= body.clientWidth")
    page.locator(".picker .find").fill("correl")
    page.locator(".entries button[data-name=correl]").click()
    against = page.locator(".picked [data-key^='correl_20~'] [data-part=against]")
    against.fill("msft")
    against.press("Enter")
    expect(row(page, "correl_20~MSFT")).to_be_visible()
    own = page.locator("[data-legend] [data-of='correl_20~MSFT']")
    expect(own).to_contain_text(re.compile(r"CORREL 20 MSFT .*\d"))
    page.locator(".head").click()
    expect(page.locator(".picker[open]")).to_be_visible()  # what is beside it stays in use
    against.fill("no such")
    against.press("Enter")
    expect(page.locator(".picked .is-wrong .help")).to_have_text("A ticker, such as ^GSPC")
    assert faults.of_axe(page) == []
    page.keyboard.press("Escape")
    expect(page.locator(".picker[open]")).to_have_count(0)


def test_a_first_visit_brings_nothing_of_it_and_a_phone_shows_it_in_korean_without_a_fault(visit):
    came = []
    page = visit("about:blank", locale="ko-KR", viewport={"width": 390, "height": 844})
    page.on("request", lambda request: came.append(request.url))
    page.goto("/symbols/IBM/")
    expect(page.locator("[data-plot]")).to_have_attribute("data-panel", "shown")
    assert not [url for url in came if re.search(r"picker|catalogue|fills", url)]
    page.evaluate(CHOOSE, ["ichimoku_9_26_52", "bbands_20_2", "obv", "cdlengulfing", "nosuch_3"])
    page.reload()
    expect(page.locator("[data-legend]")).to_contain_text("선행스팬 1")  # what is no more keeps nothing else away
    opened(page)
    expect(page.locator(".picked")).to_contain_text("일목균형표")
    page.locator(".picker .find").fill("ㅅㅌㅋㅅㅌ")
    expect(page.locator(".entries button").first).to_have_text(re.compile("스토캐스틱"))
    assert faults.untranslated(page) == []
    assert faults.of_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".entries button").first.click()
    expect(row(page, "stoch_14_3_3")).to_be_visible()
    assert page.evaluate(KEPT)["chart.indicators"][-1] == "stoch_14_3_3"
    page.keyboard.press("Escape")
    expect(page.locator("[data-legend]")).to_contain_text("STOCH 14 3 3")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_bar_without_a_value_is_a_gap_and_what_lies_ahead_is_drawn_ahead(visit, theme):
    page = visit("/symbols/NOPE/", color_scheme=theme)
    page.evaluate(DRAW, ["AAPL", 2])
    page.evaluate("""() => {
      const [line] = known.lines;
      const from = known.bars.length - 70;
      line.values = line.values.map((value, at) => (at > from && at < from + 40 ? null : 650));
      const later = line.values.map((value) => value && 600);
      known.lines = [line, { ...line, values: later, output: 'later', offset: 26, isFirst: false, hue: 'pink' }];
      chart.show(known);
    }""")
    page.wait_for_function("() => chart.lines.shown.length === 2")
    ends = "{ from: known.bars.length - 100, to: known.bars.length + 30 }"
    page.evaluate(f"chart.chart.timeScale().setVisibleLogicalRange({ends})")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    place = "at => Math.round(chart.chart.timeScale().logicalToCoordinate(at + known.bars.length) * devicePixelRatio)"
    for hue, offset in (("average", 0), ("pink", 26)):
        has, at = page.evaluate(COLUMNS, hue), {back: page.evaluate(place, back + offset) for back in (-80, -50, -10)}
        assert [has[at[back]] for back in (-80, -50, -10)] == [True, False, True], hue


def test_weeks_have_the_values_that_the_server_makes_and_the_past_says_why_it_has_none(visit):
    page = visit("/symbols/IBM/?interval=1wk&view=table")
    date = page.locator(".table-view tbody th").nth(6).text_content()
    path = "/api/v2/technical-analysis/indicators/IBM?interval=1wk&period=1y&indicators=rsi_14"
    told = page.evaluate("path => fetch(path).then((answer) => answer.json())", path)
    value = told["indicators"]["rsi_14"]["values"]["rsi"][told["times"].index(f"{date}T00:00:00Z")]
    expect(page.locator(".table-view tbody tr", has_text=date).locator("td").last).to_have_text(f"{value:.1f}")
    page.goto("/symbols/IBM/?as_known_at=2012-06-01T00:00:00Z")
    page.locator("[data-menu=indicators] summary").click()
    page.locator("[data-pick]").click()
    expect(page.locator(".picker .why")).to_have_text("What indicators were then nobody keeps.")


def test_a_replay_tells_what_is_chosen_while_it_plays(visit):
    page = visit("/ws/demo")
    page.evaluate(CHOOSE, ["sma_20", "sma_33", "obv", "cmf_20"])
    told = []
    page.on("websocket", lambda line: line.on("framereceived", lambda text: told.append(str(text))))
    page.goto("/replay/?symbols=IBM&from=2012-03-01&to=2012-06-29&speed=23400")
    own = page.locator("[data-legend] [data-of=cmf_20]")
    expect(own).to_be_visible()
    seen = page.locator("[data-legend] b").first.text_content()
    expect(page.locator("[data-legend] b").first).not_to_have_text(seen)
    page.wait_for_timeout(1500)
    extra = [json.loads(text) for text in told if "indicators:IBM/cmf_20" in text]
    assert extra
    assert extra[-1]["replay"] is True
    page.get_by_role("button", name="W", exact=True).click()
    opened(page)
    expect(page.locator(".picker .why")).to_have_text("A replay tells them of days alone.")
