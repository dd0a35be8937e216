"""A large used database at this version's first start, on both engines: 500 symbols with ten years of days."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import environ
import pytest
from django.conf import settings
from django.db import connections, migrations, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from tests import apart, services
from tests.bench.evidence import Evidence, Line
from tests.used import dump

pytestmark = pytest.mark.bench
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
SYMBOLS, SESSIONS = round(500 * SCALE), 2_520
GATE_SECONDS, GOAL_SECONDS = 60, 10
FIRST_ID = 10_000
VALUES = "open, high, low, close, volume, is_final, revision, source, received_at"
BAR = f"interval, opened_at, {VALUES}, symbol_id, session_date"
COVERAGE = "interval, version, source, first_held, last_held, held, refused, corrections, symbol_id"


@dataclass(frozen=True)
class Large:
    """The database of a firm."""

    engine: str
    connection: BaseDatabaseWrapper
    environment: dict[str, str]

    def facts(self) -> tuple:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*), SUM(volume), MIN(close), MAX(close) FROM market_bar")
            return cursor.fetchone()


@pytest.fixture(scope="module")
def evidence() -> Iterator[Evidence]:
    made = Evidence("migrations")
    yield made
    made.tell()


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def large(request, tmp_path_factory, django_db_blocker) -> Iterator[Large]:
    folder = tmp_path_factory.mktemp(request.param)
    url = _url(request.param, folder)
    # As settings make it for such a URL, but for the tests' own database, which is another engine.
    parsed = {**environ.Env.db_url_config(url), "TIME_ZONE": None, "ATOMIC_REQUESTS": False, "AUTOCOMMIT": True}
    options = settings.DATABASES["default"]["OPTIONS"] if request.param == "sqlite" else {"charset": "utf8mb4"}
    defaults = {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False, "TEST": {}, "USER": "", "PASSWORD": "", "HOST": ""}
    connections.settings["large"] = {**defaults, **parsed, "OPTIONS": {**options, **parsed.get("OPTIONS", {})}}
    own = {"DATABASE_URL": url, "FINSTAGE_VAR": str(folder), "FINSTAGE_SOURCE": "yahoo"}
    with django_db_blocker.unblock():
        made = Large(request.param, connections["large"], {**os.environ, **own})
        dump.into_database(dump.load("yahoo"), made.connection)
        _fill(made.connection)
        yield made
        made.connection.close()
    del connections["large"], connections.settings["large"]


def test_the_first_start_on_a_large_database(large, evidence):
    before = large.facts()
    seconds = _timed(lambda: _prepare(large))
    line = evidence.add(_line(large, f"first start, {before[0]:,} bars", seconds))
    assert large.facts() == before
    assert line.reaches(line.gate)


def test_what_a_change_of_every_bar_costs(large, evidence):
    """No migration of ours, and so no gate that it must hold: what the next one may cost on this machine."""
    column = migrations.AddField("bar", "venue", models.CharField(max_length=8, null=True))
    evidence.add(_line(large, "one more column on bars", _timed(lambda: _apply(large.connection, column))))
    text = "UPDATE market_bar SET venue = 'XNAS'"
    filled = _timed(lambda: _apply(large.connection, migrations.RunSQL(text)))
    evidence.add(_line(large, "that column filled", filled))


def _line(large: Large, what: str, seconds: float) -> Line:
    limit = [float(GATE_SECONDS)]
    marks = {"is_smaller_better": True, "gates_ours": True}
    return Line(f"{large.engine}: {what}", [seconds], limit, "s", GATE_SECONDS, GOAL_SECONDS, **marks)


def _url(engine: str, folder: Path) -> str:
    if engine == "sqlite":
        return f"sqlite:///{folder}/large.sqlite3"
    if reason := apart.why_no_jobs():
        pytest.skip(reason)
    return services.make_database(services.start_mariadb(folder), "large")


def _fill(connection: BaseDatabaseWrapper) -> None:
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM market_symbol LIMIT 1")
        columns = [column[0] for column in cursor.description]
        first = dict(zip(columns, cursor.fetchone(), strict=True))
        rows = [{**first, "id": FIRST_ID + n, "ticker": f"LARGE{n}"} for n in range(SYMBOLS)]
        marks = ", ".join(["%s"] * len(columns))
        symbols = f"INSERT INTO market_symbol ({', '.join(columns)}) VALUES ({marks})"
        cursor.executemany(symbols, [tuple(row.values()) for row in rows])
        insert = f"INSERT INTO market_bar ({BAR.replace('interval', _interval(connection))}) VALUES ({_marks(BAR)})"
        for number in range(SYMBOLS):
            cursor.executemany(insert, list(_bars(FIRST_ID + number)))
        names = COVERAGE.replace("interval", _interval(connection))
        cover = f"INSERT INTO market_coverage ({names}) VALUES ({_marks(COVERAGE)})"
        first, *_, last = (row[1] for row in _bars(FIRST_ID))
        facts = ("1d", "made by the version before", "yahoo", first, last, SESSIONS, 0, 0)
        cursor.executemany(cover, [(*facts, FIRST_ID + number) for number in range(SYMBOLS)])


def _interval(connection: BaseDatabaseWrapper) -> str:
    return connection.ops.quote_name("interval")  # a word of MariaDB's own


def _marks(columns: str) -> str:
    return ", ".join(["%s"] * len(columns.split(",")))


def _bars(symbol: int) -> Iterator[tuple]:
    first = datetime(2014, 1, 1, tzinfo=UTC)
    for number in range(SESSIONS):
        at, level = f"{first + timedelta(days=number):%Y-%m-%d} 00:00:00", 100.0 + number % 97
        yield "1d", at, level, level + 2, level - 2, level + 1, 1000 + number, 1, 0, "yahoo", at, symbol, at[:10]


def _prepare(large: Large) -> None:
    command = [sys.executable, "manage.py", "prepare"]
    subprocess.run(command, cwd=settings.BASE_DIR, env=large.environment, check=True, stdout=subprocess.DEVNULL)


def _apply(connection: BaseDatabaseWrapper, operation: migrations.operations.base.Operation) -> None:
    state = MigrationExecutor(connection).loader.project_state()
    migration = type("Migration", (migrations.Migration,), {"operations": [operation]})("later", "market")
    with connection.schema_editor() as editor:
        migration.apply(state, editor)


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
