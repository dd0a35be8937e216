"""A page of 250 bars over HTTP, by daphne: ours against Django's and DRF's own way with the same rows.

Counted are the processor seconds of the server. It has one core to itself, and who asks has another.
"""

import http.client
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import orjson
import pytest

from market import actions, bars
from market.bars import forming
from market.models import Symbol
from market.prices import FORMING, Action, Bar, Named, midnight
from tests.bench.evidence import Evidence, Line
from tests.bench.series import FACTS, SESSIONS
from tests.server import Running, running

pytestmark = [pytest.mark.bench]
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
ROUNDS, REQUESTS = max(2, round(5 * SCALE)), max(10, round(200 * SCALE))
SERVERS, *_, CLIENT = sorted(os.sched_getaffinity(0)) * 2  # one core for the servers, another for who asks
FIRST, LIMIT = date(2014, 1, 2), 250
WAYS = "from the database", "kept", "304"
OURS, THEIRS = f"/api/v2/symbols/AAPL/bars/?limit={LIMIT}", f"/bars/AAPL/?limit={LIMIT}"


@pytest.fixture
def ten_years(engine) -> None:
    """With a split within the newest page, and a bar that forms."""
    apple = Symbol.objects.create(ticker="AAPL", name="Apple Inc.", **FACTS)
    days, now = [FIRST + timedelta(days=day) for day in range(SESSIONS + 1)], datetime.now(UTC)
    moves = np.random.default_rng(1).normal(0, 0.01, SESSIONS + 1).cumsum()
    made = [
        Bar("AAPL", "1d", midnight(day), close, close, close, close, 1_000_000, True, "replay", now)
        for day, close in zip(days, (100 * np.exp(moves)).round(2).tolist(), strict=True)
    ]
    bars.upsert(made[:-1])
    actions.keep(apple, Named([Action("AAPL", "split", days[-100], 7.0, 7, 1)]), "replay")
    forming.keep([replace(made[-1], is_final=False, state=FORMING)])


@pytest.fixture
def asking() -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CLIENT})
    yield
    os.sched_setaffinity(0, before)


def test_a_page_of_bars(engine, ten_years, asking):
    evidence, database = Evidence(f"bars_http-{engine.name}"), {"DATABASE_URL": engine.url}
    with ExitStack() as servers:
        web, rival = "manage.py web", "-m tests.bench.drf_bars"
        kept, fresh, theirs = (
            servers.enter_context(_pinned(command, **database, **more))
            for command, more in ((web, {}), (web, {"FINSTAGE_ANSWERS_BYTES": "0"}), (rival, {}))
        )
        tag = _same_bars(kept, theirs)
        ways = (
            _rate(fresh, OURS, {}, 200),
            _rate(kept, OURS, {}, 200),
            _rate(kept, OURS, {"If-None-Match": tag}, 304),
            _rate(theirs, THEIRS, {}, 200),
        )
        [way() for way in ways]
        *ours, rivals = zip(*([way() for way in ways] for _ in range(ROUNDS)), strict=True)
    for what, mine, gate, goal in zip(WAYS, ours, (3, 7, 7), (5, 10, 10), strict=True):
        name = f"{engine.name}: pages a CPU second, {what}"
        evidence.add(Line(name, list(mine), list(rivals), "pages/s", gate, goal))
    evidence.tell()
    assert all(line.reaches(line.gate) for line in evidence.lines)


@contextmanager
def _pinned(command: str, **environment: str) -> Iterator[Running]:
    with running(*command.split(), **environment) as server:
        for task in Path(f"/proc/{server.process.pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {SERVERS})
        yield server


def _same_bars(ours: Running, theirs: Running) -> str:
    """The tag of our page, once both told the same settled bars."""
    status, headers, body = ours.get(OURS)
    *mine, newest = orjson.loads(body)["results"]
    rivals = orjson.loads(theirs.get(THEIRS)[2])["results"]
    assert (status, newest["state"], len(mine), len(rivals)) == (200, FORMING, LIMIT - 1, LIMIT)
    assert [bar["opened_at"] for bar in reversed(mine)] == [bar["opened_at"] for bar in rivals[:-1]]
    return headers["etag"]


def _rate(server: Running, path: str, headers: dict[str, str], status: int) -> Callable[[], float]:
    """Answers a second of the server's processor, on one connection that stays."""

    def measured() -> float:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        began = server.cpu()
        for _ in range(REQUESTS):
            client.request("GET", path, headers=headers)
            answer = client.getresponse()
            answer.read()
            assert answer.status == status
        client.close()
        return REQUESTS / (server.cpu() - began)

    return measured
