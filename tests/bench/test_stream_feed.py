"""The stream from end to end: the feed on the stub of Yahoo's wire, the web process, and a real client.

The feed and the web process share a core; Yahoo, Redis and who listens have the other.
"""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client as Browser
from redis import Redis
from websockets.sync.client import connect

from market.models import DataSource, Symbol
from monitoring import redis
from realtime.feed import awaited, waiting
from realtime.models import AlertRule
from tests.bench.conftest import track
from tests.bench.evidence import Evidence, Line
from tests.bench.stream import ground, updates
from tests.bench.stream.ground import Ground, Server
from tests.bench.stream.rounds import SCALE
from tests.chaos.jobs_ground import quantile
from tests.conftest import shared_database
from tests.market.yahoo_wire import Wire
from tests.server import eventually

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
ROUNDS, SECONDS = max(1, round(5 * SCALE)), max(1, round(2 * SCALE))
TRACKED, HELD, CLIENTS = max(10, round(500 * SCALE)), max(2, round(10 * SCALE)), max(2, round(100 * SCALE))
HOLDINGS = {"all": 0.5, "prices": 1.0}  # gates; who holds prices alone waits for no rows, so that all held spare none
CROSSING = max(5, round(100 * SCALE))  # symbols, each with a rule that one tick crosses
EVERY_SECONDS, PATIENCE_SECONDS = 0.05, 60
LOOK_SECONDS, IDLE_SHARE = 0.3, 0.1  # of a core, which both need while nothing ticks
OPENED_AT = datetime(2013, 3, 1, 15, tzinfo=UTC)
BELOW, LEVEL, ABOVE = 100.0, 101.0, 102.0


@dataclass
class Ear:
    """A client that holds prices and its own alerts. came: by what came and its symbol when it did."""

    url: str
    headers: dict
    symbols: list[str]
    came: dict[tuple[str, str, float], float] = field(default_factory=dict)
    is_over: bool = False

    def listen(self) -> None:
        with connect(self.url, proxy=None, **self.headers) as socket:
            said = {"action": "subscribe", "type": "prices", "symbols": self.symbols, "mode": "every"}
            socket.send(json.dumps(said))
            socket.send(json.dumps({"action": "subscribe", "type": "alerts"}))
            while not self.is_over:
                with contextlib.suppress(TimeoutError):
                    self._take(json.loads(socket.recv(0.2)), time.monotonic())

    def _take(self, message: dict, now: float) -> None:
        if message["type"] == "price_update":
            self.came[("price", message["symbol"], message["current_price"])] = now
        elif message["type"] == "alert" and message["stream"] == "alerts:@me":
            self.came[("alert", message["symbol"], ABOVE)] = now


@dataclass
class Played:
    """A feed and a web process on Yahoo's wire. ticks: how many there were, as each must be later than the others."""

    on: Ground
    wire: Wire
    web: Server
    feed: subprocess.Popen
    ticks: int = 0

    def tick(self, ticker: str, price: float) -> None:
        self.ticks += 1
        at = int(OPENED_AT.timestamp() + self.ticks) * 1000
        self.wire.tick(ticker, price=price, open_price=BELOW, time=at, quote_type=8, market_hours=1)

    def cpu(self) -> float:
        return ground.cpu(self.feed.pid) + self.web.cpu()

    def settle(self) -> None:
        """Wait until what was told has its rows, also those that nobody waits for."""
        time.sleep(waiting.TOGETHER_SECONDS)
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            before = self.cpu()
            time.sleep(LOOK_SECONDS)
            if self.cpu() - before < IDLE_SHARE * LOOK_SECONDS:
                return

    def let_go(self) -> None:
        """What somebody held is held by nobody: usually that is known after a minute."""
        with Redis.from_url(self.web.store.url) as store:
            store.delete(redis.key("held"))
        time.sleep(awaited.LOOK_SECONDS)

    def wait(self, condition: Callable[[], object], what: str) -> None:
        if not eventually(condition, seconds=PATIENCE_SECONDS):
            log = (self.on.folder / "feed.log").read_text()[-2000:]
            raise ground.Failed(f"no {what} within {PATIENCE_SECONDS} s\n{log}")


@pytest.fixture(scope="module")
def played(stream_ground: Ground, django_db_blocker) -> Iterator[Played]:
    with django_db_blocker.unblock(), Wire() as wire:
        track(TRACKED)
        DataSource.objects.update_or_create(
            pk=1, defaults={"name": "yahoo", "reason": "measured", "chosen_at": datetime.now(UTC)}
        )
        owner = get_user_model().objects.create_user("owner")
        crossed = Symbol.objects.filter(ticker__in=map(updates.ticker, range(CROSSING)))
        AlertRule.objects.bulk_create(
            AlertRule(kind="price_above", level=LEVEL, symbol=each, owner=owner) for each in crossed
        )
        yield _started(stream_ground, wire)


