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
from tests.bench.evidence import Evidence, Line, alternated
from tests.conftest import shared_database
from tests.server import Running, running

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
ROUNDS, REQUESTS = max(2, round(5 * SCALE)), max(10, round(300 * SCALE))
SERVERS, *_, CLIENT = sorted(os.sched_getaffinity(0)) * 2  # one core for the servers, another for who asks
FIRST, SESSIONS, LIMIT = date(2014, 1, 2), 2_520, 250
OURS, THEIRS = f"/api/v2/symbols/AAPL/bars/?limit={LIMIT}", f"/bars/AAPL/?limit={LIMIT}"


@pytest.fixture
def ten_years(apple: Symbol) -> None:
    """With a split within the newest page, and a bar that forms."""
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


def test_a_page_of_bars(ten_years, asking):
    evidence, database = Evidence("bars_http"), shared_database()
    with ExitStack() as servers:
        web, rival = "manage.py web", "-m tests.bench.drf_bars"
        kept, fresh, theirs = (
            servers.enter_context(_pinned(command, **database, **more))
            for command, more in ((web, {}), (web, {"FINSTAGE_ANSWERS_BYTES": "0"}), (rival, {}))
        )
        tag = _same_bars(kept, theirs)
        ways = (
            ("from the database", fresh, {}, 200, 3, 5),
            ("kept", kept, {}, 200, 7, 10),
            ("304", kept, {"If-None-Match": tag}, 304, 7, 10),
        )
        for what, server, headers, status, gate, goal in ways:
            mine, rivals = alternated(
                ROUNDS, _milliseconds(server, OURS, headers, status), _milliseconds(theirs, THEIRS, {}, 200)
            )
            # How often ours goes into the rival's time: both are told by their rate.
            mine, rivals = ([1000 / each for each in some] for some in (mine, rivals))
            evidence.add(Line(f"pages a CPU second, {what}", mine, rivals, "pages/s", gate, goal))
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


def _milliseconds(server: Running, path: str, headers: dict[str, str], status: int) -> Callable[[], float]:
    """Of the server's processor, for each request of one connection that stays."""

    def measured() -> float:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        began = server.cpu()
        for _ in range(REQUESTS):
            client.request("GET", path, headers=headers)
            answer = client.getresponse()
            answer.read()
            assert answer.status == status
        client.close()
        return (server.cpu() - began) * 1000 / REQUESTS

    return measured
