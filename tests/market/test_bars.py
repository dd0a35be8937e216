"""Bars: one writer that may be called twice, out of order and at once; readers that restate."""

import math
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.conf import settings
from django.db import OperationalError, connection

from market import actions, bars, coverage, prices
from market.bars import checks, forming
from market.bars.wire import bar_fields
from market.bars.writing import store
from market.coverage import held
from market.models import Bar as BarRow
from market.models import BarRevision, CorporateAction, ProvisionalBar, Symbol
from market.prices import Action, Bar, Named
from monitoring import refusals
from tests.conftest import shared_database
from tests.market import writer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("apple")]
RECEIVED = datetime(2024, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)


def bar(day: int = 1, close: float = 101.0, **fields) -> Bar:
    """A final daily bar of January 2024."""
    values = {"open": 100.0, "high": 110.0, "low": 90.0, "volume": 1000, "is_final": True}
    values |= {"source": "replay", "received_at": RECEIVED}
    opened_at = prices.midnight(date(2024, 1, day))
    return Bar(**{"ticker": "AAPL", "interval": "1d", "opened_at": opened_at, "close": close, **values, **fields})


def later(minutes: int = 1) -> datetime:
    return RECEIVED + timedelta(minutes=minutes)


def table() -> list[tuple]:
    return list(BarRow.objects.order_by("symbol_id", "interval", "opened_at").values_list())


def counts(result: bars.UpsertResult) -> tuple[int, int, int]:
    return result.inserted, result.changed, result.unchanged


@pytest.mark.db
def test_writing_twice_changes_nothing():
    many = [bar(day, 100 + day / 7) for day in range(1, 10)]
    assert counts(bars.upsert(many)) == (9, 0, 0)
    before = table()
    assert counts(bars.upsert(many)) == (0, 0, 9)
    assert table() == before


@pytest.mark.db
def test_what_says_the_same_leaves_its_time_and_no_version():
    bars.upsert([bar(day) for day in (1, 2, 3)])
    before = coverage.latest(["AAPL"])
    assert counts(bars.upsert([bar(day, received_at=later(5)) for day in (1, 3)])) == (0, 0, 2)
    assert [row[-1] for row in table()] == [later(5), None, later(5)]
    assert [row.received_at for row in BarRow.objects.all()] == [RECEIVED] * 3
    assert coverage.latest(["AAPL"]) == before


@pytest.mark.db
def test_a_correction_is_a_new_revision_and_the_old_values_stay_with_the_reason():
    bars.upsert([bar(close=101)])
    assert counts(bars.upsert([bar(close=102, received_at=later())], reason="late trades")) == (0, 1, 0)
    row, old = BarRow.objects.get(), BarRevision.objects.get()
    assert (row.close, row.revision, row.received_at) == (102, 1, later())
    assert (old.close, old.revision, old.reason, old.received_at) == (101, 0, "late trades", RECEIVED)


@pytest.mark.db
@pytest.mark.parametrize("field", ["open", "high", "low", "close", "volume"])
def test_each_value_can_be_corrected_alone(field):
    bars.upsert([bar()])
    changed = {"open": 99.5, "high": 111.0, "low": 89.0, "close": 100.5, "volume": 2000}[field]
    bars.upsert([bar(**{field: changed}, received_at=later())])
    assert getattr(BarRow.objects.get(), field) == changed


@pytest.mark.db
def test_an_older_answer_that_comes_late_is_the_earlier_revision():
    bars.upsert([bar(close=102, received_at=later())])
    assert counts(bars.upsert([bar(close=101)], reason="late")) == (0, 1, 0)
    row, old = BarRow.objects.get(), BarRevision.objects.get()
    assert (row.close, row.revision, row.received_at) == (102, 1, later())
    assert (old.close, old.revision, old.received_at, old.replaced_at) == (101, 0, RECEIVED, later())


