"""The recorded source is broken while clients listen: its feed is killed, Redis is emptied, and it is moved in time."""

import hashlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from redis import Redis

from tests.chaos.scale import times
from tests.listener import Listener
from tests.tree import PARTS, Up

pytestmark = pytest.mark.chaos
KILLS, FLUSHES, SEEKS, LISTENERS = times(20), times(5), times(20), 3
FIRST, LAST = date(2012, 9, 4), date(2013, 2, 20)
LEVELS = (600, 620, 640, 660, 680, 700, 450, 500, 550)  # that AAPL crosses, one day or another
ONCE = """
    SELECT rule_id, symbol_id, session_date, pass_number, COUNT(*) FROM realtime_alert
    GROUP BY rule_id, symbol_id, session_date, pass_number HAVING COUNT(*) > 1
"""
TOLD_ONCE = "SELECT body, COUNT(*) FROM realtime_event WHERE stream LIKE 'alerts:%' GROUP BY json_extract(body, '$.id')"


def told(name: str, counted: object) -> None:
    print(f"{name:<60} {counted}")  # noqa: T201 - `make chaos` shows it


class Rows:
    """The database of an `up`."""

    def __init__(self, var: Path) -> None:
        self._path = var / "finstage.sqlite3"

    def ask(self, statement: str, *values: object) -> list[tuple]:
        with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as database:
            return database.execute(statement, values).fetchall()

    def rule(self, level: float) -> None:
        self.ask(
            "INSERT INTO realtime_alertrule (kind, level, severity, is_active, created_at, symbol_id) "
            "SELECT 'price_above', ?, 'info', 1, ?, id FROM market_symbol WHERE ticker = 'AAPL'",
            level,
            f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
        )

    def seek(self, day: date) -> None:
        at = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
        self.ask(
            "INSERT INTO market_playerwish (id, paused, date, source, \"by\", at) VALUES (1, 0, ?, '', 'chaos', ?) "
            "ON CONFLICT (id) DO UPDATE SET date = excluded.date",
            str(day),
            at,
        )

    def is_heard(self) -> bool:
        return self.ask("SELECT date FROM market_playerwish") == [(None,)]

    def passes(self) -> int:
        return self.ask("SELECT pass_number FROM market_datasource")[0][0]


def socket_of(var: Path) -> Path:
    """Of the Valkey that an `up` brought; a path that is too long for one lies elsewhere."""
    usual = var.resolve() / "run" / "valkey.sock"
    elsewhere = f"finstage-{os.getuid()}-{hashlib.sha256(str(var.resolve()).encode()).hexdigest()[:12]}"
    return usual if len(str(usual)) <= 100 else Path(tempfile.gettempdir()) / elsewhere / "valkey.sock"


def hash_of(up: Up) -> dict:
    """What a replay of a few weeks says, in a process of its own."""
    command = [sys.executable, "manage.py", "replay", "AAPL", "MSFT", "--from", "2008-09-01", "--to", "2008-10-31"]
    answer = subprocess.run(
        command, cwd=settings.BASE_DIR, env=up.environment, check=True, stdout=subprocess.PIPE, timeout=120
    )
    return json.loads(answer.stdout.splitlines()[-1])


def wait_until_heard(up: Up, listeners: list[Listener]) -> None:
    """Prices come again, to each of them."""
    up.wait(lambda: up.parts().keys() == PARTS)
    heard = [listener.heard for listener in listeners]
    up.wait(lambda: all(one.heard > count for one, count in zip(listeners, heard, strict=True)))


def test_no_price_is_missed_in_silence_and_nothing_rings_twice_whatever_happens_to_the_player(tmp_path):
    chance = random.Random(16)
    up = Up(tmp_path / "var", FINSTAGE_REPLAY_SESSION_SECONDS="0.5")
    up.wait_until_moving()
    rows = Rows(up.var)
    for level in LEVELS:
        rows.rule(level)
    before = hash_of(up)
    listeners = [Listener(up.port) for _ in range(LISTENERS)]
    for listener in listeners:
        listener.start()
    acts = ["kill"] * KILLS + ["flush"] * FLUSHES + ["seek"] * SEEKS
    chance.shuffle(acts)
    for act in acts:
        time.sleep(chance.uniform(0.2, 2))
        if act == "kill":
            up.parts()["feed"].kill()
        elif act == "flush":
            Redis(unix_socket_path=os.fspath(socket_of(up.var))).flushall()
        else:
            rows.seek(FIRST + timedelta(days=chance.randrange((LAST - FIRST).days)))
            up.wait(rows.is_heard)
        wait_until_heard(up, listeners)
    for listener in listeners:
        listener.stop.set()
    after, twice = hash_of(up), rows.ask(ONCE)
    told_twice = [body for body, count in rows.ask(TOLD_ONCE) if count > 1]
    rung = rows.ask("SELECT COUNT(*) FROM realtime_alert")[0][0]
    holes = [hole for listener in listeners for hole in listener.holes]
    told("feed killed, Redis emptied, moved in time", f"{KILLS}, {FLUSHES}, {SEEKS}")
    told("passes, alerts that are kept, prices heard", f"{rows.passes()}, {rung}, {[one.heard for one in listeners]}")
    told("holes that were not told (expected none)", holes)
    told("rung twice in a pass, told twice (expected none)", f"{twice}, {told_twice}")
    told("the same sessions hash the same", before == after)
    up.end()
    assert (holes, twice, told_twice) == ([], [], [])
    assert before == after
    assert rung
