"""Which exchanges are open, in the bar of a live source; a recording shows the session that is played."""

import json
import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

# What the server of a live source would put into the page.
LIVE = """document.addEventListener('readystatechange', () => {
  const data = document.getElementById('page-data');
  if (document.readyState !== 'interactive' || !data) return;
  const page = JSON.parse(data.textContent);
  const source = { ...page.source, is_recorded: false };
  data.textContent = JSON.stringify({ ...page, source, markets: %s });
})"""


def market(exchange: str, state: str, **ahead: timedelta) -> dict:
    now = datetime.now(UTC)
    hours = {name: (now + after).isoformat() for name, after in ahead.items()}
    return {"exchange": exchange, "state": state, "session": "2026-03-02", **hours}


def chip(page, exchange: str):
    return page.locator(f"[data-markets] summary [data-market={exchange}]")


def without_prices(socket) -> None:
    server = socket.connect_to_server()
    server.on_message(lambda said: None if '"price_update' in said else socket.send(said))


def test_each_followed_exchange_has_a_chip_that_counts_down_and_turns_by_itself(visit):
    soon, later = timedelta(hours=2, minutes=10), timedelta(days=2, hours=17)
    told = [market("XKRX", "closed", opens_at=later), market("XNAS", "open", closes_at=soon, opens_at=later)]
    page = visit("about:blank")
    page.add_init_script(LIVE % json.dumps(told))
    page.clock.install()
    page.route("**/api/v2/watchlists/default/", lambda route: route.abort())  # which here tells of a recording
    page.goto("/")
    expect(chip(page, "XNAS")).to_have_text("Nasdaqopencloses in 2 h 10 min")
    expect(chip(page, "XKRX")).to_have_text("KRXclosedopens in 2 d 17 h")
    with page.expect_request("**/api/v2/watchlists/default/"):
        page.clock.fast_forward("02:11:00")
        expect(chip(page, "XNAS")).to_have_text(re.compile("Nasdaqclosedopens in 2 d 1[45] h"))
        page.clock.fast_forward("00:15")


def test_a_recording_shows_its_session_instead(visit):
    page = visit(locale="ko-KR")
    expect(page.locator("[data-markets]")).to_be_hidden()
    expect(page.locator(".market[data-session]")).to_have_text(re.compile(r"거래일\s+20\d\d-\d\d-\d\d\s+(개장|폐장)"))
    before = page.locator("[data-session-date]").text_content()
    page.wait_for_function("before => document.querySelector('[data-session-date]').textContent > before", arg=before)


def test_where_all_that_is_shown_is_closed_the_pill_says_so_and_when_the_first_opens(visit):
    opens = {"XNAS": timedelta(hours=3), "XNYS": timedelta(days=2)}
    page = visit("about:blank", timezone_id="UTC")
    page.add_init_script(LIVE % json.dumps([market(exchange, "closed", opens_at=at) for exchange, at in opens.items()]))
    page.route_web_socket("**/ws/realtime", without_prices)
    page.clock.install()
    page.goto("/")
    pill, age = page.locator("[data-connection]"), page.locator("[data-connection-age]")
    expect(pill).to_have_attribute("data-status", "live")
    page.clock.fast_forward("02:00")
    expect(page.locator("[data-connection-word]")).to_have_text("Closed")
    expect(pill).to_have_attribute("data-status", "closed")
    expect(age).to_have_text(f"opens {datetime.now(UTC) + opens['XNAS']:%H:%M}")
    expect(pill).to_have_attribute("title", re.compile("^The first exchange opens at .* UTC[.] The line is well"))
