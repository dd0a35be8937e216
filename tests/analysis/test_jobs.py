"""The usual jobs of the analysis: a data set, the state of the market, and reports, over recorded sessions."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.contrib.auth import get_user_model

from analysis import periods, tasks
from analysis.reports import datasets, tracked
from market import bars, records
from market.coverage import held
from market.models import Bar as BarRow
from market.models import CorporateAction, DataSource, Symbol
from market.sources.replay import source as replay
from market.symbols import UnknownSymbol
from monitoring import jobs
from monitoring.jobs import declaration
from monitoring.jobs.running.context import Current, entered
from monitoring.models import Job
from tests import recorded as recording
from tests.market.conftest import wire  # noqa: F401 - a fixture
from tests.market.yahoo_charts import made_chart
from tests.monitoring.conftest import start_worker  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 28, tzinfo=UTC)
FRIDAY = date(2012, 9, 21)
YEAR = {"symbol": "AAPL", "period": "1y"}


@pytest.fixture
def recorded(apple):
    """AAPL and IBM, of which the Monday after a Friday of 2012 is played, with AAPL's splits."""
    monday = FRIDAY + timedelta(days=3)
    DataSource.objects.create(pk=1, name="replay", reason="a test", chosen_at=NOW, session=monday)
    facts = {"exchange": "XNYS", "currency": "USD", "time_zone": "America/New_York", "price_decimals": 4}
    Symbol.objects.create(ticker="IBM", name="IBM", **facts)
    for ticker in ("AAPL", "IBM"):
        bars.upsert(recording.bars(ticker, date.max, NOW))
    for day, value in recording.SPLITS["AAPL"].items():
        CorporateAction.objects.create(
            symbol=apple, kind="split", ex_date=day, value=value, source="replay", received_at=NOW
        )
    records.refresh(["AAPL", "IBM"])


def closes(ticker: str, first: date) -> np.ndarray:
    return np.array([day.close for on, day in recording.days(ticker).items() if first <= on <= FRIDAY])


def test_a_data_set_says_what_it_holds_and_where_it_came_from(recorded):
    told = datasets.process("aapl", "1y")
    close = closes("AAPL", date(2011, 9, 21))
    assert (told["symbol"], told["source"], told["as_of"]) == ("AAPL", "replay", "2012-09-21T00:00:00Z")
    assert (told["bars"], told["first"], told["last"]) == (len(close), "2011-09-21", "2012-09-21")
    assert (told["missing"], told["corrections"], told["refreshed"]["inserted"]) == (0, 0, 0)
    summed = told["statistics"]
    assert summed["change_percent"] == pytest.approx((close[-1] / close[0] - 1) * 100, abs=1e-4)
    assert summed["drawdown_percent"] == pytest.approx((1 - close / np.maximum.accumulate(close)).max() * 100, abs=1e-4)
    assert told["indicators"]["sma_20"]["sma"] == pytest.approx(close[-20:].mean(), abs=1e-9)


def test_a_session_that_is_missing_is_named(recorded, apple, monkeypatch):
    lacking = {day: told for day, told in recording.days("AAPL").items() if day != date(2012, 9, 12)}
    monkeypatch.setattr(replay.recording, "days", lambda ticker: lacking)
    BarRow.objects.filter(symbol=apple, opened_at=datetime(2012, 9, 12, tzinfo=UTC)).delete()
    held.mend(held.differences(Symbol.objects.all()))
    told = datasets.process("AAPL", "1mo")
    assert (told["missing"], told["missing_sessions"]) == (1, ["2012-09-12"])


def test_a_data_set_is_filled_by_the_same_door_as_a_history(wire, apple, settings):  # noqa: F811
    settings.SOURCE = "yahoo"
    DataSource.objects.create(pk=1, name="yahoo", reason="a test", chosen_at=NOW)
    chart = made_chart("AAPL")
    chart["timestamp"][-1] += 2 * 86_400  # from a Friday to a Sunday
    wire.charts["AAPL"] = chart
    told = datasets.process("AAPL", "1mo")
    assert ["no session of XNAS" in line for line in told["refreshed"]["held_back"]] == [True]


