"""What a person sees and does on the page of the jobs. The jobs are real; tests/browser/rehearsal/ declares them."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import site as sites
from tests.browser.faults import AXE, RUN
from tests.browser.site import PASSWORD, Site
from tests.browser.test_accessibility import LOOKS

MEMBER = f"from finstage.models import User; User.objects.create_user('member', password='{PASSWORD}')"
SUBMIT = """async ([task, args, more]) => {
  const token = document.querySelector('[name=csrfmiddlewaretoken]').value;
  const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': token };
  const body = JSON.stringify({ task, args, ...more });
  return (await (await fetch('/api/tasks/submit', { method: 'POST', headers, body })).json()).task_id;
}"""

# What the times of an hour's jobs may read: this machine's own are of some seconds.
LONG_TIMES = """(texts) => document.querySelectorAll('.queue .times').forEach((times) =>
  times.querySelectorAll('b').forEach((cell, place) => { cell.textContent = texts[place]; }))"""
LONG_NOTES = """(texts) => Object.entries(texts).forEach(([name, text]) => {
  document.querySelector(`[data-note="${name}"]`).textContent = text; })"""
NOTES = {
    "en": {"ended": "76.9% well · 12 in part", "throughput": "5 min 112.6 · 1 h 110.2"},
    "ko": {"ended": "76.9% 성공 · 12개 일부", "throughput": "5분 112.6 · 1시간 110.2"},
}
SAVE = """async (body) => {
  const token = document.querySelector('[name=csrfmiddlewaretoken]').value;
  const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': token };
  await fetch('/api/tasks/templates', { method: 'POST', headers, body: JSON.stringify(body) });
}"""

OTHERS = """
from datetime import timedelta
from django.utils import timezone
from monitoring import jobs
print(jobs.submit("market.records", not_before=timezone.now() + timedelta(days=1)).pk)"""
# Three runs of a schedule: one failed, one came in part, the newest came whole.
RUNS = """
from datetime import timedelta
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from monitoring.models import Job, ScheduleSlot, ids_from
schedule, now = PeriodicTask.objects.get(name="monitoring.retention"), timezone.now()
PART = {"outcome": "partial", "parts_asked": 2, "parts_done": 1, "parts_failed": {"NOPE": "unknown_symbol: no NOPE"}}
FAILED = {"error_code": "upstream_down", "error": "ProviderError: Yahoo has trouble (503)"}
for back, state, facts in ((3, "failed", FAILED), (2, "completed", PART), (1, "completed", {"outcome": "whole"})):
    at = now - timedelta(minutes=back)
    job = Job.objects.create(
        id=ids_from(at), name="monitoring.retention", state=state, max_attempts=1, attempt=1, timeout_seconds=9,
        created_at=at, not_before=at, started_at=at, finished_at=at, **facts)
    ScheduleSlot.objects.create(schedule=schedule, slot=at, outcome="submitted", job=job, claimed_at=at)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    """A site whose sessions last long: where one ends, jobs are asked for that nobody here expects."""
    with sites.running(tmp_path_factory.mktemp("site"), session_seconds=3600) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def worker(site: Site) -> Iterator[None]:
    site.start("worker")
    yield
    site.kill("worker")


@pytest.fixture
def tasks(visit) -> Callable[..., Page]:
    """tasks("?status=failed"): the page as staff sees it."""

    def go(query: str = "", name: str = "admin", **options) -> Page:
        page = visit(f"/tasks/{query}", who=name, **options)
        expect(page.locator("[data-frame]")).to_have_attribute("aria-busy", "false")
        expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
        return page

    return go


def log_in(page: Page, name: str = "admin", password: str = PASSWORD) -> None:
    page.get_by_label("Name").or_(page.get_by_label("이름")).fill(name)
    page.locator("[name=password]").fill(password)
    page.locator("main button").click()


def submit(page: Page, task: str, args: dict | None = None, **more: object) -> str:
    return page.evaluate(SUBMIT, [task, args or {}, more])


def row(page: Page, task_id: str):
    return page.locator(f"tr[data-id='{task_id}']")


def test_whoever_is_not_logged_in_is_asked_to_and_comes_back(visit):
    page = visit("/tasks/?status=failed")
    page.get_by_role("main").get_by_role("link", name="Log in").click()
    log_in(page)
    page.wait_for_url("**/tasks/?status=failed")
    page.locator(".account summary").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    expect(page.locator(".rail").get_by_text("Tasks")).to_have_count(0)


