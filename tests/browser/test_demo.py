"""The page to try the live stream, in a real Chromium at a real socket."""

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.faults import AXE, RUN
from tests.browser.test_accessibility import LOOKS


@pytest.fixture
def demo(visit) -> Iterator[Callable[..., Page]]:
    """A page whose socket stands; what its console calls an error fails the test."""
    faults = []

    def go(path: str = "/ws/demo", **options) -> Page:
        page = visit(path, **options)
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("console", lambda said: said.type == "error" and faults.append(said.text))
        expect(page.locator("[data-line]")).to_have_attribute("data-status", "live")
        expect(page.locator("[data-fields]")).to_have_attribute("aria-busy", "false")
        return page

    yield go
    assert faults == []


def frame(page: Page, kind: str):
    return page.locator("[data-list] li", has=page.locator(f"b:text-is('{kind}')")).first


@pytest.mark.parametrize("path", ["/ws/demo", "/ws/demo/"])
def test_the_original_s_messages_are_sent_by_a_press_and_answered_in_sight(demo, path):
    page = demo(path)
    answer = page.locator("[data-answer]")
    page.get_by_role("button", name="Subscribe to prices").click()
    expect(answer).to_contain_text("subscribed")
    expect(frame(page, "price_update")).to_be_visible()
    page.get_by_role("button", name="Subscribe to alerts").click()
    expect(answer).to_contain_text("alerts:AAPL")
    page.get_by_role("button", name="Ask for current prices").click()
    expect(answer).to_contain_text("current_prices")
    sent = page.locator(".is-sent code").all_text_contents()
    assert json.loads(sent[0]) == {"action": "get_current_prices", "symbols": ["AAPL"]}


def test_what_the_server_refuses_stands_beside_what_was_written(demo):
    page = demo()
    page.get_by_label("Text, as it is sent").fill("{nonsense")
    page.keyboard.press("Control+Enter")
    answer = page.locator("[data-answer]")
    expect(answer).to_contain_text("error · malformed")
    expect(answer).to_contain_text("The frame is not one JSON object.")
    page.get_by_label("Text, as it is sent").fill('{"action": "subscribe", "type": "prices", "symbols": ["NOPE"]}')
    page.get_by_role("button", name="Send").first.click()
    expect(answer).to_contain_text("error · unknown_symbol")


def test_a_subscription_is_built_as_the_schema_allows(demo):
    page = demo()
    built, send = page.locator("[data-built]"), page.locator("[data-send-built]")
    page.get_by_label("pace_ms").fill("50")
    expect(page.locator("[data-field=pace_ms] .help")).to_contain_text("100 to 60,000")
    expect(send).to_be_disabled()
    page.get_by_label("pace_ms").fill("500")
    page.get_by_label("batch").check()
    page.get_by_label("symbols").fill("msft aapl")
    send.click()
    terms, wish = map(json.loads, built.text_content().splitlines())
    assert terms == {"action": "configure", "batch": True, "pace_ms": 500}
    assert wish == {"action": "subscribe", "type": "prices", "symbols": ["MSFT", "AAPL"]}
    expect(frame(page, "price_updates")).to_be_visible()
    page.get_by_label("type", exact=True).select_option("indicators")
    page.get_by_label("indicators", exact=True).fill("SMA 100")
    expect(page.locator("[data-field=indicators] .help")).to_contain_text("sma_100")
    expect(page.get_by_label("pace_ms")).to_be_hidden()


def test_the_python_that_it_shows_runs_and_hears_the_stream(demo, site):
    page = demo()
    page.get_by_label("symbols").fill("AAPL")
    code = page.locator("[data-code]").text_content()
    command = [sys.executable, "-u", "-c", code]
    direct = {**site.environment, "no_proxy": "*"}
    with subprocess.Popen(command, env=direct, stdout=subprocess.PIPE, text=True) as program:
        try:
            heard = "".join(program.stdout.readline() for _ in range(4))
        finally:
            program.kill()
    assert "'type': 'connected'" in heard
    assert "prices:AAPL" in heard