def test_an_unknown_symbol_fails_the_job_with_its_name(recorded):
    with pytest.raises(UnknownSymbol, match="no symbol 'NOPE'") as told:
        datasets.process("NOPE", "1y")
    assert (told.value.code, told.value.temporary) == ("unknown_symbol", False)


def test_a_symbol_without_history_is_an_empty_data_set(recorded):
    Symbol.objects.create(ticker="ZZZZ", name="Z", exchange="XNAS", currency="USD", time_zone="UTC")
    told = datasets.process("ZZZZ", "1y")
    assert (told["bars"], told["statistics"], told["indicators"]["rsi_14"]) == (0, None, {"rsi": None})


@pytest.mark.usefixtures("wire")
def test_a_data_set_whose_source_does_not_have_it_came_in_part(recorded, settings):
    with entered(Current(None)) as whole:
        datasets.process("AAPL", "1mo")
    DataSource.objects.update(name="yahoo")
    settings.SOURCE = "yahoo"
    with entered(Current(None)) as partial:
        told = datasets.process("AAPL", "1mo")
    assert whole.parts == {"fetching": "", "checking": "", "computing": ""}
    assert partial.parts == {**whole.parts, "fetching": told["refreshed"]["failed"]}


def test_a_report_without_one_of_its_symbols_came_in_part(recorded):
    with entered(Current(None)) as running:
        told = tracked.compose("day", ["AAPL", "NOPE"])
    assert running.parts == {"AAPL": "", "NOPE": told["failed"]["NOPE"]}


def test_the_market_is_read_symbol_by_symbol_and_one_that_can_not_be_fails_alone(recorded):
    told = tracked.technical(["AAPL", "IBM", "NOPE"])
    apple = told["symbols"]["AAPL"]
    close = closes("AAPL", date(2012, 8, 1))
    assert (apple["close"], apple["as_of"], apple["source"]) == (close[-1], "2012-09-21T00:00:00Z", "replay")
    assert apple["change_percent"] == pytest.approx((close[-1] / close[-2] - 1) * 100, abs=1e-4)
    assert apple["trend"] == ("above_sma_20" if close[-1] > close[-20:].mean() else "below_sma_20")
    assert 30 < apple["indicators"]["rsi_14"]["rsi"] < 70
    assert (apple["momentum"], told["overbought"]) == ("neutral", [])
    assert told["breadth"] == {"rising": 1, "falling": 1, "unchanged": 0, "above_sma_20": 2}
    assert told["failed"] == {"NOPE": "unknown_symbol: there is no symbol 'NOPE' here"}


@pytest.mark.parametrize(
    ("rsi", "word"), [(70, "overbought"), (69.9, "neutral"), (30, "oversold"), (30.1, "neutral"), (None, None)]
)
def test_the_momentum_is_named_by_the_rsi(rsi, word):
    assert tracked._momentum(rsi) == word


@pytest.mark.parametrize(("span", "first"), [("day", FRIDAY), ("week", date(2012, 9, 17))])
def test_a_report_is_of_the_last_session_or_of_its_week(recorded, span, first):
    told = tracked.compose(span, None)
    days = [day for on, day in recording.days("IBM").items() if first <= on <= FRIDAY]
    before = recording.days("IBM")[recording.last_session("IBM", first)]
    ibm = told["symbols"]["IBM"]
    assert (told["from"], told["to"]) == (str(first), str(FRIDAY))
    assert (ibm["open"], ibm["close"], ibm["previous_close"]) == (days[0].open, days[-1].close, before.close)
    assert (ibm["high"], ibm["low"]) == (max(day.high for day in days), min(day.low for day in days))
    assert ibm["volume"] == sum(day.volume for day in days)
    assert ibm["change_percent"] == pytest.approx((days[-1].close / before.close - 1) * 100, abs=1e-4)


