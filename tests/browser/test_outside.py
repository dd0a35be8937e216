"""The JavaScript client as anybody uses it: from a page of another origin, and from a program."""

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Browser, Page

from realtime import protocol_ts
from tests.browser.conftest import WITHIN
from tests.browser.site import ROOT, Site
from tests.clients.test_python_client import Wire, wire_to

TELL = """
from datetime import UTC, datetime
from realtime import messages, streams
if {renewed}: streams.renew(["system"])
streams.publish([messages.system(str(n), datetime.now(UTC)) for n in range({count})])
"""
OPEN = """async ([from, url, token]) => {
  const { Stream } = await import(`${from}/static/stream/stream.js`);
  window.heard = { price_update: [], system_status: [], lost: [], refusal: [], state: [] };
  window.stream = new Stream({ url, token: async () => token, handover: "now" });
  for (const type of Object.keys(heard)) stream.on(type, (detail) => heard[type].push(detail));
  stream.subscribe("prices", ["AAPL"], { mode: "every" }).subscribe("system").subscribe("alerts", ["AAPL"]).open();
}"""


def test_its_types_are_those_of_the_schema():
    assert protocol_ts.PATH.read_text() == protocol_ts.text()


REPLAYED = """
const { Stream } = await import(process.argv[1] + "/static/stream/stream.js");
const heard = [];
const stream = new Stream({ url: "http://127.0.0.1:9", handover: "now" });
for (const name of ["price_update", "replayed"]) stream.on(name, ({ seq }) => heard.push([name, seq]));
stream.places.set("prices:AAPL", { epoch: "e", seq: 5 });
const price = { type: "price_update", symbol: "AAPL" };
stream.receive({ ...price, seq: 1, replay: true });
stream.receive({ type: "price_updates", updates: [{ ...price, seq: 99, replay: true }, { ...price, seq: 6 }] });
console.log(JSON.stringify(heard));
"""


def test_what_is_replayed_says_nothing_of_where_a_stream_is():
    node, _ = compute_driver_executable()
    words = [node, "--input-type=module", "--eval", REPLAYED, "--", str(ROOT)]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert json.loads(told) == [["replayed", 1], ["replayed", 99], ["price_update", 6]]


@pytest.fixture(scope="module")
def key(site: Site) -> str:
    return site.manage("key", "create", "outside").strip()


@pytest.fixture
def wire(site: Site) -> Iterator[Wire]:
    with wire_to(site) as wire:
        yield wire


@pytest.fixture
def page(chromium: Browser, site: Site) -> Iterator[Page]:
    """A page of another origin, with nothing on it."""

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Elsewhere</title>")

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", site.elsewhere), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        context = chromium.new_context()
        page = context.new_page()
        page.set_default_timeout(WITHIN)
        page.goto(f"http://localhost:{site.elsewhere}/")
        yield page
        context.close()
        server.shutdown()


def tell(site: Site, count: int, *, renewed: bool = False) -> None:
    site.manage("shell", "-c", TELL.format(count=count, renewed=renewed))


def test_a_page_of_another_origin_hears_all_of_it_through_every_break(page, site, wire, key):
    page.evaluate(OPEN, [site.url, wire.url, key])
    page.wait_for_function("() => stream.places.has('system') && stream.places.has('alerts:@me')")
    first = page.evaluate("stream.places.get('system').seq") + 1
    page.wait_for_function("() => heard.price_update.length > 3")
    for last in (first + 2, first + 5):
        wire.cut()
        tell(site, 3)
        page.wait_for_function(f"() => heard.system_status.at(-1)?.seq === {last}")
    assert page.evaluate("heard.system_status.map(({ seq }) => seq)") == list(range(first, first + 6))
    prices = page.evaluate("heard.price_update.map(({ seq }) => seq)")
    assert prices == list(range(prices[0], prices[-1] + 1))
    assert page.evaluate("[heard.lost, heard.refusal]") == [[], []]
    assert page.evaluate("heard.state.map(({ state }) => state)").count("reconnecting") >= 2


def test_what_it_can_not_have_again_is_handed_to_it_with_where_it_is(page, site, wire, key):
    page.evaluate(OPEN, [site.url, wire.url, key])
    page.wait_for_function("() => stream.places.has('system')")
    tell(site, 1)
    page.wait_for_function("() => heard.system_status.length === 1")
    before = page.evaluate("(stream.end(), stream.places.get('system'))")
    tell(site, 2, renewed=True)
    page.evaluate("stream.open()")
    page.wait_for_function("() => heard.lost.some(({ stream }) => stream === 'system')")
    lost = page.evaluate("heard.lost.find(({ stream }) => stream === 'system')")
    rest = f"/api/v2/events/?stream=system&after={before['epoch']}:{before['seq']}"
    assert (lost["reason"], lost["rest"]) == ("epoch_changed", rest)


def test_a_token_that_lets_nobody_in_ends_it(page, site):
    page.evaluate(OPEN, [site.url, site.url, "wrong"])
    page.wait_for_function("() => stream.state === 'refused'")
    assert page.evaluate("[heard.state.at(-1).code, heard.refusal.at(-1).code]") == [4501, "invalid_token"]


def test_a_program_uses_the_same_module_and_ends_when_it_is_done(site, wire, key):
    node, _ = compute_driver_executable()
    words = [node, str(Path(__file__).with_name("outsider.mjs")), str(ROOT), wire.url, key]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        heard = map(json.loads, program.stdout)
        assert next(heard)["symbol"] == "AAPL"
        wire.cut()
        assert next(heard)["state"] == "reconnecting"
        assert next(heard)["symbol"] == "AAPL"
        assert (program.wait(60), program.stderr.read()) == (0, "")


def test_the_example_of_the_documents_works_where_it_is_pasted(page, site, visit, key):
    example = visit("/api/docs/realtime/").locator("#clients-javascript ~ pre").inner_text()
    assert f'from "{site.url}/static/stream/stream.js"' in example
    with page.expect_console_message(lambda said: said.text.startswith(("AAPL ", "MSFT "))):
        page.add_script_tag(content=example.replace("finstage_key_..", key), type="module")