@pytest.mark.db
def test_a_volume_that_is_not_told_is_that_which_is_known():
    bars.upsert([bar(1), bar(2)])
    told = [bar(1, volume=None, received_at=later()), bar(2, 102, volume=None, received_at=later())]
    assert counts(bars.upsert(told)) == (0, 1, 1)
    assert [(one.close, one.volume) for one in bars.history("AAPL")] == [(101, 1000), (102, 1000)]


@pytest.mark.db
def test_a_volume_that_moves_by_a_third_of_a_percent_is_no_correction():
    bars.upsert([bar(1, volume=100_000), bar(2, volume=100_000)])
    told = [bar(1, volume=100_349, received_at=later()), bar(2, volume=100_360, received_at=later())]
    assert counts(bars.upsert(told)) == (0, 1, 1)
    assert [(one.volume, one.revision) for one in bars.history("AAPL")] == [(100_000, 0), (100_360, 1)]


@pytest.mark.db
def test_a_volume_off_by_the_rounding_of_a_later_consolidation_is_no_correction():
    bars.upsert([bar(1, volume=101), bar(2, volume=101), bar(9, volume=2)])
    apple = Symbol.objects.get()
    actions.keep(apple, Named([Action("AAPL", "split", date(2024, 1, 8), 1 / 50, 1, 50)]), "replay")
    again = [bar(1, volume=100, received_at=later()), bar(2, volume=150, received_at=later())]
    assert counts(bars.upsert(again)) == (0, 1, 1)
    assert [one.volume for one in bars.history("AAPL", adjusted="raw")] == [101, 150, 2]


@pytest.mark.db
def test_to_settle_is_no_correction_and_what_was_told_before_stays():
    closed = {"is_final": False, "state": "closed"}
    bars.upsert([bar(close=100.5, **closed)])
    bars.upsert([bar(close=101, received_at=later(1), **closed)])
    assert counts(bars.upsert([bar(close=102, received_at=later(2))], reason="settled")) == (0, 1, 0)
    assert [(one.close, one.state, one.revision) for one in bars.history("AAPL")] == [(102, "final", 0)]
    provisional = [(old.ordinal, old.close, old.replaced_at) for old in ProvisionalBar.objects.all()]
    assert provisional == [(0, 100.5, later(1)), (1, 101.0, later(2))]
    assert not BarRevision.objects.exists()


@pytest.mark.db
def test_a_closed_bar_moves_without_revisions_and_never_covers_a_final_one():
    closed = {"is_final": False, "state": "closed"}
    bars.upsert([bar(close=101, **closed)])
    bars.upsert([bar(close=102, received_at=later(1), **closed)])
    assert [(one.close, one.state) for one in bars.history("AAPL")] == [(102, "closed")]
    bars.upsert([bar(close=103, received_at=later(2))])
    bars.upsert([bar(close=104, received_at=later(3), **closed)])
    row = BarRow.objects.get()
    assert (row.close, row.state, row.is_final, row.revision) == (103, "final", True, 0)
    assert not BarRevision.objects.exists()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"close": math.nan}, "a price that is none"),
        ({"high": math.inf}, "a price that is none"),
        ({"low": 0.0}, "a price that is none"),
        ({"open": -1.0}, "a price that is none"),
        ({"high": 99.5}, "contradict"),
        ({"low": 102.5}, "contradict"),
        ({"volume": -1}, "a volume of -1"),
        ({"volume": 10**19}, "a volume of 1000"),
        ({"volume": 0.5}, "a volume of 0.5"),
        ({"high": 1e13}, "a price that is none"),
        ({"received_at": datetime(2999, 1, 1, tzinfo=UTC)}, "future"),
        ({"opened_at": datetime(2999, 1, 1, tzinfo=UTC)}, "future"),
        ({"ticker": "NOPE"}, "no such symbol"),
        ({"is_final": False}, "still forms"),
        ({"interval": "2d"}, "no interval 2d"),
        ({"opened_at": datetime(2024, 1, 1, 5, tzinfo=UTC), "session_date": date(2024, 1, 1)}, "midnight"),
        ({"opened_at": datetime(2024, 1, 1, 5, tzinfo=UTC)}, "does not say its session"),
        ({"opened_at": datetime(2024, 1, 1)}, "without its zone"),  # noqa: DTZ001
    ],
)
def test_a_bar_that_cannot_be_is_refused_alone_with_the_reason(fields, reason):
    result = bars.upsert([bar(1, **fields), bar(2)])
    assert counts(result) == (1, 0, 0)
    assert len(result.refused) == 1
    assert reason in result.refused[0]


