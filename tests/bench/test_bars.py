"""The columns of a screener's bars, 50 symbols with ten years of days, against Django's objects of the same rows."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from market import bars
from market.bars.columns import store
from market.models import Bar, Symbol
from market.prices import Bar as Value
from market.prices import midnight
from tests.bench.evidence import Evidence, Line, alternated

pytestmark = [pytest.mark.bench, pytest.mark.django_db]
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
SYMBOLS, SESSIONS, ROUNDS = max(2, round(50 * SCALE)), 2_520, 5
FIRST = datetime(2014, 1, 2, tzinfo=UTC)


@pytest.fixture
def tickers() -> list[str]:
    facts = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    made = [Symbol.objects.create(ticker=f"S{number}", name="a share", **facts).ticker for number in range(SYMBOLS)]
    days, now = [midnight((FIRST + timedelta(days=day)).date()) for day in range(SESSIONS)], datetime.now(UTC)
    moves = np.random.default_rng(1).normal(0, 0.01, (SYMBOLS, SESSIONS)).cumsum(axis=1)
    for ticker, closes in zip(made, (100 * np.exp(moves)).tolist(), strict=True):
        bars.upsert(
            Value(ticker, "1d", at, close, close, close, close, 1_000_000, True, "replay", now)
            for at, close in zip(days, closes, strict=True)
        )
    return made


def test_columns_of_many_symbols(tickers):
    def ours() -> None:
        store.clear()
        kept()

    def kept() -> None:
        found = bars.of_many(tickers)
        assert sum(len(each["close"]) for each in found.values()) == SYMBOLS * SESSIONS

    def objects() -> None:
        found = list(Bar.objects.filter(symbol__ticker__in=tickers, interval="1d", is_final=True))
        assert len(found) == SYMBOLS * SESSIONS

    evidence = Evidence("bars")
    for what, way, gate, goal in (("read", ours, 8, 12), ("kept", kept, 200, 200)):
        mine, theirs = alternated(ROUNDS, _seconds(way), _seconds(objects))
        # How often ours goes into the rival's time: both are told by their rate.
        mine, theirs = ([SYMBOLS * SESSIONS / each for each in some] for some in (mine, theirs))
        evidence.add(Line(f"bars a CPU second, {what}", mine, theirs, "bars/s", gate, goal))
    evidence.tell()
    assert all(line.reaches(line.gate) for line in evidence.lines)


def _seconds(work: Callable[[], None]) -> Callable[[], float]:
    def measured() -> float:
        began = time.process_time()
        work()
        return time.process_time() - began

    return measured
