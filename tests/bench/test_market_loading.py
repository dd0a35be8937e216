"""Days of 500 symbols, and bars within sessions, by the real worker and its jobs, at the pace that Yahoo's stub allows.

Counted is the time from the moment when the job is asked for until its last chunk has ended. The stub has a process of
its own; what it answers later than it means to is told beside the figures, as is its share of a core.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from market import intervals
from market.calendars import hours
from market.models import Bar, DataSource, Symbol
from monitoring import jobs
from tests.bench.evidence import Evidence, Line
from tests.bench.market import charts, worker
from tests.bench.market.worker import Watched
from tests.bench.market.yahoo import Yahoo
from tests.bench.stream import ground

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
SYMBOLS, RATE, ROUNDS = max(4, round(500 * SCALE)), 50, max(1, round(3 * SCALE))
WITHIN = [each.name for each in intervals.STORED if not each.is_whole and each is not intervals.MINUTE]
A_MONTH_AGO = datetime.now(UTC).date() - timedelta(days=30)
LONGEST_SECONDS, MB = 300, 1 << 20
LATE_SECONDS = 0.05  # what the stub may need beyond the time that it means to, of nineteen in twenty answers
SAME = {"exchange": charts.EXCHANGE, "currency": charts.CURRENCY, "time_zone": charts.ZONE}


@dataclass(frozen=True)
class Loaded:
    """pace: which part of the requests that were allowed while it lasted were made. cpu: seconds of the worker for each
    symbol. late: seconds. stub: of a core.
    """

    pace: float
    cpu: float
    late: float
    stub: float


@pytest.fixture
def yahoo() -> Iterator[Yahoo]:
    started = Yahoo.started(ground.CLIENT)
    yield started
    started.end()


@pytest.fixture
def tickers() -> list[str]:
    DataSource.objects.create(pk=1, name="yahoo", reason="measured", chosen_at=datetime.now(UTC))
    found = [f"S{number:03}" for number in range(SYMBOLS)]
    Symbol.objects.all().update(is_active=False)
    Symbol.objects.bulk_create([Symbol(ticker=ticker, name=ticker, **SAME) for ticker in found])
    hours.keep(charts.EXCHANGE)
    return found


def test_days_of_many_symbols(yahoo, tickers, tmp_path):
    own = {"FINSTAGE_SOURCE": "yahoo", "FINSTAGE_YAHOO_RATE": str(RATE), **yahoo.environment}
    with worker.working(tmp_path, **own) as working:
        jobs.wait(jobs.submit("market.calendars", {"exchanges": ["XKRX"]}).pk, LONGEST_SECONDS)  # from what it forks
        idle = working.memory()
        with working.looked_at():
            since = str(charts.SINCE)
            first = _loaded(yahoo, working, "market.backfill", symbols=tickers, since=since)
        assert Bar.objects.count() >= SYMBOLS * 2_500
        refreshed = [_loaded(yahoo, working, "market.history") for _ in range(ROUNDS)]
    lines = [
        _pace("nightly refresh", refreshed, 0.9, 0.98),
        _pace(f"first backfill, {charts.YEARS} years,", [first], 0.85, 0.95),
        Line(f"its memory above the idle worker's {idle / MB:.0f}", [(working.most - idle) / MB], [100.0], "MB", 100,
             60, is_smaller_better=True, gates_ours=True),
    ]  # fmt: skip
    _judge("market-loading", lines, max(each.late for each in [first, *refreshed]))


def test_bars_within_the_sessions_of_many_symbols(yahoo, tickers, tmp_path):
    own = {"FINSTAGE_SOURCE": "yahoo", "FINSTAGE_YAHOO_RATE": str(RATE), **yahoo.environment}
    lines, late = [], 0.0
    with worker.working(tmp_path, **own) as working:
        _loaded(yahoo, working, "market.backfill", symbols=tickers, since=str(A_MONTH_AGO))  # names their splits
        for each in WITHIN:
            _loaded(yahoo, working, "market.intraday", symbols=tickers, interval=each)
            assert Bar.objects.filter(interval=each).count() >= SYMBOLS * charts.WITHIN * 6
            again = [_loaded(yahoo, working, "market.intraday", symbols=tickers, interval=each) for _ in range(ROUNDS)]
            lines.append(_pace(f"refresh of {each}", again, 0.9, 0.98))
            late = max(late, *(one.late for one in again))
    _judge("market-loading-within", lines, late)


def _loaded(yahoo: Yahoo, working: Watched, job: str, **how: object) -> Loaded:
    before, computed = yahoo.ask("count"), working.cpu()
    asked = jobs.submit(job, how)
    chunks = worker.finished(working, asked, seconds=LONGEST_SECONDS)
    told, ended = yahoo.ask("count"), max(each.finished_at for each in chunks)
    seconds = (ended - asked.created_at).total_seconds()
    assert len(told["began"]) == SYMBOLS
    late, cpu = float(np.quantile(told["late"], 0.95)), (working.cpu() - computed) / SYMBOLS
    return Loaded(len(told["began"]) / (RATE * seconds), cpu, late, (told["cpu"] - before["cpu"]) / seconds)


def _judge(name: str, lines: list[Line], late: float) -> None:
    evidence = Evidence(name)
    for line in lines:
        evidence.add(line)
    evidence.tell()
    assert late < LATE_SECONDS
    assert all(line.reaches(line.gate) for line in evidence.lines)


def _pace(what: str, found: list[Loaded], gate: float, goal: float) -> Line:
    late, cpu = 1000 * max(each.late for each in found), 1000 * min(each.cpu for each in found)
    stub = f"{cpu:.0f} CPU ms each; the stub {max(each.stub for each in found):.0%} of a core, {late:.0f} ms late"
    pace = [each.pace * RATE for each in found]
    return Line(f"{what} of {SYMBOLS} symbols ({stub})", pace, [RATE] * len(found), "req/s", gate, goal)