@pytest.mark.db
def test_a_bar_that_was_received_in_the_future_gives_way_to_the_next_correction():
    bars.upsert([bar(close=101)])
    BarRow.objects.update(received_at=datetime(2999, 1, 1, tzinfo=UTC))  # by a clock that was wrong
    assert counts(bars.upsert([bar(close=102, received_at=later())])) == (0, 1, 0)
    assert counts(bars.upsert([bar(close=103, received_at=later(2))])) == (0, 1, 0)
    assert counts(bars.upsert([bar(close=102, received_at=later(1))])) == (0, 0, 1)
    assert (BarRow.objects.get().close, BarRow.objects.get().revision) == (103, 2)


@pytest.mark.db
def test_bars_of_sessions_to_come_are_forgotten_and_counted():
    bars.upsert([bar(1), bar(2)])
    BarRow.objects.filter(opened_at=bar(2).opened_at).update(opened_at=datetime(2999, 1, 1, tzinfo=UTC))
    assert bars.forget_future("AAPL") == 1
    assert [row.opened_at for row in bars.history("AAPL")] == [bar(1).opened_at]
    assert refusals.counts() == {"bars": 1}


@pytest.mark.db
def test_a_bar_that_the_database_refuses_does_not_take_the_others_along(monkeypatch):
    monkeypatch.setattr(checks, "faults", lambda batch, may_be_negative, now: {})  # as if the door stood open
    result = bars.upsert([bar(day, close=math.inf if day == 7 else 101) for day in range(1, 30)])
    assert (result.inserted, len(result.refused), BarRow.objects.count()) == (28, 1, 28)
    assert "2024-01-07" in result.refused[0]
    assert refusals.counts() == {"bars": 1}


@pytest.mark.db
def test_a_price_comes_back_to_the_bit():
    values = {"open": 0.1 + 0.2, "high": 700_123.45, "low": 1e-7, "close": 1 / 3}
    bars.upsert([bar(**values)])
    found = bars.history("AAPL")[0]
    assert {name: getattr(found, name) for name in values} == values
    assert (found.opened_at, found.received_at) == (bar().opened_at, RECEIVED)


@pytest.mark.db
def test_many_bars_are_read_and_written_in_few_queries(django_assert_num_queries):
    bars.upsert([bar(31)])
    many = [bar(day) for day in range(1, 31)]
    # the symbols; read; savepoint, lock, read, write, which SQLite is told past Django, cover, release
    with django_assert_num_queries(7 if connection.vendor == "sqlite" else 8):
        bars.upsert(many)


def write_at_once(*versions: int) -> None:
    """Processes that each write the same sixty bars one by one, in an order of their own; none may fail."""
    environment = {**os.environ, **shared_database(), "DJANGO_SETTINGS_MODULE": "finstage.settings"}
    program = "import django; django.setup(); from tests.market import writer; writer.write(%d, %d)"
    commands = [[sys.executable, "-c", program % (seed, version)] for seed, version in enumerate(versions)]
    running = [subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment) for command in commands]
    assert [process.wait(60) for process in running] == [0] * len(versions)


@pytest.mark.db
@pytest.mark.django_db(transaction=True)
def test_four_processes_that_write_the_same_at_once_leave_what_one_leaves():
    write_at_once(writer.SAME, writer.SAME, writer.SAME, writer.SAME)
    before = table()
    BarRow.objects.all().delete()
    bars.upsert(writer.versions(writer.SAME))
    assert before == table()
    assert not BarRevision.objects.exists()


