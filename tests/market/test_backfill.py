"""Whole histories: loaded once however many ask, from where an attempt was killed, as far back as was asked for."""

import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import connections

from market import bars, history, symbols
from market.coverage import loading
from market.history import claims, wanted
from market.models import Bar, BarRevision, Coverage, ProvisionalBar, Symbol
from market.prices import Named
from market.sources import ProviderError
from market.sources.yahoo.source import Yahoo
from monitoring import jobs
from monitoring.jobs.errors import Cancelled
from monitoring.jobs.running import context
from monitoring.models import Job
from tests.market.test_holes import WINTER, Shelf
from tests.market.yahoo_charts import made_chart
from tests.monitoring.conftest import start_worker, until  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
FACTS = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}


def row() -> Coverage:
    return Coverage.objects.get(interval="1d")


def short(ticker: str, days: int = 40) -> dict:
    """The last days of a recorded chart under another ticker."""
    chart = made_chart("IBM", symbol=ticker)
    chart["timestamp"] = chart["timestamp"][-days:]
    [candles] = chart["indicators"]["quote"]
    chart["indicators"]["quote"] = [{name: column[-days:] for name, column in candles.items()}]
    return chart


@pytest.fixture
def many(wire, hold, monkeypatch) -> list[str]:
    """Symbols that a Yahoo knows which other processes ask too."""
    hold("yahoo")
    tickers = [f"S{number:02}" for number in range(12)]
    Symbol.objects.bulk_create([Symbol(ticker=ticker, name=ticker, **FACTS) for ticker in tickers])
    wire.charts |= {ticker: short(ticker) for ticker in tickers}
    for name, value in {**wire.environment, "FINSTAGE_SOURCE": "yahoo", "FINSTAGE_YAHOO_RATE": "3"}.items():
        monkeypatch.setenv(name, value)
    return tickers


def test_what_is_held_whole_is_not_asked_for_again(apple):
    shelf = Shelf(WINTER)
    assert history.ensure(apple, shelf, "yahoo").bars.inserted == len(WINTER)
    assert history.ensure(apple, shelf, "yahoo") is None
    assert shelf.asked == [history.START]


def test_who_wants_more_than_is_held_gets_it_and_it_is_kept_whole_from_there_on(apple):
    shelf = Shelf(WINTER)
    history.ensure(apple, shelf, "yahoo", since=WINTER[10])
    assert (Bar.objects.count(), row().first_wanted) == (len(WINTER) - 10, WINTER[10])
    history.ensure(apple, shelf, "yahoo", since=history.EVER)
    assert (Bar.objects.count(), row().first_wanted) == (len(WINTER), history.EVER)
    history.fill(apple, shelf, "yahoo", is_whole=True)
    assert shelf.asked == [WINTER[10], history.EVER, history.EVER]


def test_a_history_that_was_wanted_from_a_day_on_is_not_told_as_one_from_before(apple):
    history.ensure(apple, Shelf(WINTER), "yahoo", since=WINTER[10])
    history.fill(apple, Shelf(WINTER), "yahoo")
    assert row().first_wanted == WINTER[10]
    assert loading.missing(["AAPL"], since=history.START) == {"AAPL"}
    assert loading.missing(["AAPL"]) == set()


def test_of_four_that_ask_at_once_one_asks_the_source_and_it_is_stored_once(apple):
    shelf, came = Shelf(WINTER), []

    def slowly(symbol: Symbol, start: date):
        time.sleep(0.3)
        return shelf(symbol, start)

    def load() -> None:
        came.append(history.ensure(apple, slowly, "yahoo"))
        connections.close_all()

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(shelf.asked), came.count(None), Bar.objects.count()) == (1, 3, len(WINTER))


def test_another_attempt_of_a_job_takes_over_what_the_one_before_was_killed_over(apple):
    mine, other = jobs.submit("market.backfill"), jobs.submit("market.backfill")
    with context.entered(context.Current(mine)):
        killed, again = claims.taken(apple, "1d"), claims.taken(apple, "1d")
        killed.__enter__()
        again.__enter__()
    waiting = context.Current(other)
    waiting.stop("cancelled")
    with context.entered(waiting), pytest.raises(Cancelled), claims.taken(apple, "1d"):
        pass


def test_a_claim_whose_holder_is_gone_runs_out(apple, monkeypatch):
    monkeypatch.setattr(claims, "SECONDS", 0.3)
    gone = claims.taken(apple, "1d")
    gone.__enter__()
    began = time.monotonic()
    with claims.taken(apple, "1d"):
        assert time.monotonic() - began > 0.2


def test_a_source_that_was_away_for_some_is_asked_for_them_alone_at_the_next_attempt(apple):
    Symbol.objects.create(ticker="IBM", name="IBM", **FACTS)
    asked, is_away = [], [True]

    def fetch(symbol: Symbol, start: date):
        asked.append(symbol.ticker)
        if symbol.ticker == "IBM" and is_away:
            raise ProviderError("Yahoo has trouble (500)", temporary=True)
        found, named = Shelf(WINTER)(symbol, start)
        return [replace(bar, ticker=symbol.ticker) for bar in found], named

    attempt = SimpleNamespace(pk="a job", tried=1, max_attempts=2, timeout_seconds=60)
    with context.entered(context.Current(attempt)), pytest.raises(jobs.JobError, match="1 of 2 did not come yet"):
        history.backfill(["AAPL", "IBM"], fetch, "yahoo")
    is_away.clear()
    told = history.backfill(["AAPL", "IBM"], fetch, "yahoo")
    assert (told["held_before"], list(told["done"])) == (["AAPL"], ["IBM"])
    assert Counter(asked) == {"AAPL": 1, "IBM": 2}


