"""A year of the default indicators of one symbol over HTTP, by daphne: ours against DRF with pandas recomputing.

Counted are the processor seconds of the server. It has one core to itself, and who asks has another.
"""

import os
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import orjson
import pytest

from market import bars
from market.bars import forming
from market.models import Symbol
from market.prices import FORMING, Bar, midnight
from tests.bench.evidence import Evidence, Line
from tests.bench.series import FACTS, SESSIONS
from tests.bench.served import pinned, rate
from tests.server import Running

pytestmark = [pytest.mark.bench]
ROUNDS = max(2, round(5 * float(os.environ.get("BENCH_SCALE", "1"))))
FIRST = date(2014, 1, 2)
OURS = "/api/v2/technical-analysis/indicators/{}?period=1y&indicators=all"
THEIRS = "/indicators/{}/"
NO_COLUMNS = {"FINSTAGE_COLUMNS_BYTES": "0"}
# By the name of a line: the settings of ours, the symbol, and gate and goal. Of IBM a bar forms, which nobody keeps.
WAYS = {
    "computed, bars read anew": (NO_COLUMNS, "IBM", 4, 8),
    "computed": ({}, "IBM", 8, 12),
    "cached": ({}, "AAPL", 25, 40),
}


@pytest.fixture
def ten_years(engine) -> None:
    made, now = np.random.default_rng(1), datetime.now(UTC)
    closes = (100 * np.exp(made.normal(0, 0.01, SESSIONS + 1).cumsum())).round(2).tolist()
    reach, volumes = made.uniform(0.1, 2, SESSIONS + 1).round(2).tolist(), made.integers(1_000, 9_999, SESSIONS + 1)
    days = np.busday_offset(FIRST, range(SESSIONS + 1), "forward").tolist()
    for ticker in ("AAPL", "IBM"):
        Symbol.objects.create(ticker=ticker, name=ticker, **FACTS)
        *told, newest = (
            Bar(ticker, "1d", midnight(day), close, close + high, close - high / 2, close, volume, True, "replay", now)
            for day, close, high, volume in zip(days, closes, reach, volumes.tolist(), strict=True)
        )
        bars.upsert(told)
        if ticker == "IBM":
            forming.keep([replace(newest, is_final=False, state=FORMING)])


def test_indicators_over_http(engine, ten_years, asking):
    evidence, database = Evidence(f"indicators_http-{engine.name}"), {"DATABASE_URL": engine.url}
    with ExitStack() as servers:
        rival = servers.enter_context(pinned("-m tests.bench.drf_indicators", **database))
        ours = [servers.enter_context(pinned("manage.py web", **database, **more)) for more in (NO_COLUMNS, {})]
        _same(ours[0], rival)
        asked = [(ours[more is not NO_COLUMNS], OURS.format(ticker)) for more, ticker, *_ in WAYS.values()]
        ways = [rate(each, path, {}, 200) for each, path in [*asked, (rival, THEIRS.format("AAPL"))]]
        [way() for way in ways]
        *mine, rivals = zip(*([way() for way in ways] for _ in range(ROUNDS)), strict=True)
    for (what, (_, _, gate, goal)), each in zip(WAYS.items(), mine, strict=True):
        name = f"{engine.name}: a year of the default set a CPU second, {what}"
        evidence.add(Line(name, list(each), list(rivals), "answers/s", gate, goal))
    evidence.tell()
    assert all(line.reaches(line.gate) for line in evidence.lines)


def _same(ours: Running, rival: Running) -> None:
    """Both told the same averages of the last sessions."""
    mine, theirs = (orjson.loads(each.get(path.format("AAPL"))[2]) for each, path in ((ours, OURS), (rival, THEIRS)))
    assert mine["times"][-5:] == theirs["times"][-5:]
    averages = mine["indicators"]["sma_50"]["values"]["sma"][-5:]
    assert averages == pytest.approx(theirs["indicators"]["3"][-5:])
