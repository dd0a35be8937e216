"""What can't be lies at the head of every durable queue: prices go on, also over a restart, and it is counted."""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from django.conf import settings
from redis import Redis

from tests.chaos.jobs_ground import report
from tests.chaos.scale import times
from tests.listener import Listener
from tests.market.yahoo_charts import made_chart
from tests.market.yahoo_wire import Wire
from tests.tree import Up

pytestmark = pytest.mark.chaos
ROUNDS = 10
PATIENCE_SECONDS = 40
QUEUES = ("finstage:snapshots", "finstage:snapshots:writing", "finstage:changes:jobs")
EVERY_SECONDS = 0.1  # between two prices of the source
NEXT_SESSION = datetime(2013, 3, 4, 15, tzinfo=UTC)  # after the last one of the source's history


@dataclass(frozen=True)
class Seen:
    """What came after the poison: prices heard, snapshots stored, and what was counted of each kind."""

    heard: int
    stored: int
    refused: dict[str, int]
    holes: int


@pytest.fixture
def live() -> Iterator[dict[str, str]]:
    """The environment of a source whose prices move without an end; snapshots are stored of live ones alone."""
    with Wire() as wire, ticking(wire):
        wire.charts |= {ticker: made_chart(ticker) for ticker in ("AAPL", "MSFT")}
        yield {"FINSTAGE_SOURCE": "yahoo", "FINSTAGE_YAHOO_RATE": "1000", **wire.environment}


@contextmanager
def ticking(wire: Wire) -> Iterator[None]:
    over = threading.Event()

    def tick() -> None:
        for number in count():
            if over.wait(EVERY_SECONDS):
                return
            facts = {"price": 430 + number % 50 / 100, "open_price": 430.0, "quote_type": 8, "market_hours": 1}
            for ticker in ("AAPL", "MSFT"):
                wire.tick(ticker, time=int(NEXT_SESSION.timestamp() * 1000) + number * 1000, **facts)

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_poison_at_the_head_of_every_queue_stops_no_price_and_is_counted(tmp_path, live):
    rounds = times(ROUNDS)
    seen = poison(tmp_path / "var", rounds, **live)
    report(
        "poison at the head of every durable queue",
        f"{len(QUEUES)} queues, {rounds} times under a running feed and once before a start after a kill of all",
        "prices are heard and stored after each; 0 holes; each impossible snapshot counted",
        f"{seen.heard} heard, {seen.stored} stored; {seen.holes} holes; {seen.refused}",
    )
    assert seen.heard > rounds
    assert seen.stored > rounds
    assert seen.holes == 0
    assert seen.refused["quotes"] >= 2 * rounds


def test_with_open_doors_one_impossible_volume_ends_the_prices(tmp_path, live):
    with pytest.raises(AssertionError, match="no price came"):
        poison(tmp_path / "var", 1, **live, DJANGO_SETTINGS_MODULE="tests.chaos.poison_settings")


def poison(var: Path, rounds: int, **environment: str) -> Seen:
    """Poison each queue of a running Finstage, so often, then of one that is killed and starts again."""
    up = Up(var, **environment)
    up.wait_until_moving()
    listener, redis = Listener(up.port), Redis.from_url(redis_url(up))
    listener.start()
    heard, stored = listener.heard, snapshots(var)
    try:
        for _ in range(rounds):
            put_poison(redis)
            wait_for_prices(up, listener, redis)
        up.parts()["feed"].suspend()
        put_poison(redis)
        time.sleep(1.5)  # the append-only file is safe on disk every second
        up.process.kill()
        up.process.wait()
        up = Up(var, port=up.port, **environment)
        up.wait_until_moving()
        wait_for_prices(up, listener, redis)
        refused = {kind.decode(): int(count) for kind, count in redis.hgetall("finstage:refused").items()}
    finally:
        listener.stop.set()
        up.end()
    return Seen(listener.heard - heard, snapshots(var) - stored, refused, len(listener.holes))


def put_poison(redis: Redis) -> None:
    """The head of each queue becomes what no reader can take, and MSFT's newest price is one of tomorrow."""
    now = datetime.now(UTC)
    facts = {"ticker": "AAPL", "price": 600.0, "previous_close": 600.0, "open": 600.0, "high": 600.0, "low": 600.0}
    facts |= {"session_date": "2012-09-04", "as_of": "2012-09-04T00:00:00Z", "as_of_precision": "day"}
    facts |= {"received_at": now.isoformat(), "source": "yahoo", "market_state": "open", "is_final": False}
    impossible = json.dumps({**facts, "volume": 10**19})
    for queue in QUEUES:
        redis.lpush(queue, "no JSON", '{"task_id": []}', "5", impossible)
    tomorrow = int((now + timedelta(days=1)).timestamp() * 1e6)
    redis.hset("finstage:quotes", "MSFT", f"{tomorrow} {json.dumps({**facts, 'ticker': 'MSFT', 'volume': 1})}")


def wait_for_prices(up: Up, listener: Listener, redis: Redis) -> None:
    """Until prices are heard and stored that came after the poison, and MSFT's of tomorrow has given way."""
    heard, stored, until = listener.heard, snapshots(up.var), time.monotonic() + PATIENCE_SECONDS
    while listener.heard < heard + 10 or snapshots(up.var) == stored or is_of_tomorrow(redis):
        assert time.monotonic() < until, f"no price came in {PATIENCE_SECONDS} s\n{up.log.read_text()[-3000:]}"
        time.sleep(0.2)


def is_of_tomorrow(redis: Redis) -> bool:
    return int(redis.hget("finstage:quotes", "MSFT").split()[0]) > time.time() * 1e6


def snapshots(var: Path) -> int:
    with closing(sqlite3.connect(var / "finstage.sqlite3", timeout=20)) as database:
        return database.execute("SELECT COUNT(*) FROM market_snapshot").fetchone()[0]


def redis_url(up: Up) -> str:
    """Where its embedded Valkey listens, by its own settings."""
    ask = "from django.conf import settings; print(settings.REDIS_URL)"
    environment = {**up.environment, "DJANGO_SETTINGS_MODULE": "finstage.settings"}
    command = [sys.executable, "-c", ask]
    return subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True
    ).stdout.strip()