@pytest.mark.parametrize("text", ["2010-13-01", "yesterday", "2999-01-01", "1899-12-31", "ALL"])
def test_a_beginning_that_is_none_is_refused_with_what_is_allowed(text):
    with pytest.raises(wanted.InvalidStart, match="such as 2010-01-04"):
        wanted.start(text)


def test_a_killed_backfill_goes_on_where_it_was(many, wire, start_worker):  # noqa: F811
    asked = jobs.submit("market.backfill")
    first = start_worker(app="finstage")
    until(lambda: Coverage.objects.exclude(complete_since=None).count() >= 4)
    first.kill()
    before = set(many) - loading.missing(many)
    asked_before = Counter(wire.requests)
    start_worker(app="finstage")
    job = jobs.wait(asked.pk, 300)
    [chunk] = [jobs.wait(pk, 300) for pk in job.result["chunks"]]
    assert 4 <= len(before) < len(many)
    assert (chunk.state, chunk.outcome, chunk.parts_done) == ("completed", "whole", len(many))
    assert not loading.missing(many)
    assert Bar.objects.count() == 40 * len(many)
    again = Counter(wire.requests) - asked_before
    assert not [ticker for ticker in before if f"chart {ticker}" in again]
    assert not BarRevision.objects.exists()
    assert not ProvisionalBar.objects.exists()


def test_four_jobs_at_once_on_one_symbol_ask_once_and_store_it_once(many, wire, start_worker):  # noqa: F811
    for _ in range(4):
        start_worker(app="finstage", concurrency=1)
    asked = jobs.submit_many("market.backfill_chunk", [{"symbols": ["S00"]}] * 4)
    ended = [jobs.wait(job.pk, 300) for job in asked]
    assert {(job.state, job.outcome) for job in ended} == {("completed", "whole")}
    assert len({job.worker for job in ended}) == 4
    assert sum(bool(job.result["done"]) for job in ended) == 1
    assert wire.requests.count("chart S00") == 1
    assert Bar.objects.filter(symbol__ticker="S00").count() == Coverage.objects.get().held == 40
    assert not BarRevision.objects.exists()
    assert not ProvisionalBar.objects.exists()


def test_without_names_it_is_for_those_that_lack_it_and_may_be_asked_for(apple, hold):
    hold("yahoo")
    for ticker in ("IBM", "MSFT"):
        Symbol.objects.create(ticker=ticker, name=ticker, **FACTS)
    history.ensure(apple, Shelf(WINTER), "yahoo")
    loading.suspend(Symbol.objects.get(ticker="IBM"), datetime.now(UTC) + timedelta(hours=1))
    answer = jobs.everything()["market.backfill"]()
    [chunk] = Job.objects.filter(name="market.backfill_chunk")
    assert (answer["symbols"], chunk.arguments) == (1, {"symbols": ["MSFT"], "since": "2000-01-01"})
    named = jobs.everything()["market.backfill"](["aapl", "ibm"], "all")
    arguments = Job.objects.filter(pk__in=named["chunks"]).values_list("arguments", flat=True).get()
    assert arguments == {"symbols": ["AAPL", "IBM"], "since": "1900-01-01"}


def test_a_bar_that_a_quote_left_first_is_no_history(apple):
    bars.upsert([Shelf(WINTER[-1:])(apple, history.START)[0][0]])
    history.backfill(["AAPL"], Shelf(WINTER), "yahoo")
    assert Bar.objects.count() == len(WINTER)


def test_what_is_tracked_and_was_never_loaded_is_asked_for_once(apple, hold):
    hold("yahoo")
    for _ in range(2):
        Yahoo().track(symbols.tracked())
    assert list(Job.objects.values_list("name", "arguments")) == [("market.backfill", {"symbols": ["AAPL"]})]
    jobs.everything()["market.backfill"](["AAPL"])
    Job.objects.filter(name="market.backfill").update(state=Job.State.COMPLETED)
    Yahoo().track(symbols.tracked())  # its chunk is on its way
    assert Job.objects.filter(name="market.backfill").count() == 1
    Job.objects.update(state=Job.State.COMPLETED)
    loading.suspend(apple, datetime.now(UTC) + timedelta(hours=1))
    Yahoo().track(symbols.tracked())
    assert Job.objects.filter(name="market.backfill").count() == 1
    history.ensure(apple, Shelf(WINTER), "yahoo")
    Yahoo().track(symbols.tracked())
    assert Job.objects.filter(name="market.backfill").count() == 1


def test_the_watchlist_tells_how_far_the_history_is_and_why_some_is_missing(apple, hold, client):
    hold("yahoo")
    Symbol.objects.create(ticker="ZZZZ", name="Gone", **FACTS)
    told = []

    def fetch(symbol: Symbol, start: date):
        told.append(_told(client))
        if symbol.ticker == "ZZZZ":
            raise ProviderError("no such share", code="unknown_symbol", temporary=False)
        return Shelf(WINTER)(symbol, start)

    answer = history.backfill(["AAPL", "ZZZZ"], fetch, "yahoo", parallel=1)
    assert answer["failed"] == {"ZZZZ": "unknown_symbol: no such share"}
    assert {(each["total"], each["symbol"]) for each in told} == {(2, "AAPL"), (2, "ZZZZ")}
    assert _told(client) == {"done": 1, "total": 2, "symbol": None, "errors": {"ZZZZ": "no such share"}}
    assert wanted.unloaded(None, history.START) == []  # it is not asked for again at once
    history.backfill(["ZZZZ"], lambda *_: ([], Named()), "yahoo")
    assert _told(client) is None


def test_of_a_recording_no_loading_is_told(apple, hold, client):
    hold("replay")
    assert _told(client) is None


def _told(client) -> dict | None:
    return client.get("/api/v2/watchlists/default/").json()["backfill"]
