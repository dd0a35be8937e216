"""Conditions over columns against one SQL statement, rules over histories against pandas, and a closed bar of many.

In one process, alternately, in processor seconds. The columns of a screen are those that a process holds; candlestick
patterns are left out against pandas, which nobody writes there.
"""

import os
import sqlite3
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from analysis.conditions import texts
from analysis.conditions.evaluating import Condition
from analysis.conditions.values import OWN, History, Live
from analysis.conformance import measuring
from analysis.indicators.entry import PATTERN
from analysis.screener import EARLIER
from analysis.signals.catalogue import LANGUAGE, RULES
from tests.bench import signals_pandas
from tests.bench.evidence import Evidence, Line

pytestmark = [pytest.mark.bench]
ROUNDS = max(1, round(5 * float(os.environ.get("BENCH_SCALE", "1"))))
BARS, SYMBOLS, ROWS = 2_520, 500, 5_000
SOME = 10  # symbols of which the time is taken: it is the same for each
LINE = "rsi_14 < 30 and close > sma_200 and volume > 1000000"
STATEMENT = "SELECT ticker FROM wide WHERE rsi_14 < 30 AND close > sma_200 AND volume > 1000000"
Columns = dict[str, np.ndarray]


def test_signals():
    evidence = Evidence("signals")
    ours, rival = _screened()
    evidence.add(
        Line("three terms over 5,000 symbols, held as columns, against SQL", ours, rival, "ms", 1.5, 1.2, True)
    )

    symbols = _symbols()
    ours = [_cpu(lambda: _computed(symbols)) / SOME * ROWS for _ in range(ROUNDS)]
    evidence.add(Line("the same computed from their bars in memory", ours, [1.0] * ROUNDS, "s", 2, 1, True, True))

    frames = [pd.DataFrame(each).drop(columns="session_date") for each in symbols]
    plain = [rule for rule in RULES.values() if rule.of != PATTERN]
    assert len(signals_pandas.rules(frames[0])) == len(plain)
    pairs = [(_cpu(lambda: [_fired(each, plain) for each in symbols]),
              _cpu(lambda: [signals_pandas.rules(each) for each in frames])) for _ in range(ROUNDS)]  # fmt: skip
    scale = SYMBOLS / SOME
    ours, rival = [each * scale for each, _ in pairs], [each * scale for _, each in pairs]
    evidence.add(Line("35 rules over 500 symbols of 2,520 bars (pandas / ours)", rival, ours, "s", 10, 20))
    every = [_cpu(lambda: [_fired(each, list(RULES.values())) for each in symbols]) * scale for _ in range(ROUNDS)]
    evidence.add(Line("all 119 rules over the same", every, [1.0] * ROUNDS, "s", 15, 5, True, True))

    judging, moving = _live(symbols)
    evidence.add(
        Line("one closed bar of 500 symbols through all rules", judging, [1.0] * ROUNDS, "ms", 25, 10, True, True)
    )
    evidence.add(Line("and moving the 78 indicators that they read", moving, [1.0] * ROUNDS, "ms", 120, 25, True, True))
    evidence.tell()
    assert all(line.reaches(line.gate) for line in evidence.lines)


def _screened() -> tuple[list[float], list[float]]:
    """Milliseconds of ours, and of SQLite in memory; both find the same."""
    condition, random = Condition(texts.read(LINE)), np.random.default_rng(1)
    tickers = np.array([f"S{number:04}" for number in range(ROWS)])
    rows = {"close": random.uniform(1, 500, ROWS), "sma_200": random.uniform(1, 500, ROWS),
            "rsi_14": random.uniform(5, 95, ROWS), "volume": random.uniform(0, 5e6, ROWS)}  # fmt: skip
    wide = sqlite3.connect(":memory:")
    wide.execute("CREATE TABLE wide (ticker TEXT PRIMARY KEY, close REAL, sma_200 REAL, rsi_14 REAL, volume REAL)")
    wide.executemany(
        "INSERT INTO wide VALUES (?, ?, ?, ?, ?)",
        zip(tickers.tolist(), *map(np.ndarray.tolist, rows.values()), strict=True),
    )
    values = {series: rows[series.name][None] for series in condition.series}

    def ours() -> list[str]:
        return tickers[condition.now(values) == 2].tolist()

    def rival() -> list[str]:
        return [ticker for (ticker,) in wide.execute(STATEMENT)]

    assert sorted(ours()) == sorted(rival())
    pairs = [(_cpu(lambda: [ours() for _ in range(50)]), _cpu(lambda: [rival() for _ in range(50)]))
             for _ in range(ROUNDS)]  # fmt: skip
    return [each * 20 for each, _ in pairs], [each * 20 for _, each in pairs]


def _computed(symbols: list[Columns]) -> np.ndarray:
    condition = Condition(texts.read(LINE))
    found = [History({OWN: columns}).of(condition) for columns in symbols]
    bars = condition.bars + EARLIER
    return condition.now({each: np.stack([values[each][-bars:] for values in found], 1) for each in condition.series})


def _symbols() -> list[Columns]:
    """Each with its own real bars: the recorded ones, begun elsewhere."""
    recorded = measuring.bars()
    days = np.datetime64("2000-01-03") + np.arange(BARS)
    return [{**{name: np.ascontiguousarray(values[at * 70 :][:BARS]) for name, values in recorded.items()},
             "session_date": days} for at in range(SOME)]  # fmt: skip


def _fired(columns: Columns, rules: list) -> None:
    history = History({OWN: columns}, LANGUAGE)
    for rule in rules:
        rule.condition.fires(rule.condition.over(history.of(rule.condition)))


def _live(symbols: list[Columns]) -> tuple[list[float], list[float]]:
    """Milliseconds of judging one bar of 500 symbols, and of moving what is judged; the same few, many times."""
    rules = [rule.condition for rule in RULES.values()]
    wanted = {series for rule in rules for series in rule.series}
    before = [{name: each[:-1] for name, each in columns.items()} for columns in symbols]
    lives = [Live(wanted, {OWN: columns}, LANGUAGE) for columns in before]
    bars = [{**{name: each[-1].item() for name, each in columns.items() if name != "session_date"},
             "session_date": float(columns["session_date"][-1].astype(int))} for columns in symbols]  # fmt: skip
    many = [at % SOME for at in range(SYMBOLS)]
    told = [History({OWN: columns}, LANGUAGE).values(wanted) for columns in before]
    held = {series: np.stack([told[at][series] for at in many], 1) for series in wanted}
    states = [rule.opened(held) for rule in rules]
    judging, moving = [], []
    for _ in range(ROUNDS):
        found: list[dict] = []
        moving.append(_cpu(lambda: found.extend(lives[at].update(bars[at]) for at in many)) * 1000)  # noqa: B023
        judging.append(_cpu(lambda: _judged(rules, states, found)) * 1000)  # noqa: B023
    return judging, moving


def _judged(rules: list[Condition], states: list, found: list[dict]) -> None:
    values = dict(zip(found[0], np.array([list(each.values()) for each in found]).T, strict=True))
    for rule, state in zip(rules, states, strict=True):
        rule.step(state, values)


def _cpu(step: Callable[[], object]) -> float:
    began = time.process_time()
    step()
    return time.process_time() - began
