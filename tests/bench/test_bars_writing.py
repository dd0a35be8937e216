"""Ten years of days of 500 symbols through the door of bars, against what each database does at its quickest.

The rivals check nothing: MariaDB's LOAD DATA from a file that is there, bare sqlite3 with rows that are there. Seconds
are those of the clock on MariaDB, where the server does half of it, and of the processor on SQLite, where a series of
writes leaves the lock alone between two of them.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import environ
import numpy as np
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.utils import load_backend

from market import bars
from market.models import Bar, BarRevision, Confirmation, Coverage, Symbol
from tests import services
from tests.bench.evidence import Evidence, Line, alternated

pytestmark = [pytest.mark.bench]
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
SYMBOLS, SESSIONS, ROUNDS = max(2, round(500 * SCALE)), 2_520, 3
AT_ONCE = 50  # symbols of one call
# 5 µs a bar and 3, where on a quiet machine bare sqlite3 takes 1.9 and LOAD DATA 2.9.
UNCHANGED = {"sqlite": (0.38, 0.63), "mariadb": (0.58, 0.97)}
RECEIVED = datetime(2024, 6, 1, tzinfo=UTC)
COLUMNS = (
    "symbol_id, `interval`, opened_at, session_date, open, high, low, close, volume, is_final, revision, source, "
    "received_at, state"
)


@dataclass
class Series:
    """Columns of all symbols, in their order; how often they were told, and by how much all prices had moved."""

    tickers: list[str]
    keys: np.ndarray
    days: np.ndarray
    close: np.ndarray
    answers: int = 0
    moved: float = 0.0

    def write(self, moved: float = 0.0) -> None:
        """All of them as one later answer, some symbols a call."""
        self.answers, self.moved = self.answers + 1, moved
        for first in range(0, len(self.tickers), AT_ONCE):
            part = slice(first * SESSIONS, (first + AT_ONCE) * SESSIONS)
            close = self.close[part] + moved
            names = self.tickers[first : first + AT_ONCE]
            columns = {
                "symbol": np.repeat(np.arange(len(names)), SESSIONS), "opened_at": np.tile(self.days, len(names)),
                "open": close, "high": close + 1, "low": close - 1, "close": close,
                "volume": np.full(len(close), 1_000_000),
            }  # fmt: skip
            answer = bars.answer(
                names, "1d", columns, source="replay", received_at=RECEIVED + timedelta(minutes=self.answers)
            )
            assert not bars.write(answer, reason="a measurement").refused

    def rows(self) -> list[tuple]:
        """What a rival writes."""
        keys = np.repeat(self.keys, SESSIONS).tolist()
        texts = [f"{day} 00:00:00" for day in self.days.astype(str).tolist()] * len(self.tickers)
        return [
            (key, "1d", text, text[:10], close, close + 1, close - 1, close, 1_000_000, 1, 0, "replay",
             "2024-06-01 00:00:00", "final")
            for key, text, close in zip(keys, texts, self.close.tolist(), strict=True)
        ]  # fmt: skip


@pytest.fixture(params=["sqlite", "mariadb"])
def engine(request, tmp_path, django_db_blocker) -> Iterator[str]:
    """Our own tables in an empty database of either kind, which this process writes for a while."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/bench.sqlite3"
    else:
        url = services.make_database(services.start_mariadb(tmp_path), "bench")
    parsed = {**settings.DATABASES["default"], **environ.Env.db_url_config(url), "TEST": {}}
    if request.param == "mariadb":
        parsed["OPTIONS"] = {"charset": "utf8mb4", **environ.Env.db_url_config(url).get("OPTIONS", {})}
    with django_db_blocker.unblock():
        before = connections["default"]
        connections["default"] = load_backend(parsed["ENGINE"]).DatabaseWrapper(parsed, "default")
        try:
            call_command("migrate", verbosity=0)
            yield request.param
        finally:
            connection.close()
            connections["default"] = before


