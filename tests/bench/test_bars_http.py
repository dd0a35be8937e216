"""A page of 250 bars over HTTP, by daphne: ours against Django's and DRF's own way with the same rows.

Counted are the processor seconds of the server. It has one core to itself, and who asks has another.
"""

import os
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import orjson
import pytest

from market import actions, bars
from market.bars import forming
from market.models import Symbol
from market.prices import FORMING, Action, Bar, Named, midnight
from tests.bench.evidence import Evidence, Line
from tests.bench.series import FACTS, SESSIONS
from tests.bench.served import pinned, rate
from tests.server import Running

pytestmark = [pytest.mark.bench]
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
ROUNDS = max(2, round(5 * SCALE))
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


def test_a_page_of_bars(engine, ten_years, asking):
    evidence, database = Evidence(f"bars_http-{engine.name}"), {"DATABASE_URL": engine.url}
    with ExitStack() as servers:
        web, rival = "manage.py web", "-m tests.bench.drf_bars"
        kept, fresh, theirs = (
            servers.enter_context(pinned(command, **database, **more))
            for command, more in ((web, {}), (web, {"FINSTAGE_ANSWERS_BYTES": "0"}), (rival, {}))
        )
        tag = _same_bars(kept, theirs)
        ways = (
            rate(fresh, OURS, {}, 200),
            rate(kept, OURS, {}, 200),
            rate(kept, OURS, {"If-None-Match": tag}, 304),
            rate(theirs, THEIRS, {}, 200),
        )
        [way() for way in ways]
        *ours, rivals = zip(*([way() for way in ways] for _ in range(ROUNDS)), strict=True)
    for what, mine, gate, goal in zip(WAYS, ours, (3, 7, 7), (5, 10, 10), strict=True):
        name = f"{engine.name}: pages a CPU second, {what}"
        evidence.add(Line(name, list(mine), list(rivals), "pages/s", gate, goal))
    evidence.tell()
    assert all(line.reaches(line.gate) for line in evidence.lines)


def _same_bars(ours: Running, theirs: Running) -> str:
    """The tag of our page, once both told the same settled bars."""
    status, headers, body = ours.get(OURS)
    *mine, newest = orjson.loads(body)["results"]
    rivals = orjson.loads(theirs.get(THEIRS)[2])["results"]
    assert (status, newest["state"], len(mine), len(rivals)) == (200, FORMING, LIMIT - 1, LIMIT)
    assert [bar["opened_at"] for bar in reversed(mine)] == [bar["opened_at"] for bar in rivals[:-1]]
    return headers["etag"]
