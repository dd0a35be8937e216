"""What staff see and do on the page of the connections, in a real Chromium beside real sockets."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile

import pytest
from playwright.sync_api import Page, Route, expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.browser.faults import AXE, RUN
from tests.browser.site import PASSWORD, Site
from tests.browser.test_accessibility import LOOKS
from tests.browser.test_tasks import MEMBER, log_in

DEMOTE = "from finstage.models import User; User.objects.filter(username='admin').update(is_staff={})"

# Where the words of each head of figures end, and the figures below it.
ENDS = """() => {
  const end = (node) => { const range = document.createRange(); range.selectNodeContents(node); return range.getBoundingClientRect().right; };
  return [...document.querySelectorAll('thead .number button')].map((button) => {
    const cell = document.querySelector('tbody tr').cells[button.closest('th').cellIndex];
    return [end(button.firstChild), end(cell)];
  });
}"""  # noqa: E501


@pytest.fixture
def connections(visit) -> Callable[..., Page]:
    def go(**options) -> Page:
        page = visit("/connections/", who="admin", **options)
        expect(page.locator("[data-frame]")).to_have_attribute("aria-busy", "false")
        return page

    return go


@pytest.fixture
def client(site: Site) -> Iterator[ClientConnection]:
    with opened(site) as socket:
        yield socket


@contextmanager
def opened(site: Site) -> Iterator[ClientConnection]:
    with connect(f"ws://127.0.0.1:{site.port}/ws/realtime", proxy=None) as socket:
        socket.client_id = json.loads(socket.recv(60))["client_id"]
        socket.send(json.dumps({"action": "subscribe", "type": "prices", "symbols": ["AAPL", "MSFT"]}))
        yield socket


def row(page: Page, socket: ClientConnection):
    return page.locator(f"tr[data-id='{socket.client_id}']")


def test_staff_see_who_is_connected_and_the_figures_move(connections, client, site):
    page = connections()
    expect(row(page, client)).to_contain_text("prices: AAPL, MSFT")
    expect(page.locator("tbody small", has_text="this page")).to_have_count(1)
    figure = page.locator("[data-figure=connected]")
    with opened(site) as other:
        expect(row(page, other)).to_be_visible()
        expect(figure).not_to_have_text("0")
    expect(row(page, other)).to_have_count(0)
    expect(figure).to_have_text(str(page.locator("tbody tr").count()))


def test_a_head_of_figures_ends_where_they_end(connections, client):
    page = connections()
    expect(row(page, client)).to_be_visible()
    ends = page.evaluate(ENDS)
    assert len(ends) == 3
    assert all(abs(head - figure) < 1 for head, figure in ends)


def test_a_client_is_closed_by_a_second_press(connections, client):
    page = connections()
    closing = row(page, client).get_by_role("button")
    closing.click()
    expect(closing).to_have_text("Really close?")
    closing.click()
    expect(page.locator("[data-connections] [data-said]")).to_contain_text("4510")
    expect(row(page, client)).to_have_count(0)
    with pytest.raises(ConnectionClosed) as ended:
        list(iter(lambda: client.recv(60), None))
    assert ended.value.rcvd.code == 4510


def test_staff_say_something_to_those_who_hold_a_symbol(connections, client):
    page = connections()
    page.get_by_role("button", name="Broadcast").first.click()
    page.get_by_label("Message", exact=True).fill("hello")
    page.get_by_label("To", exact=True).select_option("symbol")
    page.locator("[data-submit]").click()
    expect(page.locator("[data-field=target] .help")).to_have_text("Say whom.")
    page.get_by_role("combobox", name="Which").fill("nope")
    page.locator("[data-submit]").click()
    expect(page.locator("[data-field=target] .help")).to_contain_text("NOPE")
    page.get_by_role("combobox", name="Which").fill("aapl")
    page.locator("[data-submit]").click()
    expect(page.locator("[data-connections] [data-said]")).to_have_text("Clients told: 1.")
    while (heard := json.loads(client.recv(60)))["type"] != "system_status":
        pass
    assert heard["message"] == "hello"


def test_what_is_sent_again_because_no_answer_came_is_told_once(connections, client):
    page = connections()
    page.get_by_role("button", name="Broadcast").first.click()
    page.get_by_label("To", exact=True).select_option("client")
    page.get_by_role("combobox", name="Which").fill(client.client_id)

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/ws/broadcast", lose, times=1)
    page.get_by_label("Message", exact=True).fill("hello")
    page.locator("[data-submit]").click()
    expect(page.locator("[data-broadcast] [data-refusal]")).to_contain_text("It was not told")
    page.locator("[data-submit]").click()
    for text in ("hello", "the end"):  # said anew, and so told anew
        expect(page.locator("[data-broadcast]")).to_be_hidden()
        page.get_by_role("button", name="Broadcast").first.click()
        page.get_by_label("Message", exact=True).fill(text)
        page.locator("[data-submit]").click()
    assert texts(client, "the end") == ["hello", "hello"]


def texts(client: ClientConnection, last: str) -> list[str]:
    """What is said to it before the last."""
    said = (json.loads(client.recv(60)) for _ in iter(int, 1))
    told = (message["message"] for message in said if message["type"] == "system_status")
    return list(takewhile(lambda text: text != last, told))


def test_where_no_client_is_slow_it_says_so_and_leads_back(connections):
    page = connections()
    page.get_by_role("button", name=re.compile("^Slow")).click()
    expect(page.locator("[data-state-box]")).to_contain_text("No client is slow")
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("tbody tr").first).to_be_visible()


def test_only_staff_come_in_and_who_is_staff_no_longer_sees_nothing_more(visit, connections, site):
    site.manage("shell", "-c", MEMBER.replace("'member'", "'guest'"))
    page = visit("/login/?next=/connections/")
    log_in(page, "guest", PASSWORD)
    expect(page.locator("h1")).to_have_text("This is not yours to see")
    page = connections()
    try:
        site.manage("shell", "-c", DEMOTE.format(False))
        expect(page.get_by_role("alert")).to_contain_text("no longer staff's")
        expect(page.locator("tbody tr")).to_have_count(0)
    finally:
        site.manage("shell", "-c", DEMOTE.format(True))


@pytest.mark.parametrize(("theme", "locale", "width"), LOOKS)
def test_it_fits_and_axe_finds_nothing(connections, client, theme, locale, width):
    page = connections(color_scheme=theme, locale=locale, viewport={"width": width, "height": 900})
    expect(row(page, client)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(AXE)
    assert page.evaluate(RUN) == []
    page.locator("[data-say]").click()
    assert page.evaluate(RUN) == []
