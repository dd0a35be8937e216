"""A panel never shows one subject under another's name: it clears, waits, shows what was asked last, or why not."""

import pytest
from playwright.sync_api import Page, expect

# A panel over questions that the test answers, and what it draws.
PANEL = """async () => {
  const { Panel } = await import('/static/components/panel.js');
  const box = document.body.appendChild(document.createElement('div'));
  const drawn = box.appendChild(document.createElement('p'));
  window.asked = [];
  window.panel = new Panel(box, {
    read: (subject, signal) => new Promise((give) => asked.push({ subject, signal, give })),
    draw: (found, subject) => { drawn.textContent = `${subject}: ${found}`; },
    clear: () => { drawn.textContent = ''; },
  });
  window.shown = () => `${box.dataset.panel} ${drawn.textContent}`.trim();
}"""
PRESSED = """(key) => {
  const pressed = () => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
  for (let times = 0; times < 4; times += 1) pressed();
}"""
ASKED = "async (subject) => { panel.show(subject); await new Promise((soon) => setTimeout(soon)); }"
ANSWERED = """async ([number, found]) => {
  asked[number].give(found);
  await new Promise((soon) => setTimeout(soon));
  return shown();
}"""
TAG = """async (direction) => {
  const { Chart } = await import('/static/components/chart/chart.js');
  const box = document.body.appendChild(document.createElement('div'));
  box.style.cssText = 'position: fixed; inset: 0; z-index: 99';
  const chart = new Chart(box, { small: true });
  const bar = (day, open, close) => ({ session_date: day, opened_at: day, open, high: 12, low: 8, close, volume: 1 });
  const bars = [bar('2012-03-01', 10, 9), bar('2012-03-02', 9, 11)]; // it rose, whatever the day did
  chart.show({ bars, lines: [], interval: '1d' });
  chart.showDirection(direction);
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const axis = [...box.querySelectorAll('td:last-child canvas')][0];
  const { data } = axis.getContext('2d').getImageData(0, 0, axis.width, axis.height);
  const probe = document.body.appendChild(document.createElement('i'));
  const seen = (name) => {
    probe.style.color = `var(--${name})`;
    const [red, green, blue] = getComputedStyle(probe).color.match(/[\\d.]+/g).map(Number);
    const has = (at) => data[at] === red && data[at + 1] === green && data[at + 2] === blue;
    let count = 0;
    for (let at = 0; at < data.length; at += 4) count += has(at);
    return count > 100;
  };
  return ['up', 'down'].filter(seen);
}"""

# What a panel has read at once, and once it has rested, of a subject that is asked for again meanwhile.
RESTING = """async () => {
  const { Panel } = await import('/static/components/panel.js');
  const [box, read] = [document.body.appendChild(document.createElement('div')), []];
  const reading = async (subject) => [read.push(subject)];
  const panel = new Panel(box, { read: reading, draw() {}, rest: 300 });
  panel.show('AAPL');
  panel.again();
  const atOnce = [...read];
  await new Promise((done) => setTimeout(done, 1500));
  return [atOnce, read];
}"""
# Three rows of one value, sorted upward and downward from any order.
ALIKE = """async () => {
  const { Row } = await import('/static/components/table/row.js');
  const rows = ['B', 'C', 'A'].map((key) => new Row(key, { value: 1 }, [], {}));
  const by = (isUp) => (one, other) => one.compare(other, ({ value }) => value, isUp);
  return [true, false].map((isUp) => [...rows].sort(by(isUp)).map(({ key }) => key));
}"""

# Which row has the focus, and the rows in order, before and after the order is turned round.
TURNED = """async () => {
  const { Table } = await import('/static/components/table/table.js');
  const element = document.createElement('table');
  const head = '<thead><tr><th data-column="value" data-sort="up"><button>V</button></th></tr></thead>';
  element.innerHTML = `${head}<tbody></tbody>`;
  document.querySelector('main').append(element);
  const build = (cell) => ({ value }) => { cell.textContent = value; };
  const columns = { value: { value: ({ value }) => value, build } };
  const table = new Table(element, { columns, keyOf: ({ key }) => key, order: ['value', true] });
  table.fill(['A', 'B', 'C'].map((key, value) => ({ key, value })));
  const row = table.rows.get('C').element;
  row.tabIndex = -1;
  row.focus();
  window.table = table;
  const seen = [];
  for (const isUp of [true, false]) {
    table.sortBy('value', isUp);
    seen.push(`${table.keys.join('')} ${document.activeElement.dataset.row}`);
  }
  return seen;
}"""


