"""What the jobs cost on the tests' own database, SQLite, which needs nothing installed: in CPU, as far as that says it.

BENCH_SCALE makes it smaller while developing.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from market.models import DataSource, Symbol
from market.sources.replay import recording
from monitoring import jobs
from monitoring.models import Job
from tests.bench import jobs_rows
from tests.bench.evidence import Evidence, Line
from tests.bench.jobs_rows import SCALE
from tests.monitoring.conftest import start_worker  # noqa: F401 - a fixture

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
EXCHANGES = ("XNYS", "XLON", "XPAR", "XETR", "XTKS", "XHKG", "XKRX", "XASX")
# What our jobs do under each source: with whole histories, and with the calendars of the world.
OURS = {
    "replay": [
        "market.history",
        "market.previous_close",
        "analysis.dataset",
        "analysis.market",
        "analysis.report",
        "monitoring.retention",
    ],
    "yahoo": ["market.price_monitor"],
}
ARGUMENTS = {"analysis.dataset": {"symbol": "AAPL", "period": "10y"}}
EVERY_SECONDS, LONGEST_SECONDS = 0.02, 180


@pytest.fixture(scope="module")
def evidence() -> Iterator[Evidence]:
    made = Evidence("jobs_rows")
    yield made
    made.tell()


def test_a_tick(evidence):
    took = jobs_rows.ticks(time.process_time)
    judged(evidence, f"a tick, {jobs_rows.SLOTS:,} slots, CPU", took, 15, 5)


def test_a_claim_beside_jobs_of_tomorrow(evidence):
    took = jobs_rows.claims_beside_tomorrow(time.process_time)
    judged(evidence, f"a claim, {jobs_rows.TOMORROW:,} for tomorrow, CPU", took, 5, 2)


def test_a_cancelled_chain(evidence):
    took = [jobs_rows.chain_cancelled(time.process_time) for _ in range(3)]
    judged(evidence, f"a chain of {jobs_rows.CHAIN} cancelled, CPU", took, 1000, 200)


def test_a_submission_beside_any_job_of_ours(evidence, start_worker):  # noqa: F811
    _market()
    start_worker(app="finstage")
    alone = _submissions(seconds=max(1, 10 * SCALE))
    beside = [_beside(source, name) for source, names in OURS.items() for name in names]
    p99, p99_alone = max(map(_p99, beside)), _p99(alone)
    judged(evidence, "a submission beside one of our jobs, p99", [p99], 100, 20, alone=p99_alone)
    judged(evidence, "a submission beside one of our jobs, worst", [max(map(max, beside))], 100, 20, alone=max(alone))


def _beside(source: str, name: str) -> list[float]:
    """Milliseconds of submissions while a job runs, with what it asks for."""
    DataSource.objects.update(name=source)
    jobs.submit(name, ARGUMENTS.get(name))
    return _submissions(seconds=1, until=_are_ended)


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[-1]


def judged(evidence: Evidence, what: str, ours: list[float], *marks: float, alone: float | None = None) -> None:
    """marks: the gate and the goal, in milliseconds."""
    rival = [alone or marks[0]] * len(ours)
    line = evidence.add(Line(what, ours, rival, "ms", *marks, is_smaller_better=True, gates_ours=True))
    assert line.reaches(line.gate)


def _market() -> None:
    now = timezone.now()
    DataSource.objects.update_or_create(pk=1, defaults={"name": "replay", "reason": "measured", "chosen_at": now})
    facts = {"currency": "USD", "time_zone": "America/New_York"}
    for ticker in recording.TICKERS:
        Symbol.objects.get_or_create(ticker=ticker, defaults={"name": ticker, "exchange": "XNAS", **facts})
    for exchange in EXCHANGES:
        Symbol.objects.create(ticker=f"ONE.{exchange}", name=exchange, exchange=exchange, **facts)
    old = {"max_attempts": 4, "timeout_seconds": 60, "state": "completed", "created_at": now, "not_before": now}
    ended = now - timedelta(days=99)
    Job.objects.bulk_create(Job(name="bench.count", **old, finished_at=ended) for _ in range(round(2_000 * SCALE)))


def _submissions(seconds: float, until: Callable[[], bool] = lambda: True) -> list[float]:
    """Milliseconds that each of many submissions took, for so long at least."""
    took, end, limit = [], time.monotonic() + seconds, time.monotonic() + LONGEST_SECONDS
    tomorrow = timezone.now() + timedelta(days=1)
    while time.monotonic() < end or not until():
        assert time.monotonic() < limit, list(_unended().values("name", "state"))
        ask = partial(jobs.submit, "monitoring.retention", not_before=tomorrow)
        took.append(1000 * jobs_rows.timed(time.perf_counter, ask))
        time.sleep(EVERY_SECONDS)
    return took


def _are_ended() -> bool:
    return not _unended().exists()


def _unended() -> QuerySet[Job]:
    """Jobs that run or may run now."""
    return Job.objects.exclude(state__in=Job.ENDED).filter(not_before__lte=timezone.now())
