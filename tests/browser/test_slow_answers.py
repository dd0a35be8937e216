"""What pages show while answers hang, fail or come out of order, and that they come right again by themselves."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import faults
from tests.browser.site import Site
from tests.browser.test_preferences import CHOOSE, FORGET, kept
from tests.browser.test_tasks import row, submit

JOBS, LATER = "**/api/tasks/tasks?*", "2099-01-01T00:00:00Z"
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"  # as when somebody comes back to the tab
REFUSAL = {"detail": "A part does not answer.", "request_id": "the-request"}
MANY = """
from datetime import timedelta
from django.utils import timezone
from monitoring.models import Job, ids_from
now, never = timezone.now() - timedelta(days=1), timezone.now() + timedelta(days=400)
at = [now + timedelta(seconds=second) for second in range(150)]
Job.objects.bulk_create(Job(
    id=ids_from(each), name="market.records", state="pending", max_attempts=1, timeout_seconds=9, created_at=each,
    not_before=never) for each in at)
"""
ENDED = """
from django.utils import timezone
from monitoring.models import Job, ids_from
at = timezone.now()
print(Job.objects.create(
    id=ids_from(at), name="market.records", state="completed", max_attempts=1, attempt=1, timeout_seconds=9,
    created_at=at, not_before=at, started_at=at, finished_at=at, outcome="whole", result={"rows": 7}).pk)
