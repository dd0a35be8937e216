"""Hours and days made of the minutes of 500 symbol-months, against polars on plain buckets.

Ours begin with the sessions, know a half day and a lunch break, and say of each bar how settled it is and when it came;
polars' begin with the hour and with the date, and say prices and volumes alone. Counted are the processor seconds of
all threads, of columns that lie in memory.
"""

import os
import time
from collections.abc import Callable
from datetime import date

import numpy as np
import polars
import pytest

from market import intervals
from market.bars import resampling
from market.bars.batch import FINAL, Batch
from market.bars.resampling import hours
from market.calendars import sessions
from tests.bench.evidence import Evidence, Line, alternated

pytestmark = [pytest.mark.bench]
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
SYMBOLS, ROUNDS = max(2, round(500 * SCALE)), max(2, round(5 * SCALE))
MONTH, EXCHANGE = (date(2024, 7, 1), date(2024, 7, 31)), "XNYS"  # with a half day
GATES = {"1h": (0.5, 1), "1d": (0.5, 1)}


def test_bars_made_of_minutes():
    year, evidence = sessions.of(EXCHANGE, MONTH[0].year), Evidence("market-made")
    minutes, known = _minutes(year.between(*MONTH)), hours.of(year)
    frame = _frame(minutes)
    for name, (gate, goal) in GATES.items():
        interval = intervals.named(name)
        ours, theirs = _made(minutes, interval, known), _grouped(frame, name)
        assert _volume(ours) == theirs["volume"].sum()
        mine, rivals = alternated(
            ROUNDS,
            lambda interval=interval: _rate(lambda: _made(minutes, interval, known), len(minutes)),
            lambda name=name: _rate(lambda: _grouped(frame, name), len(minutes)),
        )
        what = f"1m to {name} of {SYMBOLS} symbol-months, against group_by_dynamic"
        evidence.add(Line(what, mine, rivals, "minutes/CPU s", gate, goal))
    evidence.tell()
    assert all(line.reaches(line.gate) for line in evidence.lines)


def _minutes(month: list) -> Batch:
    """Each minute of each session, of all symbols."""
    opened = np.concatenate([np.arange(each.opens, each.closes, 60) for each in month])
    session = np.concatenate([np.full((each.closes - each.opens) // 60, _day(each.date)) for each in month])
    length = len(opened) * SYMBOLS
    close = np.round(100 * np.exp(np.random.default_rng(1).normal(0, 0.001, length).cumsum() / 100), 2)
    return Batch(
        "1m",
        "yahoo",
        tuple(f"S{number:03}" for number in range(SYMBOLS)),
        symbol=np.repeat(np.arange(SYMBOLS), len(opened)),
        opened=np.tile(opened, SYMBOLS),
        session=np.tile(session, SYMBOLS),
        open=close,
        high=close + 0.05,
        low=close - 0.05,
        close=close,
        volume=np.full(length, 1_000),
        state=np.full(length, FINAL),
        received=np.full(length, int(opened[-1]) * 1_000_000),
    )


def _day(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _frame(minutes: Batch) -> polars.DataFrame:
    names = ("symbol", "open", "high", "low", "close", "volume")
    opened = polars.Series("opened", minutes.opened * 1_000_000).cast(polars.Datetime("us"))
    return polars.DataFrame({name: getattr(minutes, name) for name in names}).with_columns(opened).set_sorted("opened")


def _made(minutes: Batch, interval: intervals.Interval, known: hours.Hours) -> Batch:
    return resampling.made(minutes, interval, known).bars


def _grouped(frame: polars.DataFrame, every: str) -> polars.DataFrame:
    column = polars.col
    return frame.group_by_dynamic("opened", every=every, group_by="symbol").agg(
        column("open").first(), column("high").max(), column("low").min(), column("close").last(),
        column("volume").sum(),
    )  # fmt: skip


def _volume(made: Batch) -> int:
    return int(made.volume.sum())


def _rate(work: Callable[[], object], minutes: int) -> float:
    """Minutes a processor second, of all threads."""
    began = time.process_time()
    work()
    return minutes / (time.process_time() - began)
