"""What a client is told of the feed and its source, over real sockets, from a real feed that asks Yahoo."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web
from websockets.sync.client import ClientConnection, connect

from realtime.hub import Hub
from tests import forks
from tests.conftest import LiveWeb, shared_database
from tests.forks import Forked
from tests.market.yahoo_charts import made_chart
from tests.market.yahoo_wire import FAULTS, Wire
from tests.realtime.store import Door
from tests.realtime.test_hub import connect as attach
from tests.realtime.test_hub import facts, until
from tests.realtime.test_hub_joining import play  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 120
NOWHERE = {"FINSTAGE_YAHOO_SOCKET": "/nowhere/yahoo.sock", "FINSTAGE_YAHOO_STREAM": "ws://127.0.0.1:1/"}


class Priceless(Wire):
    """A Yahoo that gives history, and no last prices for a while."""

    has_prices = False

    async def _chart(self, request: web.Request) -> web.StreamResponse:
        is_history = "period1" in request.query
        return await super()._chart(request) if is_history or self.has_prices else await FAULTS["500"](request, {})

    async def _quote(self, request: web.Request) -> web.StreamResponse:
        return await super()._quote(request) if self.has_prices else await FAULTS["500"](request, {})


@contextmanager
def feed(folder: Path, **environment: str) -> Iterator[Forked]:
    """A `manage.py feed` that plays Yahoo on the tests' database and Valkey."""
    own = {"FINSTAGE_SOURCE": "yahoo", "FINSTAGE_VAR": str(folder), **shared_database(), **environment}
    process = forks.start(["manage.py", "feed"], {**os.environ, **own}, folder / "log")
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def service(socket: ClientConnection, **wanted: bool | str) -> dict:
    """The next word about the service that says what is wanted."""
    while True:
        told = json.loads(socket.recv(PATIENCE_SECONDS))
        if told["type"] == "service_status" and told.items() >= wanted.items():
            return told


def test_a_yahoo_that_nobody_reaches_is_told_with_the_reason(live_web: LiveWeb, tmp_path):
    with feed(tmp_path, **NOWHERE), connect(f"{live_web.ws_url}/ws/realtime") as socket:
        told = service(socket, feed=True, source=False)
        assert told["detail"].startswith("Yahoo does not answer: Failed to connect")
        assert "https://" not in told["detail"]


def test_a_yahoo_that_has_trouble_is_told_until_it_gives_prices(live_web: LiveWeb, tmp_path):
    with Priceless() as wire, connect(f"{live_web.ws_url}/ws/realtime") as socket:
        wire.charts["AAPL"] = made_chart("AAPL")
        with feed(tmp_path, **wire.environment, FINSTAGE_YAHOO_RATE="1000"):
            service(socket, source=False, detail="Yahoo does not answer: Yahoo has trouble (500)")
            wire.has_prices = True
            assert service(socket, source=True)["detail"] is None


def test_a_killed_feed_is_told_while_the_line_stands(live_web: LiveWeb, tmp_path):
    with feed(tmp_path, **NOWHERE) as process, connect(f"{live_web.ws_url}/ws/realtime") as socket:
        service(socket, feed=True)
        process.kill()
        process.wait()
        assert service(socket, feed=False)


def test_a_store_that_is_out_of_reach_is_told(play):  # noqa: F811
    async def scenario(hub: Hub, store: Door) -> None:
        socket = attach(hub)[1]
        await until(lambda: socket.heard and facts(socket)["redis"])
        store.shut()
        await until(lambda: not facts(socket)["redis"])

    play(scenario)
