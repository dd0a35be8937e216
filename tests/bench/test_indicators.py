"""The 22 outputs that charts show most: over arrays in memory, for one bar more, and to open and hold them live.

Rivals: pandas, symbol by symbol, as scripts compute them, which for one bar more computes the series again; and numba,
in one pass written for these outputs alone, or one step of it. In one process, alternately, in processor seconds.
"""

import os
import time
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import pandas as pd
import psutil
import pytest

from analysis.conformance import measuring
from analysis.indicators import catalogue
from analysis.indicators.across.group import Group, Member
from tests.bench import fused, scripted
from tests.bench.evidence import Evidence, Line

pytestmark = [pytest.mark.bench]
KEYS = (
    "sma_5", "sma_10", "sma_20", "sma_50", "sma_200", "ema_12", "ema_26", "rsi_14", "macd_12_26_9", "bbands_20_2",
    "atr_14", "adx_14", "stoch_14_3_3", "obv", "vwap_20", "donchian_252",
)  # fmt: skip
CHOSEN = {key: catalogue.named(key) for key in KEYS}
INDICATORS = list(CHOSEN.values())
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
BARS, SYMBOLS, ROUNDS = 2520, max(10, round(500 * SCALE)), max(1, round(5 * SCALE))
PANDAS_SYMBOLS = min(20, SYMBOLS)  # the rival's time for one is the same for each
NEW = max(2, round(15 * SCALE))  # bars one after the other
PLACES = (*range(7), 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 21, 17, 18, 19, None, 20)  # of the rival, in our order
Columns = dict[str, np.ndarray]


def test_indicators():
    evidence, whole = Evidence("indicators"), _symbols()
    symbols = [{name: column[:BARS] for name, column in each.items()} for each in whole]
    frames = [pd.DataFrame(each) for each in symbols[:PANDAS_SYMBOLS]]
    pairs = [
        (_cpu(lambda: _batch(symbols)), _cpu(lambda: [scripted.outputs(each) for each in frames]))
        for _ in range(ROUNDS)
    ]
    ours, rival = [each / SYMBOLS for each, _ in pairs], [each / PANDAS_SYMBOLS for _, each in pairs]
    evidence.add(Line("22 outputs over 2,520 bars of a symbol", _ms(rival), _ms(ours), "ms (pandas / ours)", 8, 15))
    columns = [np.stack([each[name] for each in whole]) for name in ("high", "low", "close", "volume")]
    states = _fused(columns)  # compiles
    _assert_same(symbols[0], states, columns)
    pairs = [(_cpu(lambda: _batch(symbols)), _cpu(lambda: _fused(columns))) for _ in range(ROUNDS)]
    ours, rival = [each for each, _ in pairs], [each for _, each in pairs]
    evidence.add(Line(f"the same of {SYMBOLS} symbols", _ms(ours), _ms(rival), "ms (ours / numba)", 5, 3, True))

    before, together, members = psutil.Process().memory_info().rss, Group(CHOSEN), []
    opening = _cpu(lambda: members.extend(together.opened(CHOSEN, "SHARE", each) for each in symbols))
    held = (psutil.Process().memory_info().rss - before) / SYMBOLS * 5000 / 2**30
    evidence.add(Line(f"opening them live for {SYMBOLS} symbols", [opening], [1.0], "s", 1.0, 0.5, True, True))
    evidence.add(Line("memory of 5,000 symbols' handles", [held], [1.5], "GB", 1.5, 0.8, True, True))

    bars = [[_bar(each, at) for each in whole] for at in range(BARS, BARS + NEW)]
    assert all(member.standing.keys() | {"bbands_20_2"} == CHOSEN.keys() for member in members)
    out = np.empty((SYMBOLS, fused.OUTPUTS))
    fused.update(states.copy(), *columns, BARS, out)  # compiles
    moving = [_cpu(partial(_moved, together, members, each)) / SYMBOLS for each in bars]
    stepping = [_cpu(partial(fused.update, states, *columns, BARS + at, out)) / SYMBOLS for at in range(NEW)]
    anew = [_cpu(lambda: [scripted.outputs(each) for each in frames]) / PANDAS_SYMBOLS for _ in range(NEW)]
    evidence.add(Line("one new bar of a symbol, against pandas anew", _us(anew), _us(moving), "us", 500, 1000))
    evidence.add(Line("the same", _us(moving), _us(stepping), "us (ours / numba)", 25, 15, True))

    recorded = measuring.bars()
    apart = max(measuring.measured(each, recorded).live_difference for each in INDICATORS)
    evidence.add(Line("greatest difference of live and batch", [apart], [1.0], "", 0, 0, True, True))
    evidence.tell()
    assert all(line.reaches(line.gate) for line in evidence.lines)


def _symbols() -> list[Columns]:
    """As many as a market has, each with its own real bars: the recorded ones, begun elsewhere and scaled."""
    recorded, bars = measuring.bars(), BARS + NEW
    days = recorded["session_date"][0] + np.arange(bars)
    parts = [{name: values[at % 700 :][:bars] * (1 + at / 100) for name, values in recorded.items()
              if name != "session_date"} for at in range(SYMBOLS)]  # fmt: skip
    return [{**{name: np.ascontiguousarray(values) for name, values in each.items()}, "session_date": days}
            for each in parts]  # fmt: skip


def _bar(columns: Columns, at: int) -> dict[str, float]:
    """As a feed has it."""
    return {name: columns[name][at].item() for name in ("open", "high", "low", "close", "volume")}


def _batch(symbols: list[Columns]) -> None:
    for columns in symbols:
        for each in INDICATORS:
            each.over(columns)


def _fused(columns: list[np.ndarray]) -> np.ndarray:
    """States behind the last bars."""
    out = np.empty((BARS, fused.OUTPUTS))
    return np.array([fused.over(*(column[:BARS] for column in each), out) for each in zip(*columns, strict=True)])


def _assert_same(symbol: Columns, states: np.ndarray, columns: list[np.ndarray]) -> None:
    """The rival says what ours does, once no beginning matters; a step goes on where the pass ended."""
    out = np.empty((BARS, fused.OUTPUTS))
    fused.over(*(each[0][:BARS] for each in columns), out)
    ours = [series for each in INDICATORS for series in each.over(symbol).values()]
    for at, expected in zip(PLACES, ours, strict=True):
        if at is not None:  # what lies between high and low nobody asked for
            np.testing.assert_allclose(out[800:, at], expected[800:], rtol=1e-7, atol=1e-7)
    assert np.isfinite(states).all()


def _moved(together: Group, members: list[Member], bars: list[dict[str, float]]) -> None:
    """What has a twin at once, what has none symbol by symbol."""
    together.table.update([member.row for member in members], bars)
    for member, bar in zip(members, bars, strict=True):
        for each in member.apart.values():
            each.live.update(*[bar[name] for name in each.inputs])


def _cpu(step: Callable[[], object]) -> float:
    began = time.process_time()
    step()
    return time.process_time() - began


def _ms(seconds: Iterable[float]) -> list[float]:
    return [each * 1000 for each in seconds]


def _us(seconds: Iterable[float]) -> list[float]:
    return [each * 1_000_000 for each in seconds]