"""
CANCEL = """async (id) => {
  const headers = { 'X-CSRFToken': document.querySelector('[name=csrfmiddlewaretoken]').value };
  await fetch(`/api/tasks/task/${id}/cancel`, { method: 'POST', headers });
}"""


class Held:
    """Answers that the server has given and that are kept from the page until they are let go."""

    def __init__(self, page: Page, pattern: str, times: int | None = None) -> None:
        self._answers = []
        page.route(pattern, self._hold, times=times)

    def _hold(self, route: Route) -> None:
        self._answers.append((route, route.fetch()))

    def __len__(self) -> int:
        return len(self._answers)

    def let_go(self) -> None:
        for route, answer in self._answers:
            route.fulfill(response=answer)


def until(page: Page, holds: Callable[[], bool]) -> None:
    for _ in range(300):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError


def fail(page: Page, pattern: str, times: int | None = None) -> None:
    page.route(pattern, lambda route: route.fulfill(status=503, json=REFUSAL), times=times)


@pytest.fixture
def staff(visit) -> Callable[..., Page]:
    """staff("/tasks/"): a page of ours as staff sees it."""

    def go(path: str, **options) -> Page:
        page = visit("about:blank", who="admin", **options)
        page.said = faults.of_console(page)
        page.goto(path)
        return page

    return go


@pytest.fixture
def tasks(staff) -> Page:
    page = staff("/tasks/")
    expect(page.locator("[data-frame]")).to_have_attribute("aria-busy", "false")
    expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
    return page


# Tasks.


def test_jobs_of_another_filter_are_never_shown_under_the_one_that_was_chosen(tasks):
    waiting = submit(tasks, "market.records", not_before=LATER)
    expect(row(tasks, waiting)).to_be_visible()
    held, asked = [], re.compile(r"/api/tasks/tasks\?.*status=failed")
    tasks.route(asked, lambda route: held.append(route))
    tasks.get_by_role("button", name=re.compile("^Failed")).click()
    expect(tasks.locator("tbody tr:visible")).to_have_count(0)
    expect(tasks.locator("[data-frame] [data-skeleton]")).to_be_visible()
    until(tasks, lambda: held)
    held[0].fulfill(status=503, json=REFUSAL)
    expect(tasks.locator("[data-state-box]")).to_contain_text("The jobs did not come.")
    tasks.unroute(asked)
    tasks.get_by_role("button", name="Try again").click()
    expect(tasks.locator("[data-state-box]")).not_to_contain_text("did not come")
    expect(row(tasks, waiting)).to_have_count(0)


def test_a_list_that_could_not_be_read_again_says_so_and_stays(tasks):
    waiting = submit(tasks, "market.records", not_before=LATER)
    expect(row(tasks, waiting)).to_be_visible()
    fail(tasks, JOBS)
    tasks.evaluate(LOOK)
    expect(tasks.locator(".late")).to_contain_text("What stands here is not the newest. A part does not answer.")
    expect(row(tasks, waiting)).to_be_visible()
    tasks.unroute(JOBS)
    tasks.locator(".late button").click()
    expect(tasks.locator(".late")).to_have_count(0)


def test_older_jobs_stay_when_the_newest_are_read_again_and_a_failure_to_bring_them_is_told(tasks, site):
    site.manage("shell", "-c", MANY)
    tasks.reload()
    lines = tasks.locator("[data-jobs] tbody tr")
    expect(lines).to_have_count(100)
    fail(tasks, re.compile(r"/api/tasks/tasks\?.*cursor="), times=1)
    tasks.get_by_role("button", name="Show older").click()
    tasks.locator(".late button").click()
    expect(lines).not_to_have_count(100)
    many = lines.count()
    with tasks.expect_response(JOBS):
        tasks.evaluate(LOOK)
    tasks.wait_for_timeout(300)
    assert lines.count() >= many


def test_older_jobs_of_a_filter_that_was_left_do_not_come(tasks, site):
    site.manage("shell", "-c", MANY)
    tasks.reload()
    held = Held(tasks, re.compile(r"/api/tasks/tasks\?.*cursor="))
    tasks.get_by_role("button", name="Show older").click()
    until(tasks, lambda: held)
    tasks.get_by_role("button", name=re.compile("^Failed")).click()
    expect(tasks.locator("[data-frame]")).to_have_attribute("aria-busy", "false")
    held.let_go()
    tasks.wait_for_timeout(300)
    expect(tasks.locator("[data-jobs] tbody tr[data-state=pending]")).to_have_count(0)
    expect(tasks.get_by_role("button", name="Show older")).to_be_hidden()


def test_a_job_that_came_while_the_list_was_on_its_way_stays(tasks):
    held = Held(tasks, JOBS, times=1)
    tasks.evaluate(LOOK)
    until(tasks, lambda: held)
    new = submit(tasks, "market.records", not_before=LATER)
    expect(row(tasks, new)).to_be_visible()
    held.let_go()
    tasks.wait_for_timeout(500)
    expect(row(tasks, new)).to_be_visible()


def test_a_job_that_came_before_the_stream_was_heard_is_in_the_list(staff):
    page, held = staff("/ws/demo"), []

    def slowly(socket) -> None:
        server = socket.connect_to_server()
        late = lambda said: '"subscribe"' in said and '"jobs"' in said  # noqa: E731
        socket.on_message(lambda said: held.append((server, said)) if late(said) else server.send(said))

    page.route_web_socket("**/ws/realtime", slowly)
    page.goto("/tasks/")
    expect(page.locator("[data-frame]")).to_have_attribute("aria-busy", "false")
    until(page, lambda: held)
    new = submit(page, "market.records", not_before=LATER)
    page.wait_for_timeout(500)  # until the stream has told it, to others
    held[0][0].send(held[0][1])
    expect(row(page, new)).to_be_visible()


# However long the stream takes on a busy machine, it is "soon".
PATIENT = """() => {
  const timeout = setTimeout;
  window.setTimeout = (call, wait, ...rest) => timeout(call, wait === 400 ? 60_000 : wait, ...rest);
}"""


def test_the_list_is_read_once_where_the_stream_is_heard_soon(staff):
    page, reads = staff("/tasks/"), []
    page.add_init_script(f"({PATIENT})()")
    expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
    page.on("request", lambda request: reads.append(request.url) if "/api/tasks/tasks?" in request.url else None)

    def count() -> int:
        reads.clear()
        page.goto("/tasks/")
        expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
        page.wait_for_timeout(1500)
        return len(reads)

    # A job that comes meanwhile, as with each session of a recording, is read for by itself.
    assert any(count() == 1 for _ in range(5)), reads


def test_without_the_kinds_the_form_says_why_and_comes_by_itself(staff):
    page = staff("/ws/demo")
    fail(page, "**/api/tasks/kinds", times=1)
    page.goto("/tasks/")
    expect(page.locator("[data-frame]")).to_have_attribute("aria-busy", "false")
    page.keyboard.press("n")
    expect(page.locator(".toast.wrong")).to_contain_text("A part does not answer. · request the-request")
    expect(page.get_by_role("button", name="New task").first).to_be_visible()
    assert not [each for each in page.said if "503" not in each]


def test_what_became_of_a_job_is_read_again_where_that_failed(tasks):
    job = submit(tasks, "market.records", not_before=LATER)
    row(tasks, job).click()
    expect(tasks.locator(".timeline")).to_contain_text("Begins at the earliest")
    fail(tasks, f"**/api/tasks/task/{job}", times=1)
    tasks.evaluate(CANCEL, job)
    expect(tasks.locator(".pane .job-state")).to_have_text("Cancelled")
    expect(tasks.locator(".timeline")).to_contain_text("Cancelled")


def test_a_result_that_does_not_come_takes_nothing_else_of_the_job_with_it(tasks, site):
    job = site.manage("shell", "-v", "0", "-c", ENDED).strip()
    fail(tasks, "**/result", times=1)
    tasks.goto(f"/tasks/{job}/")
    expect(tasks.locator(".pane")).to_contain_text("This did not come. A part does not answer. · request the-request")
    expect(tasks.locator(".timeline")).to_contain_text("Completed")
    expect(tasks.locator(".result")).to_contain_text("rows7")


# Connections, keys.


def test_a_server_that_answers_late_is_shown_all_the_same(staff):
    page = staff("/ws/demo")
    held = []
    page.route("**/ws/clients?*", lambda route: held.append(route))
    page.goto("/connections/")
    until(page, lambda: held)
    page.wait_for_timeout(2500)  # longer than from one look to the next
    held[0].continue_()
    expect(page.locator("[data-clients] tbody tr").first).to_be_visible()


def test_which_clients_are_shown_stays_and_no_others_are_shown_for_them(staff):
    page = staff("/connections/")
    expect(page.locator("[data-clients] tbody tr").first).to_be_visible()
    fail(page, "**/ws/clients?*slow=true*")
    page.get_by_role("button", name=re.compile("^Slow")).click()
    expect(page.locator("[data-clients] tbody tr:visible")).to_have_count(0)
    expect(page.locator("[data-state-box]")).to_contain_text("The clients did not come.")
    page.wait_for_url("**/connections/?show=slow")
    page.unroute("**/ws/clients?*slow=true*")
    page.reload()
    expect(page.get_by_role("button", name=re.compile("^Slow"))).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-state-box]")).to_contain_text("No client is slow")


def test_a_new_key_is_not_taken_away_by_a_list_from_before_it(staff):
    page = staff("/ws/demo")
    held = Held(page, "**/api/v2/keys/", times=1)
    page.goto("/account/keys/")
    until(page, lambda: held)
    page.locator("[data-new]").click()
    page.keyboard.type("느린 목록 옆에서")
    page.locator("[data-making] [data-submit]").click()
    page.locator("[data-made] footer button").click()
    new = page.locator("tbody tr").filter(has_text="느린 목록 옆에서")
    expect(new).to_be_visible()
    held.let_go()
    page.wait_for_timeout(300)
    expect(new).to_be_visible()


def test_keys_are_sorted_as_they_were_before_the_reload(staff):
    page = staff("/account/keys/?sort=-name")
    expect(page.locator("[data-column=name]").first).to_have_attribute("aria-sort", "descending")
    page.evaluate("document.querySelector('[data-column=ends] button').click()")
    page.wait_for_url("**/account/keys/?sort=ends")


# What is kept.


@pytest.fixture
def forgotten(site: Site) -> Iterator[None]:
    yield
    site.manage("shell", "-c", FORGET)


def test_the_account_ends_with_what_was_chosen_last(staff, forgotten):
    page, path = staff("/ws/demo"), "**/api/v2/preferences/"
    held = []
    page.route(path, lambda route: held.append(route), times=1)
    page.evaluate(CHOOSE, ["theme", "dark"])
    until(page, lambda: held)
    page.evaluate(CHOOSE, ["theme", "light"])
    page.wait_for_timeout(1000)
    held[0].abort()
    page.wait_for_timeout(6500)  # until what failed is tried again
    assert kept(page)["theme"] == "light"


def test_who_has_begun_to_read_is_not_moved_to_where_they_were_before(visit):
    page = visit("/symbols/IBM/?view=table")
    expect(page.locator(".table-view tbody tr").first).to_be_visible()
    page.locator("[data-table]").evaluate("box => box.scrollTo(0, 900)")
    page.goto("/ws/demo")
    held = Held(page, "**/actions/*")
    page.go_back()
    until(page, lambda: held)
    page.mouse.wheel(0, 10)
    page.wait_for_timeout(200)
    held.let_go()
    expect(page.locator(".table-view tbody tr").first).to_be_visible()
    page.wait_for_timeout(300)
    assert page.locator("[data-table]").evaluate("box => box.scrollTop") < 900


# The chart.


def test_a_comparison_that_was_taken_back_while_it_was_on_its_way_stays_away(visit):
    page = visit("/symbols/IBM/")
    expect(page.locator("[data-plot]")).to_have_attribute("data-panel", "shown")
    held = Held(page, "**/symbols/AAPL/bars/**")
    page.locator("[data-menu=compare] summary").click()
    box = page.locator("[data-compare] label", has_text="AAPL").locator("input")
    box.check()
    until(page, lambda: held)
    box.evaluate("box => box.click()")
    held.let_go()
    page.wait_for_timeout(500)
    expect(box).not_to_be_checked()
    expect(page.locator("[name=chart-scale]").first).to_be_enabled()


def test_bars_without_their_indicators_say_what_is_lacking_and_it_comes(visit):
    page = visit("/ws/demo")
    fail(page, "**/technical-analysis/indicators/**", times=1)
    page.goto("/symbols/IBM/")
    expect(page.locator("[data-plot] [data-state-box]")).to_contain_text("A part of this did not come.")
    expect(page.locator("[data-legend]")).to_be_visible()
    expect(page.locator("[data-legend]")).not_to_contain_text("RSI")
    expect(page.locator("[data-legend]")).to_contain_text("RSI")
    expect(page.locator("[data-plot] [data-state-box]")).to_be_hidden()


def test_bars_are_shown_while_their_indicators_are_waited_for(visit):
    page = visit("/ws/demo")
    held = Held(page, "**/technical-analysis/indicators/**")
    page.goto("/symbols/IBM/")
    until(page, lambda: held)
    legend = page.locator("[data-legend]")
    expect(legend).to_be_visible(timeout=15_000)
    expect(legend).not_to_contain_text("RSI")
    held.let_go()
    expect(legend).to_contain_text("RSI")


PANE = """async (row) => {
  const { Pane } = await import('/static/pages/watchlist/pane.js');
  window.pane = new Pane(document.querySelector('[data-pane]'));
  pane.show(row);
}"""
ROW = {"symbol": "IBM", "name": "IBM", "price_decimals": 2, "time_zone": "UTC", "quote": None, "asset_type": "equity"}


def test_a_bar_that_closed_while_the_history_was_on_its_way_is_in_it(visit):
    page = visit()
    held = Held(page, "**/symbols/IBM/bars/**")
    page.evaluate(PANE, ROW)
    until(page, lambda: held)
    bar = {"symbol": "IBM", "interval": "1d", "session_date": "2099-01-02", "opened_at": "2099-01-02T00:00:00Z"}
    page.evaluate("bar => pane.takeBar(bar)", bar | dict.fromkeys(("open", "high", "low", "close", "volume"), 9))
    held.let_go()
    page.wait_for_function("() => pane.kept.has('IBM')")
    assert page.evaluate("pane.kept.get('IBM').bars.at(-1).session_date") == "2099-01-02"


def test_a_history_that_was_left_before_all_of_it_came_is_read_again(visit):
    page = visit()
    held = Held(page, "**/technical-analysis/indicators/IBM*")
    page.evaluate(PANE, ROW)
    until(page, lambda: held)
    page.wait_for_function("() => pane.kept.has('IBM')")
    page.evaluate("row => pane.show(row)", ROW | {"symbol": "MSFT"})
    assert not page.evaluate("pane.kept.has('IBM')")


# The frame.


def test_a_field_that_the_browser_fills_in_is_no_fault(visit):
    page = visit("/")
    said = faults.of_console(page)
    expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
    page.evaluate("document.querySelector('main').dispatchEvent(new Event('keydown', { bubbles: true }))")
    assert said == []


def test_a_search_that_failed_has_not_found_nothing(visit):
    page = visit("/")
    expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
    fail(page, "**search=zzzz")
    page.keyboard.press("/")
    expect(page.get_by_role("option")).not_to_have_count(0)
    page.keyboard.type("zzzz")
    expect(page.locator("[data-said]")).to_contain_text("The list of symbols did not come.")
    page.unroute("**search=zzzz")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-said]")).to_contain_text("Nothing found")


def test_a_server_that_is_not_reached_is_told_in_the_readers_language(visit):
    page = visit("/", locale="ko-KR")
    expect(page.locator("[data-pane-chart]")).to_have_attribute("data-panel", "shown")
    page.route("**/symbols/IBM/bars/**", lambda route: route.abort())
    page.locator("tr[data-row=IBM] .percent").click()
    expect(page.locator("[data-pane-chart] [data-state-box] small")).to_have_text(
        "서버에 연결할 수 없습니다. 네트워크를 확인해 주세요."
    )
    fail(page, "**/symbols/MSFT/bars/**")
    page.locator("tr[data-row=MSFT] .percent").click()
    expect(page.locator("[data-pane-chart] [data-state-box] small")).to_contain_text(
        "필요한 구성 요소가 응답하지 않습니다."
    )


def test_an_answer_that_never_comes_is_waited_for_no_longer(visit):
    page = visit("/ws/demo")

    def hasty(route: Route) -> None:
        text = route.fetch().text().replace("20_000", "300")
        route.fulfill(body=text, content_type="text/javascript")

    page.route("**/components/page.js", hasty)
    page.route("**/api/v2/nothing/", lambda route: None)
    page.reload()
    told = page.evaluate("import('/static/components/page.js').then((it) => it.get('/api/v2/nothing/')).catch(String)")
    assert told == "Error: No answer within 0.3 s."


def test_an_answer_that_was_overtaken_is_dropped(visit):
    told = visit("/ws/demo").evaluate("""async () => {
      const { inOrder } = await import('/static/components/page.js');
      const gives = [];
      const ask = inOrder(() => new Promise((give) => gives.push(give)));
      const answers = [ask(), ask(), ask()];
      gives[1]('second');
      await answers[1];
      gives[0]('first');
      gives[2]('third');
      return Promise.all(answers);
    }""")
    assert told == [None, "second", "third"]


def late(page: Page, path: str, script: str) -> list[Route]:
    """The page, seen before this script of it has come."""
    held: list[Route] = []
    page.route(f"**/{script}", lambda route: held.append(route))
    page.goto(path, wait_until="commit")
    until(page, lambda: held)
    return held


def test_a_button_that_is_pressed_before_the_scripts_came_does_what_it_should(visit):
    page = visit("/ws/demo")
    held = late(page, "/symbols/IBM/", "pages/symbol/symbol.js")
    page.get_by_role("button", name="5Y").click()
    held[0].continue_()
    expect(page.get_by_role("button", name="5Y")).to_have_attribute("aria-pressed", "true")
    page.wait_for_url("**/symbols/IBM/?range=5Y")


def test_what_is_typed_before_the_scripts_came_is_searched_for(visit):
    page = visit("/ws/demo")
    held = late(page, "/", "pages/watchlist/watchlist.js")
    expect(page.locator("h1")).to_be_visible()
    page.keyboard.type("/msft")
    page.keyboard.press("Enter")
    held[0].continue_()
    page.wait_for_url("**/symbols/MSFT/")


# The watchlist.


def test_a_window_that_becomes_wide_shows_what_is_chosen_beside_the_table(visit):
    page = visit("/?symbol=IBM", viewport={"width": 1100, "height": 800})
    expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
    page.set_viewport_size({"width": 1440, "height": 800})
    expect(page.locator("[data-pane-symbol]")).to_have_text("IBM")
    expect(page.locator("[data-pane-chart]")).to_have_attribute("data-panel", "shown")


def test_records_of_a_symbol_are_not_shown_under_another_that_has_none(visit):
    told = visit("/").evaluate("""async () => {
      const { showRecords } = await import('/static/components/figures.js');
      const box = document.createElement('div');
      const year = { high: 9, high_date: '2012-01-02', low: 1, low_date: '2012-02-03' };
      showRecords(box, { records: { '52_weeks': year }, price_decimals: 2, quote: null });
      const before = box.children.length;
      showRecords(box, { records: null, price_decimals: 2, quote: null });
      return [before, box.children.length];
    }""")
    assert told == [1, 0]


def test_alerts_that_were_missed_are_read_again(visit):
    rang = '<li data-id="7" data-session="2012-03-01" data-severity="info"><span>It rang unheard</span></li>'
    gap = {"type": "gap", "stream": "alerts:AAPL", "epoch": "1", "from": 1, "to": 2, "reason": "history_expired"}
    page, sockets = visit("/"), []
    page.route_web_socket("**/ws/realtime", lambda socket: sockets.append((socket, socket.connect_to_server())))
    page.reload()
    expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")

    def later(route: Route) -> None:
        text = re.sub(r'(<ol class="alert-list"[^>]*>)', rf"\1{rang}", route.fetch().text())
        route.fulfill(body=text, content_type="text/html")

    page.route(lambda url: url.endswith("/"), later)
    sockets[-1][0].send(json.dumps(gap))
    expect(page.locator("[data-alerts]")).to_contain_text("It rang unheard")
