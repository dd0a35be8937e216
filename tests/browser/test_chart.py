"""The chart by itself: what it shows of real bars, on a page that has nothing else."""

import pytest
from playwright.sync_api import Page, expect

from market.models import CorporateAction

# A chart of a symbol's real history, as `chart`, and what it was made of.
DRAW = """async ([symbol, decimals]) => {
  const { Chart } = await import('/static/components/chart/chart.js');
  const { Flags } = await import('/static/components/chart/flags.js');
  const { history } = await import('/static/components/chart/history.js');
  if (!window.chart) {
    const element = document.createElement('div');
    element.style.cssText = 'position: fixed; inset: 0; z-index: 99; width: 1000px; height: 700px';
    document.body.append(element);
    window.chart = new Chart(element, { Flags });
  }
  chart.show(window.known = await history(symbol), { decimals });
  chart.showFrom(null);
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
COLOURS = """() => {
  const seen = new Set();
  for (const canvas of chart.element.querySelectorAll('canvas')) {
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    for (let at = 0; at < data.length; at += 4)
      if (data[at + 3]) seen.add(data[at] << 16 | data[at + 1] << 8 | data[at + 2]);
  }
  return [...seen];
}"""


@pytest.fixture
def drawn(visit):
    def draw(symbol: str = "AAPL", decimals: int = 2, **options) -> Page:
        page = visit("/symbols/NOPE/", **options)
        page.evaluate(DRAW, [symbol, decimals])
        return page

    return draw


def test_all_is_all_and_the_price_axis_ends_at_nothing(drawn):
    page = drawn()
    assert page.evaluate("chart.chart.timeScale().getVisibleLogicalRange().from") <= 0
    height = page.evaluate("chart.chart.panes()[0].getHeight()")
    lowest, highest = page.evaluate(f"[{height}, 0].map((y) => chart.candles.coordinateToPrice(y))")
    assert -0.04 * highest < lowest < page.evaluate("Math.min(...chart.bars.map((bar) => bar.low))")
    assert page.evaluate("chart.label(-20)") == ""
    assert page.evaluate("chart.volume.getPane().paneIndex()") == 1


def test_what_trades_below_nothing_has_its_labels_and_no_percent_of_such_a_close(drawn):
    page = drawn()
    page.evaluate("Object.assign(chart.bars.at(-2), { low: -40.32, close: -37.63 }); chart.bars.at(-1).close = 10.01")
    page.evaluate("chart.show(known)")
    assert page.evaluate("[-20, -37.63].map((value) => chart.label(value))") == ["−20.00", "−37.63"]
    said = """async () => {
      const { valuesAt } = await import('/static/components/chart/legend.js');
      return [2, 1].map((back) => valuesAt(chart, chart.bars.length - back)[5].text);
    }"""
    fall, rise = page.evaluate(said)
    assert (fall[0], rise) == ("−", "–")


def test_a_chart_that_changes_its_subject_shows_nothing_of_the_one_before(drawn):
    page = drawn(decimals=4)
    assert page.evaluate("chart.label(6.12345)") == "6.1235"
    page.evaluate("chart.clear()")
    assert page.evaluate("[chart.candles, chart.volume].map((series) => series.data().length)") == [0, 0]
    page.evaluate(DRAW, ["IBM", 0])
    assert page.evaluate("[chart.label(6.12345), chart.candles.options().priceFormat.minMove]") == ["6", 1]


def test_the_tag_of_the_price_has_the_direction_of_the_days_change_whatever_its_candle_does(drawn):
    page = drawn(color_scheme="dark")
    tag = "() => chart.candles.options().priceLineColor"
    page.evaluate("Object.assign(chart.bars.at(-1), { open: 10, low: 10 }); chart.moved(); chart.showDirection('down')")
    down = page.evaluate(tag)
    page.evaluate("chart.showDirection('up')")
    assert [down, page.evaluate(tag)] == ["rgba(239, 90, 93, 1.000)", "rgba(37, 184, 131, 1.000)"]


def test_under_forced_colours_candles_are_told_apart_and_nothing_is_a_black_box(drawn):
    page = drawn(forced_colors="active")
    page.evaluate("chart.showFrom(chart.bars.at(-40).session_date)")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert len(page.evaluate(COLOURS)) > 8
    options = page.evaluate("chart.candles.options()")
    assert options["upColor"] != options["downColor"] == options["borderUpColor"]


def test_a_split_has_its_flag_and_is_said_where_the_crosshair_stands(drawn):
    page = drawn()
    at = page.evaluate("chart.bars.findIndex((bar) => bar.session_date === '2005-02-28')")
    said = f"""async () => {{
      const {{ valuesAt }} = await import('/static/components/chart/legend.js');
      return valuesAt(chart, {at}).map(({{ text }}) => text);
    }}"""
    assert page.evaluate("chart.flags.flags.map(({ date }) => date)") == ["2000-06-21", "2005-02-28"]
    assert page.evaluate(said)[-1] == page.evaluate(f"chart.flags.of({at})[0]")


def test_weeks_and_months_are_made_of_days_as_the_server_makes_them(drawn):
    page = drawn()
    made = """async (interval) => {
      const { gathered } = await import('/static/components/chart/intervals.js');
      return gathered(known, interval).bars.slice(1, -1);
    }"""
    days = page.evaluate("known.bars")
    for interval, length in (("1wk", 7), ("1mo", 31)):
        bars = page.evaluate(made, interval)
        assert len(bars) * length * 5 / 7 > len(days) * 0.9
        for bar in (bars[0], bars[40]):
            inside = [day for day in days if bar["session_date"] <= day["session_date"] <= bar["until"]]
            assert bar["open"] == inside[0]["open"]
            assert bar["close"] == inside[-1]["close"]
            assert bar["high"] == max(day["high"] for day in inside)
            assert bar["volume"] == sum(day["volume"] for day in inside)


def test_the_table_begins_with_the_close_and_keeps_the_day_in_sight(visit):
    page = visit("/symbols/IBM/", viewport={"width": 390, "height": 844})
    expect(page.locator("[data-skeleton]")).to_be_hidden()
    page.get_by_role("button", name="Table").click()
    expect(page.locator(".table-view thead th")).to_have_text(
        ["Session", "Close", "Change %", "Open", "High", "Low", "Volume", "SMA 20", "RSI 14"]
    )
    page.locator(".table-view").evaluate("box => box.scrollTo(400, 600)")
    day = page.locator(".table-view tbody th").nth(20)
    assert day.evaluate("cell => cell.getBoundingClientRect().left") == 0


def test_a_flag_stands_under_the_bar_of_its_day_and_what_is_to_come_has_none(drawn):
    page = drawn()
    place = """async ([interval, days]) => {
      const { gathered } = await import('/static/components/chart/intervals.js');
      chart.show(gathered(known, interval));
      chart.flags.mark(days.map((date) => ({ date, text: date })));
      return chart.flags.flags.filter(({ kind }) => kind === 'alert').map(({ at }) => chart.bars[at].session_date);
    }"""
    days = ["1999-01-04", "2012-01-04", "2012-01-07", "2999-01-04"]  # the third is a Saturday
    assert page.evaluate(place, ["1d", days]) == ["2012-01-04", "2012-01-09"]
    assert page.evaluate(place, ["1wk", days]) == ["2012-01-02", "2012-01-09"]


def test_every_kind_of_action_has_a_flag_and_words(visit):
    """Words are of the page of a symbol; a kind that comes anew must have them."""
    page = visit("/symbols/IBM/")
    said = """async (kinds) => {
      const { Flags } = await import('/static/components/chart/flags.js');
      const flags = new Flags({ bars: [{ session_date: '2012-01-03' }] });
      flags.show(kinds.map((kind) => ({ kind, ex_date: '2012-01-03', value: 0.5 })));
      return flags.of(0);
    }"""
    texts = page.evaluate(said, CorporateAction.Kind.values)
    assert sorted(texts) == ["Capital gain 0.5", "Dividend 0.5", "Renamed", "Spin-off", "Split 1:2"]
