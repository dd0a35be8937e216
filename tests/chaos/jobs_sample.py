"""The jobs that are broken: one that writes many rows, one that leaves a trace, and a poison."""

import os
import signal
import time
from importlib import import_module
from pathlib import Path

from django.db import connection

from monitoring import jobs
from monitoring.jobs import job

SYMBOLS, DAYS, PARTS = 500, 250, 20
ROWS = SYMBOLS * DAYS

# The process of an isolated job loads this module alone. A worker of the version before loads it too, as it is.
if os.environ.get("CHAOS_WITHOUT"):
    import_module("tests.chaos.jobs_weakened")


@job("chaos.ingest", timeout=120, max_attempts=5)
def ingest(folder: str) -> int:
    return _ingest(folder)


@job("chaos.ingest_isolated", timeout=120, max_attempts=5, isolated=True)
def ingest_isolated(folder: str) -> int:
    return _ingest(folder)


@job("chaos.run", max_attempts=5)
def run(seconds: float = 0.0) -> None:
    """Leaves one row, with its end."""
    time.sleep(seconds)
    running = jobs.current()
    with running.commit(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO chaos_runs VALUES (%s, %s)", [str(running.job.pk), running.job.attempt])


@job("chaos.rest", max_attempts=5)
def rest(seconds: float = 0.0) -> None:
    """Leaves no row; its worker writes how it ended."""
    time.sleep(seconds)


@job("chaos.poison", max_attempts=3)
def poison() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _ingest(folder: str) -> int:
    """500 symbols × 250 bars, which commit with the job's end or not at all."""
    running = jobs.current()
    Path(folder, f"{running.job.pk}.pid").write_text(str(os.getpid()))
    each = SYMBOLS // PARTS
    with running.commit() as end:
        for part in range(PARTS):
            _write(running.job, range(part * each, (part + 1) * each))
            running.progress(part + 1, PARTS, "writing")
        end.result = ROWS
    return ROWS


def _write(asked: jobs.Job, symbols: range) -> None:
    rows = [(str(asked.pk), symbol, day, asked.attempt, 1.5) for symbol in symbols for day in range(DAYS)]
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO chaos_bars VALUES (%s, %s, %s, %s, %s)", rows)