@pytest.mark.parametrize(
    ("locale", "told", "again"),
    [("en-US", "You are logged out", "Log in again"), ("ko-KR", "로그아웃되었습니다", "다시 로그인")],
)
def test_a_page_left_open_says_that_its_login_has_ended_and_leads_back(tasks, locale, told, again):
    page = tasks("?status=failed", locale=locale)
    other = page.context.new_page()
    other.goto("/tasks/")
    other.locator(".account summary").click()
    other.locator(".account form button").click()
    expect(page.get_by_role("heading", name=told)).to_be_visible()
    expect(page.locator("[data-jobs]")).to_have_count(0)
    page.get_by_role("main").get_by_role("link", name=again).click()
    log_in(page)
    page.wait_for_url("**/tasks/?status=failed")
    expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")


def test_other_pages_say_that_the_login_has_ended_and_their_prices_move_on(visit):
    page = visit("/login/?next=/")
    log_in(page)
    expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")
    other = page.context.new_page()
    other.goto("/tasks/")
    other.locator(".account summary").click()
    other.get_by_role("button", name="Log out").click()
    expect(page.locator("[data-ended]")).to_contain_text("You are logged out")
    expect(page.locator("[data-ended]").get_by_role("link")).to_have_attribute("href", "/login/?next=%2F")
    expect(page.locator("[data-connection]")).to_have_attribute("data-status", "live")


def test_a_wrong_password_is_told_and_the_name_is_kept(visit):
    page = visit("/login/")
    log_in(page, password="wrong")
    expect(page.get_by_role("alert")).to_contain_text("do not go together")
    expect(page.get_by_label("Name")).to_have_value("admin")


def test_a_job_is_asked_for_and_seen_to_complete(tasks):
    page = tasks()
    page.keyboard.press("n")
    page.get_by_label("Job", exact=True).last.select_option("rehearsal.backfill")
    page.get_by_label("symbols").fill("aapl, ibm")
    page.get_by_label("sessions").fill("30")
    page.get_by_role("button", name="Submit").click()
    chosen = page.locator("tr[aria-selected=true]")
    expect(chosen).to_contain_text("AAPL, IBM")
    expect(chosen.locator(".job-state")).to_have_text("Running")
    expect(chosen).to_contain_text(re.compile(r"\d+ of 60 · (AAPL|IBM)"))
    expect(chosen.locator(".job-state")).to_have_text("Completed")
    pane = page.locator("[data-pane]")
    expect(pane).to_contain_text(re.compile(r"market\.Bar 60 rows.*AAPL 2012-09-04"))
    expect(pane.locator("pre")).to_contain_text('"bars": 60')


def test_the_form_says_what_is_wrong_as_one_leaves_a_field(tasks):
    page = tasks()
    page.get_by_role("button", name="New task").click()
    page.get_by_label("Job", exact=True).last.select_option("rehearsal.backfill")
    page.get_by_label("sessions").fill("many")
    page.get_by_label("pause").focus()
    expect(page.locator("[data-field=sessions]")).to_contain_text("A whole number, such as 30.")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("[data-field=symbols]")).to_contain_text("This one is needed.")
    expect(page.get_by_label("symbols")).to_be_focused()
    expect(page.get_by_label("sessions")).to_have_value("many")


def test_what_the_interface_refuses_is_told_at_its_field(tasks):
    page = tasks()
    page.keyboard.press("n")
    page.get_by_label("Job", exact=True).last.select_option("rehearsal.backfill")
    page.get_by_label("symbols").fill("AAPL")
    page.get_by_label("sessions").fill("1" + "0" * 20)
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("[data-field=sessions]")).to_contain_text("must fit into 64 bits")


def test_a_number_out_of_its_bounds_is_told_before_it_is_sent(tasks):
    page = tasks()
    page.keyboard.press("n")
    page.get_by_label("Job", exact=True).last.select_option("monitoring.retention")
    page.get_by_label("days").fill("4000")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("[data-field=days]")).to_contain_text("A number from 1 to 3,650.")


