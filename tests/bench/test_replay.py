"""One client's replay of twelve years of five symbols: how fast the feed's messages are made and written to its socket,
how long a seek takes, and what it keeps in memory.
"""

import asyncio
import gc
import os
import socket
import subprocess
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime

import numpy as np
import pytest

from market import bars, player
from market.bars.columns import store
from market.models import Symbol
from market.player import Sessions
from realtime.clients import Client
from realtime.replay import playing, signals
from realtime.replay.playing import Playing
from realtime.replay.signals import Signals
from tests.bench.evidence import Evidence, Line
from tests.bench.series import FACTS

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
ROUNDS, SEEKS = max(2, round(5 * SCALE)), max(4, round(40 * SCALE))
SYMBOLS, YEARS, OF_A_YEAR = 5, max(1, round(12 * SCALE)), 252
PRICES, TOLD = 4, 3  # of a session, and what each brings beside signals: itself, its bar, and its indicators
START, END = date(2001, 1, 1), date(2030, 1, 1)
RECEIVED = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def tickers() -> list[str]:
    names = [f"S{number}" for number in range(SYMBOLS)]
    Symbol.objects.bulk_create([Symbol(ticker=name, name="a share", **FACTS) for name in names])
    count = YEARS * OF_A_YEAR
    days = np.busday_offset(np.datetime64(START), np.arange(count), roll="forward")
    moves = np.random.default_rng(1).normal(0, 0.01, (SYMBOLS, count)).cumsum(axis=1)
    close = np.round(100 * np.exp(moves), 2).ravel()
    columns = {
        "symbol": np.repeat(np.arange(SYMBOLS), count), "opened_at": np.tile(days, SYMBOLS), "open": close,
        "high": close + 1, "low": close - 1, "close": close, "volume": np.full(len(close), 1_000_000),
    }  # fmt: skip
    answer = bars.answer(names, "1d", columns, source="replay", received_at=RECEIVED)
    assert not bars.write(answer, reason="a measurement").refused
    return names


class Port:
    """A socket's transport, as a server gives it. first: hears of the next write."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.first: Callable[[], object] = lambda: None
        self.get_write_buffer_size = transport.get_write_buffer_size
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        self._transport.write(data)
        self.first()


@asynccontextmanager
async def to_a_client(sessions: Sessions, seen: Mapping[str, Signals]) -> AsyncIterator[tuple[Playing, Port]]:
    """A replay to another process, which reads all that it is sent."""
    ours, theirs = socket.socketpair()
    reader = subprocess.Popen(["wc", "-c"], stdin=theirs, stdout=subprocess.PIPE)
    theirs.close()
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)

    async def nothing(*_: object) -> None: ...

    port = Port(transport)
    replay = Playing(Client("a", nothing, nothing, port), sessions, None, flush=Client.flush, signals=seen)
    task = asyncio.create_task(playing.played(replay))
    try:
        yield replay, port
    finally:
        task.cancel()
        transport.close()
        read, _ = await asyncio.to_thread(reader.communicate)
        assert int(read) > 0


async def until_end(replay: Playing) -> None:
    while replay.state != playing.ENDED:
        await asyncio.sleep(0.02)


async def messages_a_second(sessions: Sessions, seen: Mapping[str, Signals]) -> float:
    """By the processor time of this process, which also writes: what else runs here does not count."""
    async with to_a_client(sessions, seen) as (replay, _):
        began = time.process_time()
        await until_end(replay)
        took = time.process_time() - began
    fired = sum(len(each.rules) for each in seen.values())
    assert replay.count == len(sessions) * SYMBOLS * PRICES * TOLD + fired > fired > 0
    return replay.count / took


async def seeks_ms(sessions: Sessions, seen: Mapping[str, Signals]) -> list[float]:
    """From a seek to anywhere until its first bytes are written."""
    found, places = [], np.random.default_rng(2).integers(0, len(sessions), SEEKS)
    async with to_a_client(sessions, seen) as (replay, port):
        for place in places.tolist():
            replay.pause()
            await asyncio.sleep(0.01)
            written, began = asyncio.Event(), time.perf_counter()
            port.first = written.set
            replay.seek(place)
            replay.resume()
            await written.wait()
            found.append((time.perf_counter() - began) * 1000)
    return found


async def memory_mb(tickers: list[str]) -> float:
    """What is kept of one that plays, with the bars that it has read."""
    store.clear()
    gc.collect()
    tracemalloc.start()
    try:
        sessions = await asyncio.to_thread(lambda: player.read(tickers, START, END, has_hours=True).sessions)
        seen = await asyncio.to_thread(signals.of, sessions)
        async with to_a_client(sessions, seen) as (replay, _):
            while replay.count < len(sessions) * TOLD:
                await asyncio.sleep(0.001)
            replay.pause()
            gc.collect()
            return tracemalloc.get_traced_memory()[0] / 1e6
    finally:
        tracemalloc.stop()


def test_a_replay_of_twelve_years(tickers):
    evidence = Evidence("replay")
    sessions = player.read(tickers, START, END, has_hours=True).sessions
    seen = signals.of(sessions)
    rates = [asyncio.run(messages_a_second(sessions, seen)) for _ in range(ROUNDS + 1)][1:]
    seeks, memory = asyncio.run(seeks_ms(sessions, seen)), asyncio.run(memory_mb(tickers))
    what = f"{SYMBOLS} symbols, {len(sessions):,} sessions"
    smaller = {"is_smaller_better": True, "gates_ours": True}
    lines = (
        Line(f"{what}: messages a CPU second", rates, [20_000.0] * len(rates), "/s", 20_000, 50_000, gates_ours=True),
        Line("a seek to anywhere, until it is written", seeks, [300.0] * len(seeks), "ms", 300, 50, **smaller),
        Line("memory of one, its bars too", [memory], [5.0], "MB", 5, 2, **smaller),
    )
    for line in lines:
        evidence.add(line)
    evidence.tell()
    assert all(line.reaches(line.gate) for line in lines)