@pytest.fixture
def series(engine) -> Series:
    facts = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    made = [Symbol(ticker=f"S{number:04}", name="a share", **facts) for number in range(SYMBOLS)]
    Symbol.objects.bulk_create(made)
    keys = dict(Symbol.objects.values_list("ticker", "pk"))
    tickers = sorted(keys)
    days = np.datetime64("2014-01-02") + np.arange(SESSIONS)
    moves = np.random.default_rng(1).normal(0, 0.01, (SYMBOLS, SESSIONS)).cumsum(axis=1)
    close = np.round(100 * np.exp(moves), 2).ravel() + 2
    return Series(tickers, np.array([keys[ticker] for ticker in tickers]), days, close)


def test_bars_written(engine, series, tmp_path):
    count, evidence = SYMBOLS * SESSIONS, Evidence(f"bars-written-{engine}")
    rival = _rival(engine, series, tmp_path)

    def load() -> float:
        _empty()
        return _timed(engine, series.write)

    def change() -> float:
        return _timed(engine, lambda: series.write(moved=series.answers / 100))

    def again() -> float:
        return _timed(engine, lambda: series.write(moved=series.moved))

    def created() -> float:
        Bar.objects.all().delete()
        rows = [_row(*row) for row in series.rows()]
        return _timed(engine, lambda: Bar.objects.bulk_create(rows, batch_size=500))

    few, fewer = UNCHANGED[engine]
    for what, ours, gate, goal in (
        ("into an empty table", load, 0.3, 0.45),
        ("all changed, a revision kept", change, 0.1, 0.25),
        ("nothing changed", again, few, fewer),
    ):
        mine, others = (_rates(seconds, count) for seconds in alternated(ROUNDS, ours, rival))
        evidence.add(Line(f"{engine}: {what}", mine, others, "bars/s", gate, goal))
    mine, others = (_rates(seconds, count) for seconds in alternated(ROUNDS, load, created))
    evidence.add(Line(f"{engine}: against bulk_create", mine, others, "bars/s", 4, 7))
    evidence.tell()
    assert all(line.reaches(line.gate) for line in evidence.lines)


def _rates(seconds: list[float], count: int) -> list[float]:
    return [count / each for each in seconds]


def _empty() -> None:
    for model in (Bar, BarRevision, Confirmation, Coverage):
        model.objects.all().delete()


def _row(*values: object) -> Bar:
    names = ("symbol_id", "interval", "opened_at", "session_date", "open", "high", "low", "close", "volume", "is_final",
             "revision", "source", "received_at", "state")  # fmt: skip
    row = dict(zip(names, values, strict=True))
    at = {name: datetime.fromisoformat(row[name]).replace(tzinfo=UTC) for name in ("opened_at", "received_at")}
    return Bar(**row | at | {"is_final": True})


def _rival(engine: str, series: Series, folder: Path) -> Callable[[], float]:
    rows = series.rows()
    if engine == "sqlite":
        return lambda: _bare(rows, folder / "bare.sqlite3")
    path = folder / "bars.tsv"
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))

    def load() -> float:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS rival")
            cursor.execute("CREATE TABLE rival LIKE market_bar")
            began = time.perf_counter()
            cursor.execute(f"LOAD DATA INFILE '{path}' INTO TABLE rival ({COLUMNS})")
            return time.perf_counter() - began

    return load


def _bare(rows: list[tuple], path: Path) -> float:
    path.unlink(missing_ok=True)
    bare = sqlite3.connect(path)
    bare.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
    bare.execute(f"CREATE TABLE rival ({COLUMNS}, PRIMARY KEY (symbol_id, `interval`, opened_at))")
    began = time.process_time()
    with bare:
        bare.executemany(f"INSERT INTO rival VALUES ({', '.join('?' * 14)})", rows)
    took = time.process_time() - began
    bare.close()
    return took


def _timed(engine: str, work: Callable[[], object]) -> float:
    clock = time.process_time if engine == "sqlite" else time.perf_counter
    began = clock()
    work()
    return clock() - began
