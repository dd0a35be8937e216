"""The columns of a screener's bars, 50 symbols with ten years of days, against Django's objects of the same rows."""

import os
import time
from collections.abc import Callable

import pytest

from market import bars
from market.bars.columns import store
from market.models import Bar
from tests.bench import series
from tests.bench.evidence import Evidence, Line
from tests.bench.series import SESSIONS

pytestmark = [pytest.mark.bench]
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
SYMBOLS, ROUNDS = max(2, round(50 * SCALE)), 3


def test_columns_of_many_symbols(engine):
    found = series.made(SYMBOLS)
    found.write()
    tickers = found.tickers

    def ours() -> None:
        store.clear()
        kept()

    def kept() -> None:
        found = bars.of_many(tickers)
        assert sum(len(each["close"]) for each in found.values()) == SYMBOLS * SESSIONS

    def objects() -> None:
        found = list(Bar.objects.filter(symbol__ticker__in=tickers, interval="1d", is_final=True))
        assert len(found) == SYMBOLS * SESSIONS

    ours(), kept(), objects()
    read, again, theirs = zip(*([_rate(way) for way in (ours, kept, objects)] for _ in range(ROUNDS)), strict=True)
    evidence = Evidence(f"bars-{engine.name}")
    for what, mine, gate, goal in (("read", read, 8, 12), ("kept", again, 200, 200)):
        name = f"{engine.name}: bars a CPU second, {what}"
        evidence.add(Line(name, list(mine), list(theirs), "bars/s", gate, goal))
    evidence.tell()
    assert all(line.reaches(line.gate) for line in evidence.lines)


def _rate(work: Callable[[], None]) -> float:
    """Bars a second of this process."""
    began = time.process_time()
    work()
    return SYMBOLS * SESSIONS / (time.process_time() - began)