def _started(on: Ground, wire: Wire) -> Played:
    own = {"FINSTAGE_SOURCE": "yahoo", "FINSTAGE_YAHOO_RATE": "1000", **wire.environment}
    web = on.start_ours("web", **own)
    own |= {**shared_database(), "FINSTAGE_VAR": str(on.folder / "feed"), "REDIS_URL": web.store.url}
    feed = on.begin("feed", sys.executable, "manage.py", "feed", core=ground.SERVERS, **own)
    played = Played(on, wire, web, feed)
    last = updates.ticker(TRACKED - 1)
    played.wait(lambda: any(last in asked for asked in wire.sockets.values()), "subscription at Yahoo")
    return played


@pytest.fixture(scope="module")
def waited(played: Played) -> dict[str, list[float]]:
    """Milliseconds from the wire to the client, of prices and of alerts."""
    browser, symbols = Browser(), [updates.ticker(number) for number in range(CROSSING)]
    browser.force_login(get_user_model().objects.get(username="owner"))
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    headers = {"origin": f"http://127.0.0.1:{played.web.port}", "additional_headers": {"Cookie": cookie}}
    ear = Ear(f"ws://127.0.0.1:{played.web.port}{played.web.path}", headers, symbols)
    thread = threading.Thread(target=ear.listen, daemon=True)
    thread.start()
    for symbol in symbols:
        played.tick(symbol, BELOW)
    played.wait(lambda: played.web.process.poll() is None and _tick_until_heard(played, ear, symbols), "first price")
    played.settle()
    sent = {}
    for symbol in symbols:
        sent[symbol] = time.monotonic()
        played.tick(symbol, ABOVE)
        time.sleep(EVERY_SECONDS)
    played.wait(lambda: sum(kind == "alert" for kind, *_ in list(ear.came)) == len(symbols), "alert of each")
    ear.is_over = True
    thread.join()
    return {
        kind: [1000 * (ear.came[(kind, symbol, ABOVE)] - at) for symbol, at in sent.items()]
        for kind in ("price", "alert")
    }


def _tick_until_heard(played: Played, ear: Ear, symbols: list[str]) -> bool:
    """Each symbol has had a price, and the client is there."""
    played.tick(symbols[-1], BELOW)
    return any(symbol == symbols[-1] for _, symbol, _ in list(ear.came))


@pytest.fixture(scope="module")
def computed(waited, played: Played) -> dict[tuple[str, int], list[float]]:
    """Processor seconds of both for each tick, by what clients hold and of how many symbols, by turns."""
    found: dict[tuple[str, int], list[float]] = {(kind, count): [] for count in (HELD, TRACKED) for kind in HOLDINGS}
    _play(played, seconds=1)
    _play(played, seconds=1)  # the first price of a symbol is dear
    for _ in range(ROUNDS):
        for (kind, count), each in found.items():
            names = [updates.ticker(number) for number in range(count)]
            said = {"action": "subscribe", "type": kind, "symbols": names}
            with played.on.clients(played.web, [json.dumps(said)] * CLIENTS) as clients:
                clients.require_all()
                each.append(_play(played, SECONDS))
            played.let_go()
    return found


def _play(played: Played, seconds: int) -> float:
    """Each symbol ticks once a second."""
    began, count = played.cpu(), 0
    start = time.monotonic()
    for second in range(seconds):
        for number in range(TRACKED):
            played.tick(updates.ticker(number), BELOW + (played.ticks % 7) / 100)
            count += 1
        time.sleep(max(0.0, start + second + 1 - time.monotonic()))
    played.settle()
    return (played.cpu() - began) / count


@pytest.mark.parametrize(
    ("kind", "what", "gate", "goal"),
    [
        ("price", "from Yahoo's wire to the client's price, p99 (rival: p50)", 300, 150),
        ("alert", "from the crossing tick to one's own alert, p99 (rival: p50)", 150, 60),
    ],
)
def test_from_the_source_to_the_client(kind, what, gate, goal, waited, computed, stream_evidence: Evidence):
    """After all is measured: a test leaves an empty database."""
    marks = {"is_smaller_better": True, "gates_ours": True}
    line = Line(what, [quantile(waited[kind], 0.99)], [quantile(waited[kind], 0.5)], "ms", gate, goal, **marks)
    assert stream_evidence.add(line).reaches(gate)


@pytest.mark.parametrize("kind", HOLDINGS)
def test_symbols_that_nobody_holds_cost_little(kind, computed, waited, stream_evidence: Evidence):
    """Where what our watchlist holds of each symbol is held, and where prices are alone."""
    what = f"{TRACKED} tracked, {kind} of {HELD} / of all held by {CLIENTS} clients: CPU of feed and web a tick"
    micro = [[1e6 * each for each in computed[kind, count]] for count in (HELD, TRACKED)]
    line = Line(what, *micro, "µs", HOLDINGS[kind], 0.4, is_smaller_better=True)
    assert stream_evidence.add(line).reaches(line.gate)
