"""Workers killed in the middle of backfills that several were asked for at once: each history is there once."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from market.coverage import loading
from market.models import Bar, BarRevision, Coverage, DataSource, ProvisionalBar, Symbol
from monitoring import jobs
from monitoring.models import Job
from tests.chaos import jobs_ground
from tests.chaos.jobs_ground import Ground, Process, report, until
from tests.chaos.scale import times
from tests.market.test_backfill import FACTS, short
from tests.market.test_yahoo_reach import TODAY, chart
from tests.market.yahoo_wire import Wire

pytestmark = pytest.mark.chaos
SYMBOLS, DAYS, WORKERS, ASKED = 60, 250, 3, 4
WITHIN = 8  # symbols whose minutes are loaded
_KEY = ("symbol__ticker", "opened_at")


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as made:
        made.charts |= {f"S{number:02}": short(f"S{number:02}", DAYS) for number in range(SYMBOLS)}
        yield made


@pytest.fixture
def ground(django_db_blocker, wire) -> Iterator[Ground]:
    with django_db_blocker.unblock(), jobs_ground.opened() as made:
        DataSource.objects.create(pk=1, name="yahoo", reason="a test", chosen_at="2026-01-01T00:00:00Z")
        Symbol.objects.bulk_create([Symbol(ticker=ticker, name=ticker, **FACTS) for ticker in wire.charts])
        yield made


def test_backfills_whose_workers_are_killed(ground, wire):
    kills = times(12)
    environment = {**wire.environment, "FINSTAGE_SOURCE": "yahoo", "FINSTAGE_YAHOO_RATE": "8"}
    workers = [_worker(ground, environment) for _ in range(WORKERS)]
    ground.ready(*workers)
    for _ in range(ASKED):
        jobs.submit("market.backfill")
    for blow in range(kills):
        time.sleep(ground.random.uniform(0.5, 3))
        workers[blow % WORKERS].kill()
        workers[blow % WORKERS] = _worker(ground, environment)
    until(lambda: _is_over(list(wire.charts)), 240, *workers)
    lost, twice = SYMBOLS * DAYS - Bar.objects.count(), BarRevision.objects.count() + ProvisionalBar.objects.count()
    asked = Counter(each.split()[1] for each in wire.requests if each.startswith("chart"))
    wrong = [row for row in Coverage.objects.filter(interval="1d") if row.held != DAYS]
    report(
        f"kill -9 in {ASKED} backfills at once of {SYMBOLS} symbols",
        f"one of {WORKERS} workers, {kills} times",
        "0 bars lost, 0 twice; no symbol asked for again but those that a blow met, two a process at most",
        f"{lost} lost, {twice} twice, {asked.total() - SYMBOLS} requests more than one a symbol",
    )
    assert (lost, twice, wrong, Coverage.objects.count()) == (0, 0, [], SYMBOLS)
    # A worker runs up to two chunks, each of which asks for four at a time at this pace.
    assert asked.total() - SYMBOLS <= 8 * kills


def test_minutes_whose_workers_are_killed(ground, wire):
    kills, tickers = times(6), list(wire.charts)[:WITHIN]
    wire.charts |= {ticker: chart(ticker, "1m", 60, TODAY - timedelta(days=20)) for ticker in tickers}
    for symbol in Symbol.objects.filter(ticker__in=tickers):
        loading.complete(symbol, date(2000, 1, 1), since=date(2000, 1, 1), until=None)
    environment = {**wire.environment, "FINSTAGE_SOURCE": "yahoo", "FINSTAGE_YAHOO_RATE": "8"}
    workers = [_worker(ground, environment) for _ in range(WORKERS)]
    ground.ready(*workers)
    asked = {"symbols": tickers, "interval": "1m"}
    for _ in range(ASKED):
        jobs.submit("market.intraday", asked)
    for blow in range(kills):
        time.sleep(ground.random.uniform(0.5, 3))
        workers[blow % WORKERS].kill()
        workers[blow % WORKERS] = _worker(ground, environment)
    until(lambda: _are_within(tickers, asked), 240, *workers)
    right = {(ticker, at) for ticker in tickers for at in wire.charts[ticker]["timestamp"]}
    held = [(ticker, int(at.timestamp())) for ticker, at in Bar.objects.filter(interval="1m").values_list(*_KEY)]
    lost, twice = len(right - set(held)), BarRevision.objects.count() + ProvisionalBar.objects.count()
    report(
        f"kill -9 in {ASKED} loadings of minutes at once of {WITHIN} symbols",
        f"one of {WORKERS} workers, {kills} times",
        "0 bars lost, 0 twice, none that the source has not",
        f"{lost} lost, {twice} twice, {len(set(held) - right)} more, by {len(wire.spans)} requests",
    )
    assert (lost, twice, len(held)) == (0, 0, len(right))


def _are_within(tickers: list[str], asked: dict) -> bool:
    if Job.objects.exclude(state__in=Job.ENDED).filter(name__startswith="market.intraday").exists():
        return False
    whole = Coverage.objects.filter(interval="1m", symbol__ticker__in=tickers).exclude(complete_since=None)
    if whole.count() < len(tickers):
        jobs.submit("market.intraday", asked)
    return whole.count() == len(tickers)


def _worker(ground: Ground, environment: dict[str, str]) -> Process:
    options = ["-P", "threads", "-c", "2", "-l", "WARNING"]
    return ground.start("worker", "-m", "celery", "-A", "finstage", "worker", *options, **environment)


def _is_over(tickers: list[str]) -> bool:
    """Whether all are there; who has met too many blows is asked for again."""
    if Job.objects.exclude(state__in=Job.ENDED).filter(name__startswith="market.backfill").exists():
        return False
    missing = loading.missing(tickers)
    if missing:
        jobs.submit("market.backfill", {"symbols": sorted(missing)})
    return not missing
