"""The feed of 2,000 symbols with a year of bars: half of them tick once a second, half are silent and asked for every
nine seconds.

A hundred are held, as a watchlist holds them. The feed has a core to itself; Yahoo's stub and Redis have the other.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.db import connection
from redis.asyncio import Redis

from market import quotes
from market.history import START
from market.models import Bar, Coverage, DataSource, Symbol
from market.prices import FINAL, midnight
from realtime import held
from tests.bench.evidence import Evidence, Line
from tests.bench.market.yahoo import BASE, Yahoo
from tests.bench.stream import ground
from tests.bench.stream.ground import Ground
from tests.conftest import shared_database
from tests.server import eventually

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
HISTORY = 260  # bars of each
SYMBOLS, HELD, RATE = max(20, round(2_000 * SCALE)), max(2, round(100 * SCALE)), 50
ROUNDS, SECONDS, START_SECONDS = max(1, round(3 * SCALE)), max(2.0, 12 * SCALE), 120
AGE_SECONDS, LATE_SECONDS = 10.0, 0.05  # a silent symbol was asked for so long ago at most; what the stub may be late
# At home where trade never ends, so that the hour of a measurement is none of its figures.
SAME = {"exchange": "CCC", "currency": "USD", "time_zone": "UTC", "name": "a share"}


@dataclass(frozen=True)
class Round:
    """busy: of the feed's core. age: seconds since the oldest question. stub: of its core. late: seconds."""

    busy: float
    age: float
    stub: float
    late: float


@pytest.fixture
def tickers() -> list[str]:
    DataSource.objects.create(pk=1, name="yahoo", reason="measured", chosen_at=datetime.now(UTC))
    Symbol.objects.all().update(is_active=False)
    found = [f"S{number:04}" for number in range(SYMBOLS)]
    Symbol.objects.bulk_create([Symbol(ticker=ticker, **SAME) for ticker in found])
    loaded = {"interval": "1d", "first_wanted": START, "complete_since": datetime.now(UTC), "version": "1"}
    keys = Symbol.objects.filter(ticker__in=found).values_list("pk", flat=True)
    Coverage.objects.bulk_create([Coverage(symbol_id=key, **loaded) for key in keys])
    _hold_bars(list(keys))
    return found


def _hold_bars(symbols: list[int]) -> None:
    """Enough for every indicator that everybody gets, up to yesterday; those of one symbol are all others' too."""
    first = symbols[0]
    today = datetime.now(UTC).date()
    days = [midnight(today - timedelta(days=back)) for back in range(HISTORY, 0, -1)]
    closes = BASE + np.cumsum(np.random.default_rng(1).normal(0, 0.3, HISTORY))[::-1]
    closes[-1] = BASE  # else each symbol would seem to be split
    told = {"interval": "1d", "volume": 1000, "state": FINAL, "source": "yahoo", "received_at": datetime.now(UTC)}
    Bar.objects.bulk_create([
        Bar(symbol_id=first, opened_at=at, session_date=at.date(), open=close, high=close + 1, low=close - 1,
            close=close, **told)
        for at, close in zip(days, closes.tolist(), strict=True)
    ])  # fmt: skip
    quoted = connection.ops.quote_name
    table, symbol = quoted(Bar._meta.db_table), quoted(Symbol._meta.db_table)
    columns = [quoted(each.column) for each in Bar._meta.local_concrete_fields if each.column != "symbol_id"]
    names, theirs = (", ".join(f"{before}{name}" for name in columns) for before in ("", f"{table}."))
    statement = (
        f"INSERT INTO {table} (symbol_id, {names}) SELECT {symbol}.id, {theirs} FROM {table} CROSS JOIN {symbol}"
        f" WHERE {table}.symbol_id = %s AND {symbol}.is_active AND {symbol}.id <> %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [first, first])


@pytest.fixture
def yahoo() -> Iterator[Yahoo]:
    started = Yahoo.started(ground.CLIENT)
    yield started
    started.end()


def test_many_symbols_polled_and_streamed(yahoo, tickers, tmp_path):
    streamed, polled = tickers[::2], tickers[1::2]
    with ExitStack() as stack:
        feed = _started(Ground(tmp_path, stack), yahoo)
        yahoo.ask("play", tickers=streamed, seconds=3.0)
        assert eventually(lambda: len(_told(tickers)) == SYMBOLS, seconds=START_SECONDS), _log(tmp_path)
        _measured(yahoo, feed.pid, streamed, polled, SECONDS / 2)
        rounds = [_measured(yahoo, feed.pid, streamed, polled, SECONDS) for _ in range(ROUNDS)]
    _judge(rounds)


def _started(on: Ground, yahoo: Yahoo):
    own = {"FINSTAGE_SOURCE": "yahoo", "FINSTAGE_YAHOO_RATE": str(RATE), "FINSTAGE_VAR": str(on.folder / "feed")}
    own |= {**shared_database(), **yahoo.environment}
    feed = on.begin("feed", sys.executable, "manage.py", "feed", core=ground.SERVERS, **own)
    assert eventually(lambda: yahoo.ask("listeners")["listeners"], seconds=START_SECONDS), _log(on.folder)
    return feed


def _told(tickers: list[str]) -> list[str]:
    return [ticker for ticker, quote in quotes.latest(tickers).items() if quote is not None]


def _measured(yahoo: Yahoo, feed: int, streamed: list[str], polled: list[str], seconds: float) -> Round:
    asyncio.run(_hold([*streamed[: HELD // 2], *polled[: HELD // 2]]))
    began, before = ground.cpu(feed), yahoo.ask("count")
    told = yahoo.ask("play", tickers=streamed, seconds=seconds)
    busy = (ground.cpu(feed) - began) / told["seconds"]
    asked = {ticker: at for ticker, at in told["asked"].items() if ticker in set(polled)}
    age = max(time.monotonic() - at for at in asked.values())
    stub, late = (told["cpu"] - before["cpu"]) / told["seconds"], float(np.quantile(told["late"] or [0.0], 0.95))
    assert told["ticks"] == round(seconds * len(streamed))
    return Round(busy, age, stub, late)


async def _hold(tickers: list[str]) -> None:
    async with Redis.from_url(settings.REDIS_URL) as server:
        await held.say(server, tickers)


def _judge(rounds: list[Round]) -> None:
    evidence = Evidence("market-feed")
    marks = {"is_smaller_better": True, "gates_ours": True}
    stub = f"the stub {max(each.stub for each in rounds):.0%}, {1000 * max(each.late for each in rounds):.0f} ms late"
    what = f"{SYMBOLS:,} symbols polled and streamed, of one core ({stub})"
    busy, full = [100 * each.busy for each in rounds], [100.0] * len(rounds)
    evidence.add(Line(what, busy, full, "%", 60, 30, **marks))
    ages = [each.age for each in rounds]
    evidence.add(Line("how long ago a silent one was asked for", ages, [AGE_SECONDS] * len(ages), "s", 12, 10, **marks))
    evidence.tell()
    assert max(each.late for each in rounds) < LATE_SECONDS
    assert all(line.reaches(line.gate) for line in evidence.lines)


def _log(folder: Path) -> str:
    return (folder / "feed.log").read_text()[-3000:]