@pytest.mark.db
@pytest.mark.django_db(transaction=True)
def test_four_processes_that_write_different_values_agree_on_the_newest_and_lose_no_revision():
    writer.write(0, writer.SAME)
    write_at_once(1, 2, 3, 4)
    found = bars.history("AAPL", adjusted="raw")
    assert [(one.opened_at, one.close) for one in found] == [(one.opened_at, one.close) for one in writer.versions(4)]
    for one in found:
        kept = BarRevision.objects.filter(opened_at=one.opened_at).order_by("revision")
        assert [old.revision for old in kept] == list(range(one.revision))
        assert sorted(old.close for old in kept) == [old.close for old in kept]
    assert BarRevision.objects.exists()


@pytest.mark.db
@pytest.mark.django_db(transaction=True)
def test_a_deadlock_is_tried_again(monkeypatch):
    once, met = store.write, []

    def deadlocks_twice(*arguments):
        met.append(1)
        if len(met) < 3:
            raise OperationalError(1213, "Deadlock found when trying to get lock")
        return once(*arguments)

    monkeypatch.setattr(store, "write", deadlocks_twice)
    assert counts(bars.upsert([bar()])) == (1, 0, 0)


def split(session: date, value: float = 2) -> None:
    named = Named([Action("AAPL", "split", session, value, value, 1.0)])
    actions.keep(Symbol.objects.get(ticker="AAPL"), named, "replay")


@pytest.mark.db
def test_history_is_the_newest_within_bounds_oldest_first():
    bars.upsert([bar(day) for day in range(1, 11)])
    start, end = prices.midnight(date(2024, 1, 3)), prices.midnight(date(2024, 1, 6))
    assert [one.session_date.day for one in bars.history("AAPL", start=start, end=end)] == [3, 4, 5, 6]
    assert [one.session_date.day for one in bars.history("AAPL", end=end, limit=2)] == [5, 6]
    assert bars.history("NOPE") == []


def test_the_forming_bar_is_the_last_until_its_final_one_is_there():
    bars.upsert([bar(day) for day in (1, 2)])
    forming.keep([bar(3, close=105, is_final=False)])
    assert [(one.session_date.day, one.is_final) for one in bars.history("AAPL", limit=2)] == [(2, True), (3, False)]
    assert [one.session_date.day for one in bars.history("AAPL", end=prices.midnight(date(2024, 1, 2)))] == [1, 2]
    bars.upsert([bar(3)])
    assert [one.is_final for one in bars.history("AAPL")] == [True, True, True]
    forming.keep([bar(3)])
    assert forming.latest(["AAPL", "NOPE"]) == {"AAPL": None, "NOPE": None}


def test_a_bar_that_closes_while_the_rows_are_read_is_not_lost():
    bars.upsert([bar(day) for day in (1, 2)])
    forming.keep([bar(3, close=105, is_final=False)])
    closing = [bar(3)]

    def closes(execute, asked, *rest):
        answer = execute(asked, *rest)
        if closing and f"FROM {connection.ops.quote_name(BarRow._meta.db_table)}" in asked:
            closed = [closing.pop()]
            bars.upsert(closed)  # as the feed does
            forming.keep(closed)
        return answer

    with connection.execute_wrapper(closes):
        assert [one.session_date.day for one in bars.history("AAPL")] == [1, 2, 3]
    assert not closing


@pytest.mark.db
def test_prices_before_a_split_are_restated_and_the_rows_stay_as_traded():
    bars.upsert([bar(1), bar(2, 50.5, open=50.0, high=55.0, low=45.0)])
    split(date(2024, 1, 2))
    first, last = bars.history("AAPL")
    assert (first.open, first.high, first.low, first.close, first.volume) == (50, 55, 45, 50.5, 2000)
    assert (first.adjustment, last.close) == ("split", 50.5)
    assert bars.history("AAPL", adjusted="raw")[0].close == BarRow.objects.earliest("opened_at").close == 101


