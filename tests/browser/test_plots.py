"""The small plots: axes that can be read, holes that stay holes, and values by pointer and keys."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Locator, expect

PLOT = """async (values) => {
  const { LinePlot } = await import('/static/components/lineplot.js');
  const box = document.body.appendChild(document.createElement('div'));
  box.id = 'plot';
  box.style.cssText = 'position: fixed; inset: 100px auto auto 100px; width: 400px; height: 100px; z-index: 99';
  const plot = new LinePlot(box, { label: 'Load', say: (value) => `${value} %` });
  plot.show(values.map((value, place) => ({ at: Date.UTC(2026, 0, 5, 9, place), value })));
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
}"""
TICKS = """async (asked) => {
  const { ticks } = await import('/static/components/lineplot.js');
  return asked.map((each) => ticks(...each));
}"""


@pytest.fixture
def plot(visit) -> Locator:
    page = visit("/symbols/NOPE/", timezone_id="UTC")
    page.add_style_tag(url="/static/components/plots.css")
    page.evaluate(PLOT, [12, 30, None, 55, 41])
    return page.locator("#plot")


def test_the_axes_say_round_values_with_their_unit_and_when(plot):
    said = plot.locator("text").all_text_contents()
    assert said[:3] == ["0 %", "50 %", "100 %"]
    assert said[3] == "09:00:00"
    assert said[-1] == "09:04:00"


def test_a_hole_stays_one(plot):
    assert plot.locator(".line").get_attribute("d").count("M") == 2


def test_a_value_is_told_under_the_pointer_and_by_the_arrow_keys(plot):
    box = plot.bounding_box()
    plot.page.mouse.move(box["x"] + box["width"] - 8, box["y"] + 40)
    expect(plot.locator(".lineplot-tip")).to_have_text("09:04:00 · 41 %")
    plot.page.mouse.move(0, 0)
    expect(plot.locator(".lineplot-tip")).to_be_empty()
    plot.focus()
    for _ in range(2):
        plot.page.keyboard.press("ArrowLeft")
    expect(plot).to_have_attribute("aria-valuetext", "09:02:00 · –")
    plot.page.keyboard.press("Home")
    expect(plot).to_have_attribute("aria-valuetext", "09:00:00 · 12 %")
    assert plot.locator(".mark").count() == 1


def test_values_of_an_axis_are_round_and_hold_all_that_is_shown(visit):
    asked = [[12, 55, 3], [0, 0, 3], [7.2, 7.4, 3], [-3, 4, 4], [1_000_000, 3_400_000, 3]]
    for (least, most, many), values in zip(asked, visit("/symbols/NOPE/").evaluate(TICKS, asked), strict=True):
        assert values[0] <= least
        assert values[-1] >= most
        assert 2 <= len(values) <= many
        assert len({round(b - a, 9) for a, b in pairwise(values)}) == 1


def test_a_sparkline_says_what_it_spans(visit):
    page = visit()
    spark = page.locator("tr[data-row=MSFT] .sparkline")
    said = re.compile(r"^30 closes from [\d.]+ to [\d.]+; lowest [\d.]+, highest [\d.]+$")
    expect(spark).to_have_attribute("aria-label", said)
    expect(page.locator("tr[data-row=MSFT] .spark")).to_have_attribute("title", said)
