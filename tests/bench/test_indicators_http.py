"""A year of the default indicators of one symbol over HTTP, by daphne: ours against DRF with pandas recomputing.

Counted are the processor seconds of the server. It has one core to itself, and who asks has another.
"""

import os
from contextlib import ExitStack
from datetime import UTC, date, datetime

import numpy as np
import orjson
import pytest

from market import bars
from market.models import Symbol
from market.prices import Bar, midnight
from tests.bench.evidence import Evidence, Line
from tests.bench.series import FACTS, SESSIONS
from tests.bench.served import pinned, rate
from tests.server import Running

pytestmark = [pytest.mark.bench]
ROUNDS = max(2, round(5 * float(os.environ.get("BENCH_SCALE", "1"))))
FIRST = date(2014, 1, 2)
OURS = "/api/v2/technical-analysis/indicators/AAPL?period=1y&indicators=all"
THEIRS = "/indicators/AAPL/"
# By the name of a line: the settings of ours, and gate and goal of the ratio.
WAYS = {
    "computed, bars read anew": ({"FINSTAGE_CACHES_BYTES": "0", "FINSTAGE_CACHES_SHARED_BYTES": "0",
                                  "FINSTAGE_COLUMNS_BYTES": "0"}, 4, 8),
    "computed": ({"FINSTAGE_CACHES_BYTES": "0", "FINSTAGE_CACHES_SHARED_BYTES": "0"}, 8, 12),
    "cached": ({}, 25, 40),
}  # fmt: skip


@pytest.fixture
def ten_years(engine) -> None:
    Symbol.objects.create(ticker="AAPL", name="Apple Inc.", **FACTS)
    made = np.random.default_rng(1)
    closes = (100 * np.exp(made.normal(0, 0.01, SESSIONS).cumsum())).round(2).tolist()
    reach, volumes = made.uniform(0.1, 2, SESSIONS).round(2).tolist(), made.integers(1_000, 9_999, SESSIONS).tolist()
    days = np.busday_offset(FIRST, range(SESSIONS), "forward").tolist()
    bars.upsert(
        Bar("AAPL", "1d", midnight(day), close, close + high, close - high / 2, close, volume,
            True, "replay", datetime.now(UTC))
        for day, close, high, volume in zip(days, closes, reach, volumes, strict=True)
    )  # fmt: skip


def test_indicators_over_http(engine, ten_years, asking):
    evidence, database = Evidence(f"indicators_http-{engine.name}"), {"DATABASE_URL": engine.url}
    with ExitStack() as servers:
        rival = servers.enter_context(pinned("-m tests.bench.drf_indicators", **database))
        ours = [servers.enter_context(pinned("manage.py web", **database, **more)) for more, *_ in WAYS.values()]
        for each in ours:
            _same(each, rival)
        ways = [*(rate(each, OURS, {}, 200) for each in ours), rate(rival, THEIRS, {}, 200)]
        [way() for way in ways]
        *mine, rivals = zip(*([way() for way in ways] for _ in range(ROUNDS)), strict=True)
    for (what, (_, gate, goal)), each in zip(WAYS.items(), mine, strict=True):
        name = f"{engine.name}: a year of the default set a CPU second, {what}"
        evidence.add(Line(name, list(each), list(rivals), "answers/s", gate, goal))
    evidence.tell()
    assert all(line.reaches(line.gate) for line in evidence.lines)


def _same(ours: Running, rival: Running) -> None:
    """Both told the same averages of the last sessions."""
    mine, theirs = orjson.loads(ours.get(OURS)[2]), orjson.loads(rival.get(THEIRS)[2])
    assert mine["times"][-5:] == theirs["times"][-5:]
    averages = mine["indicators"]["sma_50"]["values"]["sma"][-5:]
    assert averages == pytest.approx(theirs["indicators"]["3"][-5:])