def test_what_the_form_asks_for_is_saved_as_a_template_and_fills_it_again(tasks):
    page = tasks()
    page.keyboard.press("n")
    page.get_by_label("Job", exact=True).last.select_option("rehearsal.backfill")
    page.get_by_label("symbols").fill("aapl, ibm")
    page.get_by_label("Priority").select_option("low")
    page.get_by_role("button", name="Save as template").click()
    page.get_by_role("button", name="Save as template").click()
    expect(page.locator("[data-field=template-name]")).to_contain_text("Give it a name.")
    page.get_by_label("Name of the template").fill("Two shares")
    page.get_by_role("button", name="Save as template").click()
    expect(page.locator("[data-field=template]")).to_contain_text("Saved as Two shares.")
    page.get_by_role("button", name="Save as template").click()
    page.get_by_label("Name of the template").fill("Two shares")
    page.keyboard.press("Enter")
    expect(page.locator("[data-field=template-name]")).to_contain_text("There is a template 'Two shares' already.")
    page.reload()
    page.keyboard.press("n")
    page.get_by_label("Template", exact=True).select_option("Two shares")
    expect(page.get_by_label("symbols")).to_have_value("AAPL, IBM")
    expect(page.get_by_label("Priority")).to_have_value("low")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("tr[aria-selected=true]")).to_contain_text("AAPL, IBM")


def test_what_a_template_says_beyond_the_form_is_told_and_kept(tasks):
    page = tasks()
    saved = {"task": "rehearsal.break", "max_attempts": 7, "then": [{"task": "market.records"}]}
    page.evaluate(SAVE, {"name": "A chain", "submission": saved})
    page.keyboard.press("n")
    page.get_by_label("Template", exact=True).select_option("A chain")
    expect(page.locator("[data-field=template]")).to_contain_text('max_attempts 7, then [{"task":"market.records"')
    page.get_by_label("Time limit").fill("55")
    page.reload()
    page.keyboard.press("n")
    expect(page.get_by_label("Time limit")).to_have_value("55")
    expect(page.locator("[data-field=template]")).to_contain_text('max_attempts 7, then [{"task":"market.records"')
    with page.expect_request("**/api/tasks/submit") as asked:
        page.get_by_role("button", name="Submit").click()
    body = asked.value.post_data_json
    assert (body["max_attempts"], body["then"]) == (7, [{"task": "market.records", "args": {}}])
    expect(page.locator("tr[aria-selected=true]")).to_contain_text("rehearsal.break")


def test_a_job_that_waits_is_cancelled_by_a_key_and_that_is_taken_back(tasks):
    page = tasks()
    waiting = submit(page, "market.records", not_before="2099-01-01T00:00:00Z")
    row(page, waiting).click()
    expect(page.locator("[data-pane]")).to_contain_text("Begins at the earliest")
    page.keyboard.press("c")
    expect(page.locator(".toast")).to_contain_text("Cancelled before it began; it will not run.")
    expect(row(page, waiting).locator(".job-state")).to_have_text("Cancelled")
    page.locator(".toast .undo").click()
    expect(row(page, waiting).locator(".job-state")).to_have_text("Pending")


def test_a_job_that_runs_is_cancelled_by_its_button(tasks):
    page = tasks()
    running = submit(page, "rehearsal.backfill", {"symbols": ["MSFT"], "sessions": 1000})
    row(page, running).click()
    expect(row(page, running).locator(".job-state")).to_have_text("Running")
    at_work = page.locator("[data-workers] [data-state=running]")
    expect(at_work.locator(f"a[data-open='{running}']")).to_have_text(re.compile(r"\w+ MSFT \d+%"))
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("Asked to stop.")
    expect(row(page, running).locator(".job-state")).to_have_text("Cancelled")


def test_a_job_that_failed_is_run_again_and_keeps_its_attempts(tasks):
    page = tasks()
    failed = submit(page, "rehearsal.break")
    expect(row(page, failed)).to_contain_text("ValueError")
    row(page, failed).click()
    page.get_by_role("button", name="Retry", exact=True).click()
    expect(page.locator(".timeline")).to_contain_text(re.compile("Attempt 1.*Failed.*Attempt 2.*Failed"))


def test_a_job_can_be_run_again_before_more_than_its_head_was_read(tasks):
    page = tasks()
    failed = submit(page, "rehearsal.break")
    expect(row(page, failed)).to_contain_text("ValueError")
    held, path = [], f"**/api/tasks/task/{failed}"
    page.route(path, lambda route: held.append(route))
    row(page, failed).click()
    with page.expect_response(f"{path}/retry") as answer:
        page.get_by_role("button", name="Retry", exact=True).click()
    assert answer.value.ok
    page.unroute(path)  # goes on with what it held
    assert held
    expect(page.locator(".timeline")).to_contain_text(re.compile("Attempt 1.*Failed.*Attempt 2.*Failed"))
    expect(page.get_by_role("button", name="Retry", exact=True)).to_be_enabled()


