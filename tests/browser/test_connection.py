"""What the pages say and do when the line or a part of the server goes away."""

import re

from playwright.sync_api import expect

PRICES = "() => [...document.querySelectorAll('td.price')].map(cell => cell.textContent).join()"


def pill(page):
    return page.locator("[data-connection]")


def test_a_killed_web_is_told_and_the_page_comes_back_by_itself(visit, site):
    page = visit()
    expect(pill(page)).to_have_attribute("data-status", "live")
    site.kill("web")
    expect(pill(page)).to_have_attribute("data-status", "reconnecting")
    expect(page.locator("tr[data-row=AAPL] .status")).to_have_attribute("data-status", "stale")
    site.start("web")
    expect(pill(page)).to_have_attribute("data-status", "live")
    before = page.evaluate(PRICES)
    page.wait_for_function(f"before => ({PRICES})() !== before", arg=before)


def test_pages_log_no_error_and_ask_nobody_outside(visit, site):
    for path in ("/", "/symbols/AAPL/"):
        page = visit("about:blank")
        said, asked = [], []
        page.on("console", lambda message, said=said: said.append(message.text))
        page.on("pageerror", lambda error, said=said: said.append(str(error)))
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(path)
        expect(pill(page)).to_have_attribute("data-status", "live")
        page.wait_for_timeout(1500)
        assert not said
        assert not [url for url in asked if not url.startswith((site.url, "data:"))]


def test_a_line_that_is_well_while_no_price_comes_says_so_and_how_old_the_newest_is(visit):
    page = visit("about:blank")

    def relay(socket):
        server = socket.connect_to_server()
        server.on_message(lambda said: None if '"price_update' in said else socket.send(said))

    page.route_web_socket("**/ws/realtime", relay)
    page.clock.install()
    page.goto("/")
    word, age = page.locator("[data-connection-word]"), page.locator("[data-connection-age]")
    expect(word).to_have_text("Connected")
    page.clock.fast_forward("04:00")
    expect(word).to_have_text("No new prices")
    expect(age).to_have_text("4 min")
    expect(pill(page)).to_have_attribute("data-status", "stale")
    expect(pill(page)).to_have_attribute(
        "title", re.compile("The line is well: heard .* The newest price came 4 min ago.")
    )