def test_what_curl_is_shown_is_answered(demo, site):
    page = demo()
    page.get_by_role("button", name="curl").click()
    for type in ("prices", "bars", "indicators", "alerts"):
        page.get_by_label("type", exact=True).select_option(type)
        stream, *reads = page.locator("[data-code]").text_content().splitlines()
        with urllib.request.urlopen(re.fullmatch(r"curl -N '(.*)'", stream)[1], timeout=30) as events:
            while b'"type":"subscribed"' not in events.readline():
                pass
        assert bool(reads) == (type != "alerts")
        for line in reads[1:]:
            assert page.request.get(re.fullmatch(rf"curl '{site.url}(.*)'", line)[1]).ok, line


def test_the_frames_can_be_held_narrowed_opened_and_cleared(demo):
    page = demo()
    page.get_by_role("button", name="Subscribe to prices").click()
    expect(frame(page, "price_update")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-count]")).to_contain_text("wait")
    page.get_by_label("Type", exact=True).select_option("subscribed")
    expect(page.locator("[data-list] li")).to_have_count(1)
    page.locator("[data-list] summary").first.press("Enter")
    expect(page.locator("[data-list] pre")).to_contain_text('"type": "subscribed"')
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("[data-list] li")).to_have_count(0)


def test_the_list_of_frames_is_bounded(demo):
    page = demo()
    page.evaluate(
        """async () => {
          const { FrameList } = await import('/static/pages/demo/framelist.js');
          window.list = new FrameList(document.querySelector('[data-frames]'));
          for (let n = 0; n < 2000; n += 1) list.add({ isSent: false, text: `{"type": "bar", "n": ${n}}`, at: 0 });
        }"""
    )
    expect(page.locator("[data-list] li").first).to_contain_text("1999")
    assert page.locator("[data-list] li").count() == 300
    expect(page.locator("[data-count]")).to_contain_text("the newest 300 are kept")


@pytest.mark.parametrize(
    ("close", "said"),
    [
        ({"code": 4008, "reason": "slow client"}, ["4008: The client did not read", "A program connects again."]),
        ({"code": 4510, "reason": "closed by staff"}, ["4510: Staff closed", "does not connect again"]),
        ({"code": 3000, "reason": "because"}, ["3000: The line was ended. (because)"]),
    ],
)
def test_why_it_closed_is_said_in_words_and_it_can_be_opened_again(chromium, site, close, said):
    with chromium.new_context(locale="en-US", base_url=site.url) as context:
        page, sockets = context.new_page(), []
        page.route_web_socket(re.compile("/ws/realtime"), lambda socket: sockets.append(socket))
        page.goto("/ws/demo")
        expect(page.locator("[data-line]")).to_have_attribute("data-status", "live")
        sockets[0].close(**close)
        for text in said:
            expect(page.locator("[data-why]")).to_contain_text(text)
        page.get_by_role("button", name="Connect", exact=True).click()
        expect(page.locator("[data-line]")).to_have_attribute("data-status", "live")


@pytest.mark.parametrize("answer", [{"status": 404, "json": {"detail": "Not found."}}, {"json": {"no": "schema"}}])
def test_why_the_schema_did_not_come_is_said_in_the_readers_language(visit, answer):
    page = visit("/login/", locale="ko-KR")
    page.route("**/api/v2/realtime/schema", lambda route: route.fulfill(**answer))
    page.goto("/ws/demo")
    said = page.locator("[data-failed] p")
    expect(said).to_contain_text("서버가")
    assert not re.search("[A-Za-z]{3,}", said.text_content())
    page.unroute("**/api/v2/realtime/schema")
    page.locator("[data-failed] button").click()
    expect(said).to_be_hidden()


@pytest.mark.parametrize(("theme", "locale", "width"), [*LOOKS, ("dark", "ko-KR", 2560), ("light", "ko-KR", 768)])
def test_it_fits_and_axe_finds_nothing(demo, theme, locale, width):
    page = demo(color_scheme=theme, locale=locale, viewport={"width": width, "height": 900})
    page.locator("[data-example]").first.click()
    expect(frame(page, "price_update")).to_be_visible()
    page.locator("button[data-pause]").click()
    page.locator("[data-list] summary").first.click()
    page.locator(".marks summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(AXE)
    assert page.evaluate(RUN) == []
