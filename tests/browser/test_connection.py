"""What the pages say and do when the line or a part of the server goes away."""

from playwright.sync_api import expect

PRICES = "() => [...document.querySelectorAll('[data-cell=price]')].map(cell => cell.textContent).join()"


def pill(page):
    return page.locator("[data-connection]")


def test_a_killed_web_is_told_and_the_page_comes_back_by_itself(visit, site):
    page = visit()
    expect(pill(page)).to_have_attribute("data-status", "live")
    site.kill("web")
    expect(pill(page)).to_have_attribute("data-status", "reconnecting")
    expect(page.locator("tr[data-symbol=AAPL] .status")).to_have_attribute("data-status", "stale")
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