def test_a_report_names_new_highs_and_what_companies_did(recorded, apple):
    CorporateAction.objects.create(
        symbol=apple, kind="dividend", ex_date=FRIDAY, value=2.65, source="replay", received_at=NOW
    )
    CorporateAction.objects.create(
        symbol=apple, kind="split", ex_date=FRIDAY, value=2, source="replay", received_at=NOW, decision="kept_out"
    )
    told = tracked.compose("day", None)
    assert told["new_high"] == ["AAPL"]  # 705.07 was its highest high until then
    assert told["symbols"]["AAPL"]["actions"] == [{"kind": "dividend", "ex_date": "2012-09-21", "value": 2.65}]
    assert (told["risers"], told["fallers"]) == (["AAPL"], ["IBM"])


def test_a_report_of_nothing_is_empty_and_no_error(db):
    told = tracked.compose("day", None)
    assert (told["symbols"], told["from"], told["risers"]) == ({}, None, [])


def test_the_declared_periods_are_those_of_the_indicators():
    kind = declaration.named("analysis.dataset").arguments.kinds["period"]
    assert kind is periods.Period is tasks.Period


@pytest.fixture
def person(client):
    user = get_user_model().objects.create_user("person")
    client.force_login(user)
    return user


@pytest.mark.parametrize(
    ("path", "name", "arguments"),
    [
        ("dataset-processing?symbol=AAPL&period=1y&priority=high", "analysis.dataset", YEAR),
        ("daily-report", "analysis.report", {"span": "day"}),
        ("weekly-report", "analysis.report", {"span": "week"}),
        ("market-analysis", "analysis.market", {}),
        ("market-analysis?symbols=AAPL,IBM", "analysis.market", {"symbols": ["AAPL", "IBM"]}),
    ],
)  # fmt: skip
def test_the_quick_paths_submit_the_usual_jobs(client, person, path, name, arguments):
    answer = client.post(f"/api/tasks/quick/{path}")
    assert answer.status_code == 202
    job = Job.objects.get(pk=answer.json()["task_id"])
    assert (job.name, job.arguments, job.owner) == (name, arguments, person)


@pytest.mark.parametrize(
    ("path", "priority", "retries", "timeout"),
    [
        ("dataset-processing?symbol=AAPL", "high", 2, 300),
        ("daily-report", "normal", 3, 180),
        ("weekly-report", "normal", 3, 180),
        ("market-analysis", "normal", 3, 300),
    ],
)
def test_the_usual_jobs_have_the_urgency_and_patience_that_they_had(client, person, path, priority, retries, timeout):
    job = Job.objects.get(pk=client.post(f"/api/tasks/quick/{path}").json()["task_id"])
    assert (job.get_priority_display(), job.max_attempts - 1, job.timeout_seconds) == (priority, retries, timeout)


@pytest.mark.parametrize(
    ("query", "field"),
    [("", "symbol"), ("symbol=AAPL&period=7d", "period"), ("symbol=AAPL&priority=urgent", "priority")],
)
def test_a_wrong_quick_path_is_a_400_that_names_the_field(client, person, query, field):
    answer = client.post(f"/api/tasks/quick/dataset-processing?{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


@pytest.mark.db
@pytest.mark.django_db(transaction=True)
def test_the_usual_jobs_run_in_a_worker(recorded, start_worker):  # noqa: F811
    start_worker(app="finstage")
    asked = [
        jobs.submit("analysis.dataset", {"symbol": "AAPL"}),
        jobs.submit("analysis.market"),
        jobs.submit("analysis.report", {"span": "week"}),
    ]
    done = [jobs.wait(job.pk, 60) for job in asked]
    assert [job.state for job in done] == ["completed"] * 3
    assert done[0].result["period"] == "1y"
    assert list(done[1].result["symbols"]) == list(done[2].result["symbols"]) == ["AAPL", "IBM"]