@pytest.mark.parametrize(
    ("locale", "state", "title", "says"),
    [
        ("en", "In part, 2 of 3", "Did not come", "The program came upon a fault of its own."),
        ("ko", "일부 완료, 3개 중 2개", "처리되지 않은 항목", "프로그램에 오류가 있어 중단되었습니다."),
    ],
)
def test_a_job_of_which_a_part_failed_says_how_much_came_and_why_the_rest_did_not(tasks, locale, state, title, says):
    page = tasks(locale=locale)
    asked = submit(page, "rehearsal.some", {"symbols": ["AAPL", "wrng", "MSFT"]})
    expect(row(page, asked).locator(".job-state")).to_have_text(state)
    cell = row(page, asked).locator("td.state")
    assert cell.evaluate("cell => cell.scrollWidth <= cell.clientWidth"), "it is cut off"
    row(page, asked).click()
    expect(page.locator(".pane .job-state")).to_have_text(state)
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.locator(".pane .job-state")).to_have_attribute("data-badge", "partial")
    why = page.locator(".pane .arguments .why").last
    expect(why.locator(".says")).to_contain_text(says)
    expect(why.locator("code")).to_have_text("LookupError")
    expect(why.locator("small")).to_have_text("LookupError: there is no symbol wrng")


def test_a_job_about_many_symbols_is_found_by_the_last_of_them_and_stays(tasks):
    page = tasks("?symbol=LAST")
    many = [f"SYMBOL{number:03d}" for number in range(60)]
    asked = submit(page, "rehearsal.some", {"symbols": [*many, "LAST"]})
    submit(page, "rehearsal.some", {"symbols": [*many, "LASTING"]})
    expect(row(page, asked).locator(".job-state")).to_have_text("Completed")
    page.reload()
    expect(row(page, asked)).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_filter_is_in_the_address_and_stays_after_a_reload(tasks):
    page = tasks()
    failed = submit(page, "rehearsal.break")
    expect(row(page, failed).locator(".job-state")).to_have_text("Failed")
    page.get_by_role("button", name=re.compile("^Failed")).click()
    page.get_by_role("combobox", name="Job").first.select_option("rehearsal.break")
    page.wait_for_url("**/tasks/?status=failed&name=rehearsal.break")
    page.reload()
    expect(row(page, failed)).to_be_visible()
    expect(page.locator("tbody tr:not([data-state=failed])")).to_have_count(0)
    page.get_by_role("combobox", name="Symbol").fill("nvda")
    expect(page.get_by_text("No job matches")).to_be_visible()
    page.get_by_role("button", name="Clear the filter").click()
    expect(page.locator("[data-frame]")).to_have_attribute("aria-busy", "false")


def test_new_jobs_do_not_move_what_one_has_scrolled_to(tasks):
    page = tasks()
    for _ in range(12):
        last = submit(page, "market.records", not_before="2099-01-01T00:00:00Z")
    expect(row(page, last)).to_be_visible()
    page.set_viewport_size({"width": 1440, "height": 420})
    page.evaluate("scrollTo(0, 600)")
    top = row(page, last).evaluate("row => row.getBoundingClientRect().top")
    new = submit(page, "market.records", not_before="2099-01-01T00:00:00Z")
    page.get_by_role("button", name="1 new").wait_for()
    assert row(page, last).evaluate("row => row.getBoundingClientRect().top") == top
    page.get_by_role("button", name="1 new").click()
    expect(page.locator("tbody tr").first).to_have_attribute("data-id", new)


def test_keys_move_the_choice_and_the_address_names_it(tasks):
    page = tasks()
    first, second = (submit(page, "market.records", not_before="2099-01-01T00:00:00Z") for _ in range(2))
    expect(row(page, second)).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.wait_for_url(f"**/tasks/{first}/")
    page.keyboard.press("k")
    page.wait_for_url(f"**/tasks/{second}/")
    page.keyboard.press("Escape")
    expect(page.locator("[data-frame]")).to_have_attribute("aria-busy", "false")


