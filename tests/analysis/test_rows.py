"""The default indicators' newest values as rows: what they are of, and when they are computed anew."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from analysis import summary
from analysis.indicators import catalogue, frames
from analysis.models import BEFORE, OUTPUTS, IndicatorRow
from analysis.technical import rows
from market import bars, coverage, prices
from market.bars import forming
from market.calendars import clock
from market.models import DataSource, Symbol
from market.prices import Bar
from monitoring.jobs.running.fan_out import NothingDone

pytestmark = [pytest.mark.django_db, pytest.mark.db]
FIRST, DAYS = date(2023, 1, 2), 300
AT = datetime(2024, 6, 1, 9, tzinfo=UTC)


def bar(day: int, *, at: datetime = AT, **values: float) -> Bar:
    close = 100.0 + day % 17
    known = {"open": close, "high": close + 2, "low": close - 1, "close": close, "volume": 1000 + day}
    opened = prices.midnight(FIRST + timedelta(days=day))
    return Bar("AAPL", "1d", opened, **known | values, is_final=True, source="replay", received_at=at)


@pytest.fixture
def held(apple) -> Symbol:
    bars.upsert([bar(day) for day in range(DAYS)])
    return apple


def found(interval: str = "1d") -> IndicatorRow:
    return IndicatorRow.objects.get(symbol__ticker="AAPL", interval=interval)


def source(**facts) -> None:
    chosen = {"name": "replay", "reason": "asked", "chosen_at": AT}
    DataSource.objects.update_or_create(pk=1, defaults={**chosen, **facts})


def test_the_columns_are_the_outputs_of_the_default_set():
    outputs = [(key, output) for key, each in catalogue.DEFAULTS.items() for output in each.outputs]
    assert sorted(OUTPUTS.values()) == sorted(outputs)
    assert all(catalogue.defaults(interval) is catalogue.DEFAULTS for interval in rows.INTERVALS)


def test_a_row_has_the_values_of_the_last_bar_that_is_over_and_of_the_one_before(held):
    assert rows.refresh(["AAPL"]) == {"done": ["AAPL"], "failed": {}}
    assert IndicatorRow.objects.count() == len(rows.INTERVALS)
    for interval in rows.INTERVALS:
        row, columns = found(interval), bars.columns("AAPL", interval=interval)
        for name, (key, output) in OUTPUTS.items():
            values = frames.values(catalogue.DEFAULTS[key], "AAPL", columns)[0][output][-2:]
            told = [getattr(row, BEFORE + name), getattr(row, name)]
            assert told == [None if value != value else value for value in values.tolist()], (interval, name)
        assert [row.before_close, row.close] == columns["close"][-2:].tolist()
        assert (row.version, row.source, row.received_at) == (coverage.latest(["AAPL"])["AAPL"], "replay", AT)
    assert (found().session_date, found().state) == (FIRST + timedelta(days=DAYS - 1), prices.FINAL)


def test_a_row_is_computed_anew_where_its_bars_have_moved_and_only_there(held):
    rows.refresh(["AAPL"])
    first = found()
    assert rows.refresh(["AAPL"])["done"] == []
    bars.upsert([bar(DAYS - 1, at=AT + timedelta(hours=1), close=first.close + 0.5)])
    rows.refresh(["AAPL"])
    assert (found().pk, found().close) == (first.pk, first.close + 0.5)
    assert found().sma_5 != first.sma_5
    assert found().before_sma_5 == first.before_sma_5


def test_what_was_computed_from_a_revised_bar_is_named_until_it_is_computed_anew(client, held):
    rows.refresh(["AAPL"])
    version = found().version
    time.sleep(0.005)  # a version says by the millisecond when it was given
    bars.upsert([bar(5, at=datetime.now(UTC), close=105.5)])

    def named() -> list[dict]:
        [told] = client.get("/api/v2/restatements/").json()["results"]
        return [each for each in told["computed_from_it"] if each["kind"] == "indicators"]

    assert [(each["name"], each["version"]) for each in named()] == [(name, version) for name in sorted(rows.INTERVALS)]
    rows.refresh(["AAPL"])
    assert named() == []


def test_a_week_is_over_once_a_later_session_is_played_whatever_the_market_s_clock_says(held):
    monday = next(day for day in range(DAYS, DAYS + 8) if (FIRST + timedelta(days=day)).weekday() == 0)
    bars.upsert([bar(day) for day in range(DAYS, monday)])
    clock.keep(clock.Clock("XNAS", "open", FIRST + timedelta(days=monday - 3)))
    forming.keep([replace(bar(monday), is_final=False, state="forming")])
    assert rows.refresh(["AAPL"]) == {"done": ["AAPL"], "failed": {}}
    assert found("1wk").opened_at == prices.midnight(FIRST + timedelta(days=monday - 7))


def test_one_that_cannot_be_computed_fails_alone(held, monkeypatch):
    row = {"name": "IBM", "exchange": "XNYS", "currency": "USD", "time_zone": "America/New_York"}
    Symbol.objects.create(ticker="IBM", **row)
    bars.upsert([replace(bar(day), ticker="IBM") for day in range(30)])
    real = bars.history
    monkeypatch.setattr(bars, "history", lambda ticker, **asked: [] if ticker == "IBM" else real(ticker, **asked))
    told = rows.refresh(None)
    assert (told["done"], list(told["failed"])) == (["AAPL"], ["IBM"])


def test_a_row_is_of_the_pass_that_runs(held, monkeypatch):
    source(pass_number=3)
    rows.refresh(["AAPL"])
    assert found().pass_number == 3
    assert rows.latest(["AAPL"])["AAPL"].values["sma_5"] == {"sma": found().sma_5}
    source(pass_number=4)
    assert rows.latest(["AAPL"]) == {}
    real = bars.series

    def rewinding(*asked, **how):
        source(pass_number=5)
        return real(*asked, **how)

    monkeypatch.setattr(bars, "series", rewinding)
    with pytest.raises(NothingDone, match="pass 4 of the recording is over"):
        rows.refresh(["AAPL"])
    assert found().pass_number == 3


def test_a_feed_that_starts_knows_the_last_closes_from_the_rows(held, quote, redis):
    rows.refresh(["AAPL"])
    summary.remember(rows.latest(["AAPL"]))
    told = summary.latest(["AAPL"])["AAPL"]
    assert (told.values["rsi_14"]["rsi"], told.session_date) == (found().rsi_14, found().session_date)
    [newer] = summary.Summary().tick([quote("AAPL", 160.0, session_date=FIRST + timedelta(days=DAYS))])
    summary.remember(rows.latest(["AAPL"]))
    assert summary.latest(["AAPL"])["AAPL"] == newer
    bars.upsert([bar(5, at=AT + timedelta(hours=1), close=105.5)])
    assert rows.latest(["AAPL"]) == {}  # nobody is told values that their bars have left behind
