"""Ten years of days of 500 symbols through the door of bars, against what each database does at its quickest.

The rivals check nothing: MariaDB's LOAD DATA from a file that is there, bare sqlite3 with rows that are there. Seconds
are those of the processors, ours and the database's: a series of writes leaves SQLite's lock alone between two of
them, and what else runs on the machine is not counted. What a refetch costs is told of our process alone, as the gate
is, with the server's beside it; the first time each row gets the time of an answer that says it again, and grows.
bulk_create takes as long for each row however many there are,
and is measured with a tenth of them.
"""

import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from django.db import connection

from market.models import Bar, BarRevision, Confirmation, Coverage
from tests.bench import series
from tests.bench.conftest import Engine
from tests.bench.evidence import Evidence, Line

pytestmark = [pytest.mark.bench]
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
SYMBOLS, SAMPLE, ROUNDS = max(2, round(500 * SCALE)), max(1, round(50 * SCALE)), 2
USUAL = {"sqlite": 1.9, "mariadb": 2.9}  # µs a row that the rivals take on a quiet machine
COLUMNS = (
    "symbol_id, `interval`, opened_at, session_date, open, high, low, close, volume, is_final, revision, source, "
    "received_at, state"
)


def test_bars_written(engine, tmp_path):
    ours, told = series.made(SYMBOLS), Evidence(f"bars-written-{engine.name}")
    rival, took = _rival(engine, ours.rows(SYMBOLS), tmp_path), defaultdict(list)

    def measure(what: str, count: int, work: Callable[[], object]) -> None:
        engine.settle()
        began = engine.cpu()
        work()
        engine.settle()
        took[what].append((engine.cpu() - began) * 1e6 / count)

    for number in range(ROUNDS):
        _empty()
        measure("a rival", len(ours), rival)
        measure("into an empty table", len(ours), ours.write)
        for what in ("nothing changed, the first time", "nothing changed"):
            measure(what, len(ours), lambda: ours.write(moved=ours.moved))
        measure("all changed, a revision kept", len(ours), lambda number=number: ours.write(moved=1 + number / 100))
        _empty()
        rows = [_row(*row) for row in ours.rows(SAMPLE)]
        measure("bulk_create", len(rows), lambda rows=rows: Bar.objects.bulk_create(rows, batch_size=500))
    whole = {what: [each.sum() for each in some] for what, some in took.items()}
    for what, against, gate, goal in (
        ("into an empty table", "a rival", 0.3, 0.45),
        ("all changed, a revision kept", "a rival", 0.1, 0.25),
        ("into an empty table", "bulk_create", 4, 7),
    ):
        mine, theirs = ([1e6 / each for each in whole[name]] for name in (what, against))
        told.add(Line(f"{engine.name}: {what}, against {against}", mine, theirs, "bars/s", gate, goal))
    marks = {"is_smaller_better": True, "gates_ours": True, "usual": USUAL[engine.name]}
    for what in ("nothing changed, the first time", "nothing changed"):
        mine, servers = np.transpose(took[what])
        beside = f" (and {servers.mean():.1f} of the server)" if engine.server else ""
        told.add(Line(f"{engine.name}: {what}{beside}", mine.tolist(), whole["a rival"], "µs/bar", 5, 3, **marks))
    told.tell()
    assert all(line.reaches(line.gate) for line in told.lines)


def _empty() -> None:
    # A row is deleted for itself on MariaDB, which takes longer than all that is measured.
    emptied = "TRUNCATE TABLE" if connection.vendor == "mysql" else "DELETE FROM"
    with connection.cursor() as cursor:
        for model in (Bar, BarRevision, Confirmation, Coverage):
            cursor.execute(f"{emptied} {model._meta.db_table}")


def _row(*values: object) -> Bar:
    names = ("symbol_id", "interval", "opened_at", "session_date", "open", "high", "low", "close", "volume", "is_final",
             "revision", "source", "received_at", "state")  # fmt: skip
    row = dict(zip(names, values, strict=True))
    at = {name: datetime.fromisoformat(row[name]).replace(tzinfo=UTC) for name in ("opened_at", "received_at")}
    return Bar(**row | at | {"is_final": True})


def _rival(engine: Engine, rows: list[tuple], folder: Path) -> Callable[[], None]:
    if engine.name == "sqlite":
        return lambda: _bare(rows, folder / "bare.sqlite3")
    path = folder / "bars.tsv"
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))

    def load() -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE OR REPLACE TABLE rival LIKE market_bar")
            cursor.execute(f"LOAD DATA INFILE '{path}' INTO TABLE rival ({COLUMNS})")

    return load


def _bare(rows: list[tuple], path: Path) -> None:
    path.unlink(missing_ok=True)
    bare = sqlite3.connect(path)
    bare.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
    bare.execute(f"CREATE TABLE rival ({COLUMNS}, PRIMARY KEY (symbol_id, `interval`, opened_at))")
    with bare:
        bare.executemany(f"INSERT INTO rival VALUES ({', '.join('?' * 14)})", rows)
    bare.close()
