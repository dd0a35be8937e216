"""What the pages say when the feed is killed or waits for the database, and when Yahoo does not answer."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WITHIN
from tests.tree import Up

NOWHERE = {
    "FINSTAGE_SOURCE": "yahoo",
    "FINSTAGE_YAHOO_SOCKET": "/nowhere/yahoo.sock",
    "FINSTAGE_YAHOO_STREAM": "ws://127.0.0.1:1/",
}
# What the server puts into a page before the first progress is told.
UNTOLD = """document.addEventListener('readystatechange', () => {
  const data = document.getElementById('page-data');
  if (document.readyState !== 'interactive' || !data) return;
  data.textContent = JSON.stringify({ ...JSON.parse(data.textContent), backfill: null });
})"""
PRICES = "() => [...document.querySelectorAll('td.price')].map(cell => cell.textContent).join()"


@pytest.fixture(scope="module")
def up(tmp_path_factory) -> Iterator[Up]:
    """Everything, with a source that nobody reaches."""
    with ending(Up(tmp_path_factory.mktemp("up") / "var", **NOWHERE)) as running:
        running.wait(lambda: running.ready()["dependencies"]["feed"]["ok"])
        running.wait(running.backfill)
        yield running


@contextmanager
def ending(up: Up) -> Iterator[Up]:
    try:
        yield up
    finally:
        up.end()


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """visitor(up, "/symbols/AAPL/"): a page of a fresh profile."""
    contexts = []

    def go(up: Up, path: str = "/") -> Page:
        contexts.append(chromium.new_context(locale="en-US", base_url=f"http://127.0.0.1:{up.port}"))
        page = contexts[-1].new_page()
        page.set_default_timeout(WITHIN)
        page.goto(path)
        return page

    yield go
    for context in contexts:
        context.close()


def test_a_feed_that_is_killed_is_told_each_time_and_the_page_comes_back_by_itself(visit, site):
    page = visit()
    pill = page.locator("[data-connection-word]")
    expect(pill).to_have_text("Connected")
    for _ in range(2):
        site.kill("feed")
        expect(pill).to_have_text("Feed is away")
        expect(page.locator("tr[data-row=AAPL] .status")).to_have_attribute("data-status", "stale")
        site.start("feed")
        expect(pill).to_have_text("Connected")


def test_a_recording_that_waits_for_the_database_is_told_until_it_goes_on(visit, site):
    page = visit()
    expect(page.locator("[data-connection-word]")).to_have_text("Connected")
    expect(page.locator("[data-away]")).to_be_hidden()
    expect(page.locator("[data-source]")).to_have_attribute("data-status", "replay")  # it moves, and is not live
    with closing(sqlite3.connect(site.folder / "browser.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        expect(page.locator("[data-away]")).to_be_visible()
        expect(page.locator("[data-away]")).to_contain_text(
            "No new prices. The recording waits for the database. It goes on by itself."
        )
        expect(page.locator("[data-source]")).to_have_attribute("data-status", "stale")
    expect(page.locator("[data-away]")).to_be_hidden()
    before = page.evaluate(PRICES)
    page.wait_for_function(f"before => ({PRICES})() !== before", arg=before)


def test_rows_that_are_late_are_told_until_they_are_there(visit):
    page, sockets = visit("about:blank"), []

    def told(detail: str | None) -> None:
        parts = {"redis": True, "feed": True, "source": True, "detail": detail}
        sockets[-1].send(json.dumps({"type": "service_status", **parts, "timestamp": "2012-09-04T00:00:00Z"}))

    page.route_web_socket("**/ws/realtime", lambda socket: (sockets.append(socket), socket.connect_to_server()))
    page.goto("/")
    expect(page.locator("[data-connection-word]")).to_have_text("Connected")
    expect(page.locator("[data-rows-late]")).to_be_hidden()
    told("Bars, indicators and alerts wait for the database")
    expect(page.locator("[data-rows-late]")).to_have_text(
        "Bars, indicators and alerts are late. They wait for the database and follow in order."
    )
    expect(page.locator("[data-rows-late]")).to_be_visible()
    told(None)
    expect(page.locator("[data-rows-late]")).to_be_hidden()


def test_a_yahoo_that_does_not_answer_is_told_with_the_reason_and_what_to_do(visitor, up):
    page = visitor(up)
    expect(page.locator("[data-connection-word]")).to_have_text("Yahoo is away")
    expect(page.locator("[data-connection]")).to_have_attribute("data-status", "stale")
    expect(page.locator("[data-source]")).to_have_attribute("data-status", "stale")
    expect(page.locator("[data-away]")).to_contain_text("Yahoo does not answer: Failed to connect")
    expect(page.locator("[data-away]")).to_contain_text("manage.py switch_source replay")
    expect(page.locator("[data-history]")).to_have_text("History: 0 of 12")
    assert up.ready()["status"] == "degraded"
    assert up.ready()["dependencies"]["source"]["detail"].startswith("Yahoo does not answer")


def test_a_page_that_was_opened_before_the_first_progress_says_it_though_no_price_comes(visitor, up):
    page = visitor(up, "/health/live")
    page.add_init_script(UNTOLD)
    page.goto("/")
    expect(page.locator("[data-connection-word]")).to_have_text("Yahoo is away")
    expect(page.locator("[data-history]")).to_have_text("History: 0 of 12")


def test_a_symbol_without_history_says_why(visitor, up):
    page = visitor(up, "/symbols/%5EGSPC/")
    why = "its history did not come and is asked for again"
    expect(page.locator("[data-state-box]")).to_contain_text(why)
    expect(page.locator(".title p")).to_have_text("^GSPC · NYSE · USD")
