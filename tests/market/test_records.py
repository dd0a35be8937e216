"""Records: highs and lows in today's shares, with the day of each."""

from datetime import UTC, date, datetime, timedelta

import pytest

from market import bars, coverage, prices, records
from market.models import CorporateAction, DataSource, NewestRecord, Record, Symbol
from market.prices import Bar
from monitoring.jobs.running.fan_out import NothingDone

NOW = datetime(2024, 6, 1, tzinfo=UTC)
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("apple")]


def bar(session: date, high: float, low: float, *, is_final: bool = True) -> Bar:
    return Bar("AAPL", "1d", prices.midnight(session), low, high, low, high, 1, is_final, "replay", NOW)


def split(session: date) -> None:
    CorporateAction.objects.create(
        symbol=Symbol.objects.get(), kind="split", ex_date=session, value=2, source="replay", received_at=NOW
    )


def found(scope: str) -> tuple:
    record = records.latest(["AAPL"])["AAPL"][scope]
    return record.high, record.high_date, record.low, record.low_date, record.as_of


@pytest.mark.db
def test_a_year_is_fifty_two_weeks_and_all_time_is_all():
    last = date(2024, 5, 31)
    edge, inside = last - timedelta(weeks=52), last - timedelta(weeks=52, days=-1)
    bars.upsert([bar(edge, 200, 50), bar(inside, 150, 90), bar(last, 120, 100)])
    assert records.refresh(["AAPL"])["done"] == ["AAPL"]
    assert found("all_time") == (200, edge, 50, edge, last)
    assert found("52_weeks") == (150, inside, 90, inside, last)


@pytest.mark.db
def test_refreshing_again_replaces_the_rows():
    bars.upsert([bar(date(2024, 5, 30), 120, 100)])
    records.refresh(["AAPL"])
    bars.upsert([bar(date(2024, 5, 31), 130, 100)])
    records.refresh(["AAPL"])
    assert Record.objects.count() == 2
    assert found("all_time") == (130, date(2024, 5, 31), 100, date(2024, 5, 30), date(2024, 5, 31))


def test_a_high_before_a_split_counts_in_the_new_shares():
    bars.upsert([bar(date(2024, 5, 30), 120, 100), bar(date(2024, 5, 31), 70, 55)])
    split(date(2024, 5, 31))
    records.refresh(["AAPL"])
    assert found("all_time")[:4] == (70, date(2024, 5, 31), 50, date(2024, 5, 30))


def test_a_split_since_the_records_were_computed_is_counted_in():
    bars.upsert([bar(date(2024, 5, 30), 120, 100)])
    records.refresh(["AAPL"])
    split(date(2024, 5, 31))
    bars.upsert([bar(date(2024, 5, 31), 55, 50)])
    assert found("all_time")[:3] == (60, date(2024, 5, 30), 50)


def test_records_say_since_when_they_count():
    last = date(2024, 5, 31)
    first, inside = last - timedelta(weeks=60), last - timedelta(weeks=30)
    bars.upsert([bar(first, 200, 50), bar(inside, 150, 90), bar(last, 120, 100)])
    records.refresh(["AAPL"])
    told = records.latest(["AAPL"])["AAPL"]
    assert {scope: record.since for scope, record in told.items()} == {"all_time": first, "52_weeks": inside}
    bars.upsert([bar(first - timedelta(days=1), 100, 60)])
    records.refresh(["AAPL"])
    assert records.latest(["AAPL"])["AAPL"]["all_time"].since == first - timedelta(days=1)


def test_records_keep_the_version_of_the_bars_that_they_came_from():
    bars.upsert([bar(date(2024, 5, 30), 120, 100)])
    records.refresh(["AAPL"])
    version = coverage.latest(["AAPL"])["AAPL"]
    bars.upsert([bar(date(2024, 5, 31), 130, 100)])
    assert {record.version for record in Record.objects.all()} == {version} != {coverage.latest(["AAPL"])["AAPL"]}


def test_a_forming_bar_makes_no_record():
    bars.upsert([bar(date(2024, 5, 30), 120, 100), bar(date(2024, 5, 31), 500, 1, is_final=False)])
    records.refresh(["AAPL"])
    assert found("all_time")[-1] == date(2024, 5, 30)


@pytest.mark.db
def test_what_was_counted_before_the_recording_began_again_is_not_stored(monkeypatch):
    DataSource.objects.create(pk=1, name="replay", reason="a test", chosen_at=NOW)
    bars.upsert([bar(date(2024, 5, 30), 120, 100)])
    columns = bars.columns

    def rewound_meanwhile(ticker: str) -> dict:
        found = columns(ticker)
        DataSource.objects.update(pass_number=2)
        return found

    monkeypatch.setattr(bars, "columns", rewound_meanwhile)
    with pytest.raises(NothingDone, match="pass 1 of the recording is over"):
        records.refresh(["AAPL"])
    assert not Record.objects.exists()


@pytest.mark.db
def test_two_passes_are_kept_and_the_running_one_is_told():
    DataSource.objects.create(pk=1, name="replay", reason="a test", chosen_at=NOW, pass_number=1)
    bars.upsert([bar(date(2024, 5, 30), 120, 100)])
    for number, high in ((1, 120), (2, 130), (3, 140)):
        DataSource.objects.update(pass_number=number)
        assert records.latest(["AAPL"])["AAPL"] == {}  # of a pass that has only begun
        bars.upsert([bar(date(2024, 5, 30), high, 100)])
        for _ in range(2):
            records.refresh(["AAPL"])
        assert found("all_time")[0] == high
    assert records.forget_passes(tell=lambda deleted: None) == 2
    kept = Record.objects.filter(scope="all_time").order_by("pass_number").values_list("pass_number", "high")
    assert list(kept) == [(2, 130), (3, 140)]
    newest = NewestRecord.objects.filter(scope="all_time").values_list("pass_number", "high")
    assert list(newest) == [(3, 140)]  # where the version before looks


def test_one_symbol_without_bars_fails_alone():
    bars.upsert([bar(date(2024, 5, 30), 120, 100)])
    Symbol.objects.create(
        ticker="MSFT", name="Microsoft", exchange="XNAS", currency="USD", time_zone="America/New_York"
    )
    answer = records.refresh(["NOPE", "MSFT", "AAPL"])
    assert answer["done"] == ["AAPL"]
    assert answer["failed"] == {
        "NOPE": "unknown_symbol: there is no symbol 'NOPE' here",
        "MSFT": "no_bars: there are no final daily bars yet",
    }
    assert records.latest(["MSFT"]) == {"MSFT": {}}


def test_records_of_which_none_came_are_a_job_that_failed():
    with pytest.raises(NothingDone, match="None of 2 came to anything; NOPE: unknown_symbol"):
        records.refresh(["NOPE", "AAPL"])
