"""What a page shows stands in its address: reload and Back bring the same again, with focus and scroll."""

import re

from playwright.sync_api import expect

FIRST = "() => document.querySelector('tbody tr').dataset.row"


def test_sort_and_choice_survive_a_reload_and_the_way_back(visit):
    page = visit()
    page.get_by_role("button", name="Symbol", exact=True).click()
    page.locator("tr[data-row=GOOG] .percent").click()
    page.wait_for_url("**/?sort=-symbol&symbol=GOOG")
    for again in (page.reload, lambda: (page.goto("/ws/demo"), page.go_back())):
        again()
        expect(page.locator("tr[data-row=GOOG]")).to_have_attribute("aria-selected", "true")
        expect(page.locator("[data-pane-symbol]")).to_have_text("GOOG")
        expect(page.locator("tr[data-row=GOOG]")).to_be_focused()
        assert page.evaluate(FIRST) == "MSFT"
    page.keyboard.press("Enter")
    page.wait_for_url("**/symbols/GOOG/")


def test_how_a_page_begins_is_left_out_of_its_address_and_what_it_does_not_know_is_taken_for_that(visit):
    page = visit("/?symbol=NOPE&sort=name")
    expect(page.locator("tr[data-row=AAPL]")).to_have_attribute("aria-selected", "true")
    page.wait_for_url("**/")


def test_what_a_chart_does_not_know_is_gone_from_the_address_as_well(visit):
    page = visit("/symbols/IBM/?range=zzz&interval=7m&view=x&adjusted=raw")
    page.wait_for_url("**/symbols/IBM/?adjusted=raw")
    expect(page.get_by_role("button", name="1Y")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-plot]")).to_have_attribute("data-panel", "shown")
    page = visit("/data/?tab=nothing&interval=7m")
    page.wait_for_url("**/data/")


def test_range_view_and_how_far_the_table_was_scrolled_survive(visit):
    page = visit("/symbols/IBM/")
    page.get_by_role("button", name="5Y").click()
    page.get_by_role("button", name="Table", exact=True).click()
    page.wait_for_url("**/symbols/IBM/?range=5Y&view=table")
    expect(page.locator(".table-view tbody tr").first).to_be_visible()
    page.locator("[data-table]").evaluate("box => box.scrollTo(0, 900)")
    for again in (page.reload, lambda: (page.goto("/ws/demo"), page.go_back())):
        again()
        expect(page.get_by_role("button", name="5Y")).to_have_attribute("aria-pressed", "true")
        expect(page.locator("[data-table]")).to_be_visible()
        page.wait_for_function("() => document.querySelector('[data-table]').scrollTop === 900")
    assert re.search(r"\?range=5Y&view=table$", page.url)


# Heads pressed at once: what stands in the address then, and in a moment.
HASTY = """() => ['price', 'change', 'percent', 'symbol'].forEach((name) => {
  for (let times = 0; times < 4; times += 1) document.querySelector(`th[data-column=${name}] button`).click();
})"""
WRITES = """async (press) => {
  const [kept, write] = [history.length, history.replaceState];
  let writes = 0;
  history.replaceState = (...what) => (writes += 1, write.apply(history, what));
  eval(press)();
  await new Promise((soon) => setTimeout(soon, 400));
  return [writes, history.length - kept];
}"""


def test_what_changes_quickly_is_written_seldom_and_is_no_step_of_the_way_back(visit):
    page = visit("/#main")
    expect(page.locator("tr[data-row=AAPL]")).to_have_attribute("aria-selected", "true")
    writes, steps = page.evaluate(WRITES, HASTY)
    assert (writes <= 4, steps) == (True, 0)
    assert page.url.endswith("/?sort=-symbol#main")


def test_what_changed_just_before_a_page_was_left_is_there_again(visit):
    page = visit()
    expect(page.locator("tr[data-row=AAPL]")).to_have_attribute("aria-selected", "true")
    page.evaluate(f"({HASTY})(); location.assign('/ws/demo')")
    page.wait_for_url("**/ws/demo")
    page.go_back()
    page.wait_for_url("**/?sort=-symbol")