def test_the_runs_of_a_schedule_are_one_line_with_a_dot_a_run(tasks, site):
    site.manage("shell", "-c", RUNS)
    page = tasks("?view=scheduled")
    line = page.locator("tr.folded", has_text="Clear old tasks")
    expect(line.locator(".dots a")).to_have_count(3)
    expect(line.locator(".job-state")).to_have_text("Completed")
    badges = line.locator(".dots a").evaluate_all("dots => dots.map((dot) => dot.dataset.badge)")
    assert badges == ["failed", "partial", "completed"]
    line.locator(".dots a").first.click()
    expect(page.locator(".pane .why .says").first).to_contain_text("The source does not answer well. upstream_down")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".pane .job-state")).to_have_text("In part, 1 of 2")
    expect(page.locator(".pane dd.why .says")).to_contain_text("There is no such symbol. unknown_symbol")
    page.get_by_role("button", name="monitoring.retention", exact=True).click()
    page.wait_for_url("**/tasks/?schedule=monitoring.retention")
    expect(page.locator("tbody tr")).to_have_count(3)


def test_ones_own_are_a_view_that_stays_after_a_reload(tasks, site):
    page = tasks()
    own = submit(page, "market.records", not_before="2099-01-01T00:00:00Z")
    other = site.manage("shell", "-v", "0", "-c", OTHERS).strip()
    expect(row(page, other)).to_contain_text("system")
    page.get_by_role("button", name="Mine", exact=True).click()
    page.wait_for_url("**/tasks/?view=mine")
    page.reload()
    expect(row(page, own)).to_contain_text("admin")
    expect(row(page, other)).to_have_count(0)


def test_the_last_hour_stands_above_the_list_a_bar_a_minute(tasks):
    page = tasks()
    failed = submit(page, "rehearsal.break")
    expect(row(page, failed).locator(".job-state")).to_have_text("Failed")
    expect(page.locator("[data-sum=failed]")).not_to_have_text("0")
    expect(page.locator(".strip-bars g")).to_have_count(60)
    # Of the minute in which it failed, which may be over by now.
    heights = "bars => bars.map((bar) => Number(bar.getAttribute('height')))"
    assert max(page.locator(".strip-bars .failed").evaluate_all(heights)) > 0
    expect(page.locator(".strip li").filter(has_text="failed").first).to_be_attached()


def test_a_job_is_edited_and_run_again(tasks):
    page = tasks()
    asked = submit(page, "rehearsal.backfill", {"symbols": ["IBM"], "sessions": 3, "pause": 0}, timeout=77)
    row(page, asked).click()
    expect(page.get_by_role("button", name="Edit and run again")).to_be_visible()
    page.keyboard.press("e")
    expect(page.get_by_label("symbols")).to_have_value("IBM")
    expect(page.get_by_label("Time limit")).to_have_value("77")
    page.get_by_label("sessions").fill("2")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url(lambda url: asked not in url and "/tasks/0" in url)
    expect(page.locator(".arguments")).to_contain_text("IBM")
    expect(page.locator(".result .pairs")).to_contain_text("bars2")


def test_what_was_typed_is_kept_and_symbols_are_suggested(tasks):
    page = tasks()
    page.keyboard.press("n")
    page.get_by_label("Job", exact=True).last.select_option("rehearsal.backfill")
    page.get_by_label("symbols").fill("MSFT, a")
    expect(page.locator("#a-symbols-symbols option").first).to_have_attribute("value", "MSFT, AAPL")
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("[data-frame]")).to_have_attribute("aria-busy", "false")
    page.get_by_role("button", name="New task").click()
    expect(page.get_by_label("symbols")).to_have_value("MSFT, a")


def test_several_are_marked_and_cancelled_at_once(tasks):
    page = tasks()
    first, second = (submit(page, "market.records", not_before="2099-01-01T00:00:00Z") for _ in range(2))
    row(page, second).click()
    row(page, first).click(modifiers=["Shift"])
    expect(page.locator("p[data-marked]")).to_contain_text("2 marked")
    page.keyboard.press("c")
    for each in (first, second):
        expect(row(page, each).locator(".job-state")).to_have_text("Cancelled")
    expect(page.locator(".toast")).to_contain_text("2 tasks")


@pytest.mark.parametrize("width", [1280, 1440])
def test_no_name_of_a_job_is_cut_beside_the_pane(tasks, width):
    page = tasks(viewport={"width": width, "height": 800})
    asked = page.evaluate(SUBMIT, ["rehearsal.backfill", {"symbols": ["005930.KS"], "sessions": 1}, {}])
    name = page.locator(f"tr[data-id='{asked}'] th")
    expect(name).to_contain_text("rehearsal.backfill 005930.KS")
    assert name.evaluate("cell => cell.scrollWidth <= cell.clientWidth")