@pytest.fixture
def board(visit) -> Page:
    """The watchlist with Apple's chart drawn."""
    page = visit()
    expect(page.locator("[data-pane-chart]")).to_have_attribute("data-panel", "shown")
    return page


def test_a_choice_whose_history_hangs_shows_no_other_symbols_chart(board):
    board.route("**/symbols/IBM/bars/**", lambda route: None)
    board.locator("tr[data-row=IBM] .percent").click()
    expect(board.locator("[data-pane-symbol]")).to_have_text("IBM")
    expect(board.locator("[data-pane-chart] [data-skeleton]")).to_be_visible()
    expect(board.locator("[data-pane-chart] table").first).not_to_be_visible()


def test_a_choice_whose_history_fails_says_so_with_the_request_and_tries_again(board):
    board.route("**/symbols/IBM/bars/**", lambda route: route.fulfill(status=503, json={"request_id": "r7"}), times=1)
    board.locator("tr[data-row=IBM] .percent").click()
    expect(board.locator("[data-pane-chart] [data-state-box]")).to_contain_text("request r7")
    expect(board.locator("[data-pane-chart] table").first).not_to_be_visible()
    board.get_by_role("button", name="Try again").click()
    expect(board.locator("[data-pane-chart] table").first).to_be_visible()
    expect(board.locator("[data-pane-chart] [data-state-box]")).to_be_hidden()


def test_rows_that_keys_only_pass_are_not_read(board):
    asked = []
    board.on("request", lambda request: asked.append(request.url) if "/bars/" in request.url else None)
    board.evaluate(PRESSED, "j")
    expect(board.locator("[data-pane-symbol]")).to_have_text("MSFT")
    expect(board.locator("[data-pane-chart]")).to_have_attribute("data-panel", "shown")
    board.evaluate(PRESSED, "k")
    expect(board.locator("[data-pane-chart]")).to_have_attribute("data-panel", "shown")
    assert [url.split("/")[6] for url in asked] == ["MSFT"]


def test_an_answer_for_what_is_no_longer_asked_is_dropped_and_its_question_broken_off(visit):
    page = visit()
    page.evaluate(PANEL)
    for subject in ("AAPL", "IBM"):
        page.evaluate(ASKED, subject)
    assert page.evaluate("asked.map(({ signal }) => signal.aborted)") == [True, False]
    assert page.evaluate(ANSWERED, [0, 101.5]) == "waiting"
    assert page.evaluate(ANSWERED, [1, 187.25]) == "shown IBM: 187.25"


def test_a_change_of_subject_clears_at_once(visit):
    page = visit()
    page.evaluate(PANEL)
    page.evaluate(ASKED, "AAPL")
    assert page.evaluate(ANSWERED, [0, 101.5]) == "shown AAPL: 101.5"
    assert page.evaluate("panel.show('IBM'), shown()") == "waiting"


def test_what_rests_is_read_once_and_not_sooner_by_whatever_asks_for_it_again(visit):
    page = visit()
    assert page.evaluate(RESTING) == [[], ["AAPL"]]


def test_a_row_that_is_moved_keeps_the_focus(visit):
    assert visit().evaluate(TURNED) == ["ABC C", "CBA C"]


def test_rows_change_places_under_no_pointer_and_once_it_has_left(visit):
    page = visit()
    page.evaluate(TURNED)
    keys = "table.keys.join('')"
    page.locator("tr[data-row=A]").hover()
    page.evaluate("table.put({ key: 'A', value: 9 })")
    page.wait_for_function("() => table.isDisordered")
    assert page.evaluate(keys) == "CBA"
    page.mouse.move(1, 1)
    page.wait_for_function(f"() => {keys} === 'ACB'")


def test_rows_that_are_alike_stand_in_one_order_and_the_other_way_round(visit):
    assert visit().evaluate(ALIKE) == [["A", "B", "C"], ["C", "B", "A"]]


@pytest.mark.parametrize("direction", ["up", "down"])
def test_the_charts_price_tag_has_the_colour_of_the_days_change(visit, direction):
    assert visit().evaluate(TAG, direction) == [direction]