@pytest.mark.db
@pytest.mark.parametrize("adjusted", ["raw", "split", "split_dividend"])
def test_columns_are_the_history_as_arrays(adjusted):
    bars.upsert([bar(day, 100 + day, volume=None if day == 3 else day) for day in range(1, 9)])
    split(date(2024, 1, 4), 4)
    apple = Symbol.objects.get(ticker="AAPL")
    CorporateAction.objects.create(
        symbol=apple, kind="dividend", ex_date=date(2024, 1, 6), value=2, source="replay", received_at=RECEIVED
    )
    found, history = bars.columns("AAPL", adjusted=adjusted), bars.history("AAPL", adjusted=adjusted)
    for name in ("open", "high", "low", "close"):
        assert found[name].dtype == np.float64
        assert found[name].tolist() == [getattr(one, name) for one in history]
    assert np.isnan(found["volume"][2])
    assert found["volume"][0] == history[0].volume
    assert found["opened_at"].tolist() == [one.opened_at.replace(tzinfo=None) for one in history]
    assert found["session_date"].tolist() == [one.session_date for one in history]


def test_columns_of_nothing_are_empty():
    assert all(len(column) == 0 for column in bars.columns("AAPL").values())


# Chicago's futures trade from Sunday evening on, in Monday's session.
EVENING = {"interval": "1h", "opened_at": datetime(2024, 1, 7, 23, tzinfo=UTC), "session_date": date(2024, 1, 8)}


@pytest.mark.db
def test_a_bar_within_a_session_has_its_exchanges_date_and_not_that_of_utc():
    split(date(2024, 1, 8))
    bars.upsert([bar(**EVENING)])
    assert BarRow.objects.get().session_date == date(2024, 1, 8)
    read = bars.history("AAPL", interval="1h")[0]
    assert (read.session_date, read.close) == (date(2024, 1, 8), 101.0)
    assert bar_fields(read, "")["session_date"] == "2024-01-08"
    assert bars.columns("AAPL", interval="1h")["close"].tolist() == [101.0]


@pytest.mark.db
def test_a_correction_of_a_bar_within_a_session_keeps_its_date():
    bars.upsert([bar(**EVENING)])
    assert counts(bars.upsert([bar(close=102, received_at=later(), **EVENING)])) == (0, 1, 0)
    assert bars.history("AAPL", interval="1h")[0].session_date == date(2024, 1, 8)


@pytest.mark.db
def test_coverage_names_the_first_and_the_last_of_each_interval():
    hour = datetime(2024, 1, 7, 15, tzinfo=UTC)
    bars.upsert([bar(1), bar(5), bar(interval="1h", opened_at=hour, session_date=hour.date())])
    assert held.latest(["AAPL", "NOPE"]) == {
        "AAPL": {
            "1d": {"first": "2024-01-01T00:00:00Z", "last": "2024-01-05T00:00:00Z", "count": 2},
            "1h": {"first": "2024-01-07T15:00:00Z", "last": "2024-01-07T15:00:00Z", "count": 1},
        },
        "NOPE": {},
    }


def test_json_is_the_contracts_bar():
    bars.upsert([bar()])
    assert bar_fields(bars.history("AAPL")[0], "0199") == {
        "symbol": "AAPL", "interval": "1d", "opened_at": "2024-01-01T00:00:00Z", "session_date": "2024-01-01",
        "open": 100.0, "high": 110.0, "low": 90.0, "close": 101.0, "volume": 1000, "adjustment": "split",
        "state": "final", "is_final": True, "revision": 0, "source": "replay", "as_of": "2024-01-01T00:00:00Z",
        "as_of_precision": "day",
        "received_at": "2024-06-01T12:00:00.123Z", "version": "0199",
    }  # fmt: skip