@pytest.mark.parametrize("width", [1024, 1280, 1440, 1600])
@pytest.mark.parametrize("locale", ["en", "ko"])
def test_no_figure_of_the_queue_is_cut_beside_the_pane(tasks, width, locale):
    page = tasks(viewport={"width": width, "height": 800}, locale=locale)
    page.evaluate(LONG_TIMES, {"en": ["867 ms", "38.4 s", "12 min 5 s"], "ko": ["867ms", "38.4초", "12분 5초"]}[locale])
    page.evaluate(LONG_NOTES, NOTES[locale])
    cut = "all => all.filter(cell => cell.scrollWidth > cell.clientWidth).map(cell => cell.textContent)"
    assert page.locator(".queue, .queue > div, .queue dd").evaluate_all(cut) == []


def test_who_is_not_staff_sees_only_their_own(tasks, site):
    submit(tasks(), "market.records")
    site.manage("shell", "-c", MEMBER)
    page = tasks(name="member")
    expect(page.get_by_text("No jobs yet")).to_be_visible()
    expect(page.locator("[data-queue], [data-workers]")).to_have_count(0)
    page.get_by_role("button", name="New task").first.click()
    offered = page.get_by_label("Job", exact=True).last.locator("option")
    expect(offered).to_contain_text(["analysis.dataset", "analysis.market", "analysis.report"])


def test_on_a_phone_a_job_takes_the_screen_and_back_returns(tasks):
    page = tasks(viewport={"width": 390, "height": 844})
    waiting = submit(page, "market.records", not_before="2099-01-01T00:00:00Z")
    row(page, waiting).click()
    expect(page.locator(".timeline")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.go_back()
    expect(row(page, waiting)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_job_that_is_not_there_is_told_with_the_request(visit):
    page = visit("/login/?next=/tasks/00000000-0000-7000-8000-000000000000/")
    log_in(page)
    expect(page.get_by_role("main")).to_contain_text(re.compile("There is no such page.* Request ", re.DOTALL))


def test_a_list_that_does_not_come_says_so_and_is_asked_for_again(tasks):
    page = tasks()
    there = submit(page, "market.records")
    expect(row(page, there)).to_have_attribute("data-state", "completed")  # a later change would be shown
    refusal = {"detail": "A part does not answer.", "request_id": "the-request"}
    page.route("**/api/tasks/tasks*", lambda route: route.fulfill(status=503, json=refusal))
    page.reload()
    expect(page.get_by_text("A part does not answer. · request the-request")).to_be_visible()
    page.unroute("**/api/tasks/tasks*")
    page.get_by_role("button", name="Try again").click()
    expect(row(page, there)).to_be_visible()


def test_the_page_logs_no_error_and_asks_nobody_outside(visit, site):
    page = visit("/login/?next=/tasks/")
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    log_in(page)
    expect(page.locator("[data-frame]")).to_have_attribute("aria-busy", "false")
    row(page, submit(page, "rehearsal.backfill", {"symbols": ["FB"], "sessions": 5})).click()
    expect(page.locator(".result table").first).to_be_visible()
    assert not said
    assert not [url for url in asked if not url.startswith((site.url, "data:"))]


@pytest.mark.parametrize(("theme", "locale", "width"), LOOKS)
def test_axe_finds_nothing(tasks, theme, locale, width):
    page = tasks(color_scheme=theme, locale=locale, viewport={"width": width, "height": 900})
    done = submit(page, "rehearsal.backfill", {"symbols": ["FB"], "sessions": 2})
    page.evaluate(AXE)
    assert page.evaluate(RUN) == []
    row(page, done).click()
    expect(page.locator(".result table").first).to_be_visible()
    assert page.evaluate(RUN) == []
    page.keyboard.press("n")
    expect(page.locator("dialog[open]")).to_be_visible()
    assert page.evaluate(RUN) == []


@pytest.mark.parametrize("path", ["/tasks/", "/login/"])
def test_axe_finds_nothing_before_the_login(visit, path):
    page = visit(path, viewport={"width": 390, "height": 844})
    page.evaluate(AXE)
    assert page.evaluate(RUN) == []
