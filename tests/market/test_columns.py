"""Columns of many symbols: read once, kept as long as they are true, within their bound, and nobody's to change."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from market import bars
from market.actions.adjustments import UnknownAdjustment
from market.bars.columns import store
from market.models import Symbol
from tests.market.test_bars import bar, later, split

pytestmark = [pytest.mark.django_db, pytest.mark.db, pytest.mark.usefixtures("apple")]
SESSION = date(2024, 1, 8)


@pytest.fixture(autouse=True)
def msft(db) -> Symbol:
    store.clear()
    return Symbol.objects.create(
        ticker="MSFT", name="Microsoft", exchange="XNAS", currency="USD", time_zone="America/New_York"
    )


def write(*days: int) -> None:
    bars.upsert([replace(bar(day, 100 + day), ticker=ticker) for day in days for ticker in ("AAPL", "MSFT")])


def test_each_of_many_symbols_has_what_it_has_alone():
    write(1, 2, 3)
    bars.upsert([bar(4)])
    split(date(2024, 1, 3), 4)
    for adjusted in ("raw", "split", "split_dividend"):
        found = bars.of_many(["MSFT", "AAPL", "NOPE"], adjusted=adjusted)
        assert [len(each["close"]) for each in found.values()] == [3, 4, 0]
        for ticker in ("AAPL", "MSFT"):
            history = bars.history(ticker, adjusted=adjusted)
            assert found[ticker]["close"].tolist() == [one.close for one in history]
            assert found[ticker]["session_date"].tolist() == [one.session_date for one in history]


def test_many_are_read_in_few_queries_and_again_in_one(django_assert_num_queries):
    write(1, 2, 3)
    with django_assert_num_queries(5):  # versions, the newest, rows, splits, versions again
        first = bars.of_many(["AAPL", "MSFT"])
    with django_assert_num_queries(1):  # versions
        again = bars.of_many(["AAPL", "MSFT"])
    assert all(again[ticker][name] is first[ticker][name] for ticker in first for name in first[ticker])


def test_what_changed_is_read_again_and_nothing_else(django_assert_num_queries):
    write(1, 2, 3)
    before = bars.of_many(["AAPL", "MSFT"])
    bars.upsert([replace(bar(2, 105, received_at=later()), ticker="AAPL")])
    after = bars.of_many(["AAPL", "MSFT"])
    assert after["AAPL"]["close"].tolist()[1] != before["AAPL"]["close"].tolist()[1]
    assert after["MSFT"]["close"] is before["MSFT"]["close"]
    bars.upsert([bar(2, 105, received_at=later())])  # the same again changes no value
    assert bars.of_many(["AAPL"])["AAPL"]["close"] is after["AAPL"]["close"]


def test_a_split_restates_what_is_kept():
    write(1, 2, 3)
    before = bars.columns("AAPL")["close"].tolist()
    split(date(2024, 1, 3), 4)
    assert bars.columns("AAPL")["close"].tolist() == [before[0] / 4, before[1] / 4, before[2]]
    assert bars.columns("AAPL", adjusted="raw")["close"].tolist() == before
    assert bars.columns("AAPL", limit=2)["close"].tolist() == [before[1] / 4, before[2]]


def test_nobody_changes_what_all_share():
    write(1)
    split(date(2024, 1, 3), 4)
    for column in (*bars.columns("AAPL").values(), *bars.columns("AAPL", adjusted="raw").values()):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 0
    for adjusted in ("raw", "split"):
        bars.of_many(["AAPL"], adjusted=adjusted)["AAPL"]["evil"] = np.zeros(1)
        assert "evil" not in bars.of_many(["AAPL"], adjusted=adjusted)["AAPL"]


def test_a_forming_bar_is_none_of_them_and_a_volume_that_is_unknown_stays_so():
    bars.upsert([bar(1, volume=None), bar(2, is_final=False)])
    found = bars.columns("AAPL")
    assert np.isnan(found["volume"]).tolist() == [True]


def test_what_was_asked_least_lately_goes_first_and_the_bound_holds(settings):
    write(1, 2, 3)
    bars.of_many(["AAPL", "MSFT"])
    whole = store.bytes
    settings.COLUMNS_BYTES = whole - 1
    store.clear()
    for ticker in ("AAPL", "MSFT", "AAPL"):
        bars.columns(ticker)
        assert 0 < store.bytes <= settings.COLUMNS_BYTES
    settings.COLUMNS_BYTES = 0
    bars.columns("MSFT")
    assert store.bytes == 0


def test_what_takes_the_place_of_an_older_version_is_counted_once():
    write(1, 2, 3)
    bars.columns("AAPL")
    before = store.bytes
    for day in (1, 2, 3):
        bars.upsert([replace(bar(day, 105, received_at=later()), ticker="AAPL")])
        bars.columns("AAPL")
        assert store.bytes == before > 0


def test_rows_of_a_version_that_is_gone_are_not_taken_for_those_of_another():
    write(1)
    kept = bars.columns("AAPL")["close"].tolist()
    bars.forget_before("1d", datetime(2024, 1, 2, tzinfo=UTC), tell=print)
    assert kept == [101.0]
    assert bars.columns("AAPL")["close"].tolist() == []


def test_an_adjustment_that_there_is_not_is_refused():
    with pytest.raises(UnknownAdjustment):
        bars.of_many(["AAPL"], adjusted="magic")
