"""A price of before or after the session stands beside the close, on the symbol's page and in the watchlist."""

import json
import re

from playwright.sync_api import Page, expect

BESIDE = """
from datetime import UTC, datetime, timedelta
from market import quotes
from market.models import Symbol
from market.prices import Extended, Quote
from market.quotes import extended
now = datetime.now(UTC).replace(microsecond=0)
made = now - timedelta(hours=2)
facts = dict(name="Night Inc.", exchange="XNAS", currency="USD", time_zone="America/New_York", is_active=False)
Symbol.objects.update_or_create(ticker="NIGHT", defaults=facts)
quotes.keep([Quote("NIGHT", 100.0, 98.0, 98.0, 101.0, 97.0, 1000, made.date(), made, "second", made, "yahoo", "post")])
extended.keep([Extended("NIGHT", "post", 100.4, now, now, made.date(), made.date(), now + timedelta(hours=9), 1.0)])
"""


def test_it_stands_in_a_line_of_its_own_moves_with_the_stream_and_moves_nothing_else(visit, site):
    site.manage("shell", "-c", BESIDE)
    page, sockets = visit("about:blank"), []
    page.route_web_socket("**/ws/realtime", lambda socket: sockets.append((socket, socket.connect_to_server())))
    page.goto("/symbols/NIGHT/")
    line = page.locator("[data-beside]")
    expect(line).to_have_text(re.compile(r"^After hours 100\.40 ▲ \+0\.40%$"))
    expect(page.locator("[data-price]")).to_have_text("100.00")
    before = _places(page)
    quote = page.evaluate("async () => (await fetch('/api/v2/symbols/NIGHT/quote/')).json()")
    assert quote["extended"]["change"] == 0.4
    told = {"type": "price_update", **{name: value for name, value in quote.items() if name not in _READ}}
    _tell(sockets, told | {"seq": 10**9, "extended": {**quote["extended"], "price": 99.0, "change": -1.0,
                                                      "change_percent": -1.0}})  # fmt: skip
    expect(line).to_have_text(re.compile(r"^After hours 99\.00 ▼ −1\.00%$"))
    expect(line).to_have_attribute("data-direction", "down")
    assert _places(page) == before
    _tell(sockets, told | {"seq": 10**9 + 1, "extended": None})
    expect(line).to_have_text(re.compile(r"^\s*$"))
    assert _places(page) == before


def test_it_is_told_in_korean_too(visit, site):
    site.manage("shell", "-c", BESIDE)
    page = visit("/symbols/NIGHT/", locale="ko-KR")
    expect(page.locator("[data-beside]")).to_have_text(re.compile(r"^시간외 거래 100\.40"))


def test_a_recording_keeps_no_room_for_what_never_comes(visit):
    page = visit("/symbols/AAPL/")
    expect(page.locator("[data-fresh]")).to_be_visible()
    expect(page.locator("[data-beside]")).to_have_count(0)


_READ = ("freshness", "closed_until")


def _tell(sockets: list, message: dict) -> None:
    sockets[-1][0].send(json.dumps(message))


def _places(page: Page) -> list:
    """Where what stands around the line is."""
    return page.evaluate(
        "() => ['[data-price]', '[data-fresh]', '.columns'].map((each) => document.querySelector(each).offsetTop)"
    )
