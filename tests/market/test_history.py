"""History that jobs fetch: in chunks, behind one pace, and one bad symbol fails alone."""

from datetime import UTC, date, datetime

import pytest
from bokeh_sampledata import stocks

from market import history, symbols
from market.models import Bar, CorporateAction, Coverage, Record, Symbol
from market.sources.replay.source import Replay
from market.sources.yahoo import asking
from monitoring import jobs
from monitoring.jobs.running.fan_out import NothingDone
from monitoring.models import Job
from tests.market.yahoo_charts import made_chart
from tests.monitoring.conftest import start_worker  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db


@pytest.fixture
def recorded(apple, hold):
    hold("replay")


@pytest.mark.django_db(transaction=True)
def test_one_bad_symbol_fails_alone_and_the_answer_says_why(wire, apple, hold):
    hold("yahoo")
    wire.charts["AAPL"] = made_chart("AAPL")
    answer = history.refresh(["AAPL", "NOPE"], asking.history, "yahoo")
    assert answer["done"]["AAPL"]["inserted"] == len(stocks.AAPL["date"])
    assert answer["failed"] == {"NOPE": "unknown_symbol: there is no symbol 'NOPE' here"}


@pytest.mark.django_db(transaction=True)
def test_a_source_that_is_down_fails_the_job_and_asks_for_another_attempt(wire, apple, hold):
    hold("yahoo")
    wire.fail("chart", "500", times=asking.ATTEMPTS)
    with pytest.raises(NothingDone) as told:
        history.refresh(["AAPL"], asking.history, "yahoo")
    assert told.value.temporary


def test_a_recording_gives_all_that_is_recorded_also_what_is_still_to_be_played(recorded):
    history.fill(symbols.resolve("AAPL"), Replay().history, "replay")
    newest = Bar.objects.latest("opened_at")
    assert newest.opened_at.date() == date(2013, 3, 1)
    assert CorporateAction.objects.filter(kind="split").count() == 2
    again = history.fill(symbols.resolve("AAPL"), Replay().history, "replay")
    assert (again.bars.inserted, again.bars.changed) == (0, 0)


def test_a_bar_of_a_session_to_come_does_not_outlive_the_next_filling(recorded):
    apple = symbols.resolve("AAPL")
    history.fill(apple, Replay().history, "replay")
    newest = Bar.objects.latest("opened_at")
    ahead = datetime(2999, 1, 1, tzinfo=UTC)  # as a process leaves it whose clock is wrong
    Bar.objects.filter(pk=newest.pk).update(opened_at=ahead)
    Coverage.objects.update(last_held=ahead)
    history.fill(apple, Replay().history, "replay")
    assert Bar.objects.latest("opened_at").opened_at == newest.opened_at


@pytest.mark.db
@pytest.mark.django_db(transaction=True)
def test_the_job_is_chunks_side_by_side_and_the_records_after_them(recorded, start_worker):  # noqa: F811
    start_worker(app="finstage")
    asked = jobs.wait(jobs.submit("market.history").pk, 60)
    last = jobs.wait(asked.result["then"], 60)
    (chunk,) = Job.objects.filter(pk__in=asked.result["chunks"])
    assert (chunk.state, chunk.parent_id, last.state) == ("completed", asked.pk, "completed")
    assert chunk.wrote == [
        {
            "model": "market.Bar",
            "count": Bar.objects.count(),
            "first": ["AAPL", "1d", "2000-03-01"],
            "last": ["AAPL", "1d", "2013-03-01"],
        }
    ]
    assert last.wrote == [{"model": "market.Record", "count": 2, "first": "AAPL", "last": "AAPL"}]
    assert Record.objects.count() == 2


def test_many_symbols_are_many_chunks(recorded):
    facts = {"name": "n", "exchange": "XNAS", "currency": "USD", "time_zone": "UTC"}
    Symbol.objects.bulk_create([Symbol(ticker=f"S{number}", **facts) for number in range(60)])
    answer = jobs.everything()["market.history"]()
    sizes = [len(job.arguments["symbols"]) for job in Job.objects.filter(name="market.history_chunk")]
    assert (answer["symbols"], sorted(sizes)) == (61, [11, 25, 25])
    assert Job.objects.get(name="market.records").waits == 3


def test_without_symbols_there_is_nothing_to_fetch_and_the_job_says_so(db):
    assert jobs.everything()["market.history"]()["symbols"] == 0
