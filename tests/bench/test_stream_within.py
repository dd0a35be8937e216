"""What bars within sessions cost a feed: of many symbols, where nobody holds them and where all are held."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from market import intervals
from market.calendars import sessions
from market.models import DataSource
from realtime.feed import Feed
from realtime.feed.waiting import Taken
from realtime.kinds import BARS
from tests.bench.conftest import track
from tests.bench.evidence import Evidence, Line
from tests.bench.stream import updates
from tests.bench.stream.rounds import SCALE
from tests.market.test_forming import quote
from tests.realtime.test_feed import new_feed
from tests.realtime.test_feed_lanes import Live

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
ROUNDS, TICKS, TRACKED = max(1, round(5 * SCALE)), max(2, round(20 * SCALE)), max(10, round(500 * SCALE))
STEP = timedelta(seconds=3)
DAY = sessions.before("XNAS", datetime.now(UTC).date() - timedelta(days=3))
OPENS = sessions.hours("XNAS", DAY)[0]


def test_bars_within_sessions_that_nobody_holds_cost_little(stream_evidence: Evidence):
    """The rows of a tick of each symbol, in the session's first minutes; the feed's own time, without Redis."""
    DataSource.objects.create(pk=1, name="yahoo", reason="measured", chosen_at=datetime.now(UTC))
    track(TRACKED)
    tickers = [updates.ticker(number) for number in range(TRACKED)]
    feed = new_feed(Live())
    feed.facts.read()
    every = {BARS.of(ticker, name) for ticker in tickers for name in intervals.ALL}
    at = _tick(feed, tickers, OPENS - timedelta(minutes=1), market_state="pre")
    at = _ticks(feed, tickers, OPENS)[0]
    found: dict[str, list[float]] = {"nobody": [], "all": []}
    for _ in range(ROUNDS):
        for held, each in found.items():
            feed._rows._within.open(every if held == "all" else (), feed._insist)
            at, seconds = _ticks(feed, tickers, at)
            each.append(1e6 * seconds / (TICKS * TRACKED))
    what = f"{TRACKED} tracked, bars within sessions of nobody / of all held: CPU of a tick's rows"
    line = Line(what, found["nobody"], found["all"], "µs", 0.9, 0.6, is_smaller_better=True)
    assert stream_evidence.add(line).reaches(line.gate)


def _ticks(feed: Feed, tickers: list[str], at: datetime) -> tuple[datetime, float]:
    """When the next one comes, and the seconds that these took."""
    began = time.process_time()
    for _ in range(TICKS):
        at = _tick(feed, tickers, at)
    return at, time.process_time() - began


def _tick(feed: Feed, tickers: list[str], at: datetime, **facts: object) -> datetime:
    price = 10 + at.second / 100
    told = [quote(at, price, ticker=ticker, session_date=DAY, previous_close=9.0, **facts) for ticker in tickers]
    feed._rows.take([Taken(number, each, True, time.monotonic()) for number, each in enumerate(told)])
    return at + STEP
