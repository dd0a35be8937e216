"""What can't be lies at the head of every durable queue: prices go on, also over a restart, and it is counted."""

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from redis import Redis

from tests.chaos.jobs_ground import report
from tests.chaos.scale import times
from tests.listener import Listener
from tests.tree import Up

pytestmark = pytest.mark.chaos
ROUNDS = 10
PATIENCE_SECONDS = 40
QUEUES = ("finstage:snapshots", "finstage:snapshots:writing", "finstage:changes:jobs")
SPEED = {"FINSTAGE_REPLAY_SESSION_SECONDS": "2"}


@dataclass(frozen=True)
class Seen:
    """What came after the poison: prices heard, snapshots stored, and what was counted of each kind."""

    heard: int
    stored: int
    refused: dict[str, int]
    holes: int


def test_poison_at_the_head_of_every_queue_stops_no_price_and_is_counted(tmp_path):
    rounds = times(ROUNDS)
    seen = poison(tmp_path / "var", rounds)
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


def test_with_open_doors_one_impossible_volume_ends_the_prices(tmp_path):
    with pytest.raises(AssertionError, match="no price came"):
        poison(tmp_path / "var", 1, DJANGO_SETTINGS_MODULE="tests.chaos.poison_settings")


def poison(var: Path, rounds: int, **environment: str) -> Seen:
    """Poison each queue of a running Finstage, so often, then of one that is killed and starts again."""
    up = Up(var, **SPEED, **environment)
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
        up = Up(var, port=up.port, **SPEED, **environment)
        up.wait_until_moving()
        wait_for_prices(up, listener, redis)
        refused = {kind.decode(): int(count) for kind, count in redis.hgetall("finstage:refused").items()}
    finally:
        listener.stop.set()
        up.end()
    return Seen(listener.heard - heard, snapshots(var) - stored, refused, len(listener.holes))


def put_poison(redis: Redis) -> None:
    """The head of each queue becomes what no reader can take, and IBM's newest price is one of tomorrow."""
    now = datetime.now(UTC)
    facts = {"ticker": "AAPL", "price": 600.0, "previous_close": 600.0, "open": 600.0, "high": 600.0, "low": 600.0}
    facts |= {"session_date": "2012-09-04", "as_of": "2012-09-04T00:00:00Z", "as_of_precision": "day"}
    facts |= {"received_at": now.isoformat(), "source": "replay", "market_state": "open", "is_final": False}
    impossible = json.dumps({**facts, "volume": 10**19})
    for queue in QUEUES:
        redis.lpush(queue, "no JSON", '{"task_id": []}', "5", impossible)
    tomorrow = int((now + timedelta(days=1)).timestamp() * 1e6)
    redis.hset("finstage:quotes", "IBM", f"{tomorrow} {json.dumps({**facts, 'ticker': 'IBM', 'volume': 1})}")


def wait_for_prices(up: Up, listener: Listener, redis: Redis) -> None:
    """Until prices are heard and stored that came after the poison, and IBM's of tomorrow has given way."""
    heard, stored, until = listener.heard, snapshots(up.var), time.monotonic() + PATIENCE_SECONDS
    while listener.heard < heard + 10 or snapshots(up.var) == stored or is_of_tomorrow(redis):
        assert time.monotonic() < until, f"no price came in {PATIENCE_SECONDS} s\n{up.log.read_text()[-3000:]}"
        time.sleep(0.2)


def is_of_tomorrow(redis: Redis) -> bool:
    return int(redis.hget("finstage:quotes", "IBM").split()[0]) > time.time() * 1e6


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
