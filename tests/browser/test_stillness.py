"""Live prices move their own figures and nothing beside them; a page is no taller than what it shows."""

import pytest
from playwright.sync_api import expect

from realtime.templatetags import market
from tests.browser import stillness

PRICES = "() => [...document.querySelectorAll('td.price, [data-price]')].map(each => each.textContent).join()"
SECONDS = 6  # a session and a half of every symbol
PATHS = ("/", "/symbols/MSFT/")
WIDE = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "locale": "ko-KR"}


def test_nothing_moves_beside_a_figure_that_changes(visit):
    pages = {f"{path} {size['viewport']['width']}": visit(path, **size) for path in PATHS for size in (WIDE, PHONE)}
    for page in pages.values():
        expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
        expect(page.locator("[data-panel=waiting]:visible")).to_have_count(0)
    before = {name: page.evaluate(PRICES) for name, page in pages.items()}
    assert stillness.moved(pages, SECONDS) == {}
    assert all(page.evaluate(PRICES) != before[name] for name, page in pages.items())


RING = """() => {
  const list = document.querySelector('[data-alerts]');
  const before = document.querySelector('.beneath').getBoundingClientRect().top;
  list.querySelector('.none')?.remove();
  const row = '<li><a href="/"><b>MSFT</b></a><span>MSFT rose by 10.2 % since the last close: 30.12</span></li>';
  list.insertAdjacentHTML('afterbegin', row.repeat(12));
  return document.querySelector('.beneath').getBoundingClientRect().top - before;
}"""


@pytest.mark.parametrize("width", [1440, 800])
def test_what_rings_moves_nothing_beneath_its_list(visit, width):
    page = visit("/symbols/MSFT/", viewport={"width": width, "height": 900})
    expect(page.locator("[data-panel=waiting]:visible")).to_have_count(0)
    assert page.evaluate(RING) == 0


def test_server_and_page_reserve_the_same_room(visit):
    asked = [(590.215, 4), (71500, 0), (26.2, 2), (0.0051, 4), (7000, 2)]
    reserved = """async (asked) => {
      const { widest } = await import('/static/components/steady.js');
      return asked.map(([value, decimals]) => widest(value, decimals));
    }"""
    assert visit().evaluate(reserved, [list(each) for each in asked]) == [market.widest(*each) for each in asked]


def test_room_once_given_stays_until_a_figure_does_not_fit(visit):
    rooms = """async () => {
      const { reserveFigure } = await import('/static/components/steady.js');
      const cell = document.createElement('span');
      return [660, 675, 999.99, 1000].map((value) => (reserveFigure(cell, value, 2), cell.dataset.room));
    }"""
    assert visit().evaluate(rooms) == ["000.00", "000.00", "000.00", "0,000.00"]


def test_the_watchlist_is_no_taller_than_its_window_where_its_rows_have_room(visit):
    page = visit(viewport={"width": 1440, "height": 1100})
    expect(page.locator("[data-pane-chart]")).to_have_attribute("data-panel", "shown")
    assert page.evaluate("() => document.documentElement.scrollHeight - innerHeight") == 0


BARE = """() => {
  const left = () => document.querySelector('.facts').getBoundingClientRect().left;
  const [date, pill] = ['[data-session-date]', '[data-connection-word]'].map((each) => document.querySelector(each));
  const all = document.querySelector('#words').dataset;
  const said = ['–', '2012-09-04'].map((text) => (date.textContent = text, left()));
  const words = ['live', 'noRedis', 'noFeed', 'noSource', 'late', 'silent'];
  return [...said, ...words.map((name) => (pill.textContent = all[name], left()))];
}"""


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_the_bar_keeps_its_place_whatever_its_session_and_its_line_say(visit, locale):
    page = visit("/symbols/MSFT/", viewport={"width": 1440, "height": 900}, locale=locale)
    expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
    places = page.evaluate(BARE)
    assert len(places) == 8
    assert max(places) - min(places) < 0.5
