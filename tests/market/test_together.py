"""Histories that come at the same time: stored together, and each as if it had come alone."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.db import IntegrityError, connection
from hypothesis import given, settings
from hypothesis import strategies as st

from market import bars, history
from market.bars import batch
from market.bars.writing import statements
from market.calendars import library, sessions
from market.history import gaps
from market.history.together import Together
from market.models import Bar, BarRevision, CorporateAction, Coverage, Symbol
from market.prices import Action, Named
from market.sources import registry
from market.sources.yahoo.charts import candles
from market.sources.yahoo.charts.candles import Rows
from market.sources.yahoo.charts.days import Days
from tests.market.test_holes import WINTER, told

stored = [pytest.mark.django_db(transaction=True), pytest.mark.db]
FACTS = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
TICKERS = ["S0", "S1", "S2", "S3"]
SPLIT = date(2024, 1, 16)


@pytest.fixture
def many(db) -> dict[str, Symbol]:
    return {ticker: Symbol.objects.create(ticker=ticker, name=ticker, **FACTS) for ticker in TICKERS}


@pytest.fixture
def at_once() -> Callable:
    """Asked of four symbols, which all are answered at the same time."""
    meet = threading.Barrier(len(TICKERS))

    def fetch(symbol: Symbol, start: date):
        days = [day for day in WINTER if day != WINTER[10] or symbol.ticker != "S1"]
        meet.wait(10)
        return columns(symbol.ticker, days), Named([Action(symbol.ticker, "split", SPLIT, 2.0, 2.0, 1.0)])

    return fetch


def columns(ticker: str, days: list[date], close: float = 101.0) -> batch.Batch:
    return batch.of_bars([told(day, ticker=ticker, source="yahoo", close=close) for day in days])


def loaded(fetch: Callable) -> dict:
    return history.backfill(TICKERS, fetch, "yahoo", since=WINTER[0], parallel=len(TICKERS))


class TestStored:
    pytestmark = stored

    def test_each_is_told_and_held_as_if_it_had_come_alone(self, many, at_once):
        done = loaded(at_once)["done"]
        lacking = dict.fromkeys(TICKERS, len(WINTER)) | {"S1": len(WINTER) - 1}
        assert {ticker: each["inserted"] for ticker, each in done.items()} == lacking
        rows = {row.symbol.ticker: row for row in Coverage.objects.select_related("symbol")}
        assert {ticker: row.held for ticker, row in rows.items()} == lacking
        until = dict.fromkeys(TICKERS, WINTER[-1]) | {"S1": WINTER[9]}
        assert {ticker: row.unbroken_until for ticker, row in rows.items()} == until
        assert {ticker: each["hole_after"] for ticker, each in done.items()}["S1"] == str(WINTER[9])
        assert CorporateAction.objects.count() == len(TICKERS)

    def test_one_that_cannot_be_stored_costs_the_others_nothing(self, many, at_once):
        def fetch(symbol: Symbol, start: date):
            if symbol.ticker == "S2":
                symbol.delete()
                symbol.pk = many["S2"].pk
            return at_once(symbol, start)

        outcome = loaded(fetch)
        assert (sorted(outcome["done"]), list(outcome["failed"])) == (["S0", "S1", "S3"], ["S2"])
        assert not Bar.objects.filter(symbol=many["S2"]).exists()
        assert CorporateAction.objects.count() == len(TICKERS) - 1

    def test_of_an_answer_whose_bars_are_not_stored_no_action_is(self, many):
        def fetch(symbol: Symbol, start: date):
            return columns(symbol.ticker, WINTER), Named([Action(symbol.ticker, "split", SPLIT, 2.0, 2.0, 1.0)])

        def away(execute, sql, params, is_many, context):
            if sql.startswith("SELECT symbol_id") and CorporateAction.objects.exists():
                raise OSError("the disk is gone")
            return execute(sql, params, is_many, context)

        with connection.execute_wrapper(away), pytest.raises(OSError, match="gone"):
            history.ensure(many["S0"], fetch, "yahoo", since=WINTER[0])
        assert not CorporateAction.objects.exists()

    def test_what_was_held_before_counts_too(self, many):
        bars.write(columns("S0", WINTER[:3]))
        new = columns("S0", WINTER[4:6])
        bars.write(new)
        row = Coverage.objects.get(symbol=many["S0"])
        gaps.counted({many["S0"]: new.session})(row)
        assert row.unbroken_until == WINTER[2]

    def test_what_others_write_while_one_thinks_is_seen(self, many):
        early, late = columns("S0", WINTER[:3], 101.0), columns("S0", WINTER[:3], 102.0)
        late = batch.Batch(**{name: getattr(late, name) for name in late.__slots__} | {"received": late.received + 1})
        write = bars.ready(late, reason="a correction")
        bars.write(early)
        told = write()["S0"]
        assert (told.inserted, told.changed, BarRevision.objects.count()) == (0, 3, 3)
        assert set(Bar.objects.values_list("close", flat=True)) == {102.0}

    def test_what_is_told_past_django_fails_as_it_says(self, many):
        part = columns("S0", WINTER[:3])
        told = {name: getattr(part, name) for name in batch.COLUMNS} | {"symbol": np.full(3, many["S0"].pk)}
        [insert] = statements.inserts(told | {"revision": np.zeros(3, np.int64)}, "1d", "yahoo", replacing=False)
        statements.run(insert)
        with pytest.raises(IntegrityError):
            statements.run(insert)

    @pytest.mark.parametrize(("source", "built"), [("yahoo", 1), ("replay", 0)])
    def test_who_forks_has_the_calendars_of_a_source_that_keeps_to_them(self, many, hold, source, built):
        hold(source)
        library._whole.cache_clear()
        registry.load_ahead()
        assert library._whole.cache_info().currsize == built


def test_who_comes_while_one_writes_is_written_together_and_the_fault_of_one_is_its_own():
    first, go_on, written = threading.Event(), threading.Event(), []

    def write(items: list[int]) -> list[int]:
        written.append(items)
        if items == [0]:
            first.set()
            go_on.wait(10)
        if 3 in items:
            raise ValueError("three")
        return [item * 10 for item in items]

    together, came = Together(write, size=lambda item: 1, most=3, alike=lambda item: item < 100), {}

    def ask(item: int) -> None:
        try:
            came[item] = together(item)
        except ValueError as error:
            came[item] = str(error)

    threads = [threading.Thread(target=ask, args=[item]) for item in (0, 1, 2, 3, 4, 100)]
    for number, thread in enumerate(threads):
        thread.start()
        assert first.wait(10)
        while len(together._waiting) < number:
            pass
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert came == {0: 0, 1: 10, 2: 20, 3: "three", 4: 40, 100: 1000}
    assert written == [[0], [1, 2, 3], [1], [2], [3], [4], [100]]


def test_who_is_told_nothing_waits_for_nothing():
    together = Together(lambda items: [], size=lambda item: 1, most=3, alike=lambda item: None)
    for _ in range(2):
        with pytest.raises(ValueError, match="shorter"):
            together(1)


ZONES = {"XNAS": "America/New_York", "XTKS": "Asia/Tokyo", "XHKG": "Asia/Hong_Kong", "24/7": "UTC", "XCME": "UTC"}
_MOMENTS = st.integers(0, 900).flatmap(
    lambda day: st.sampled_from([0, 1, 1800, 3600, 12_600, 14_400, 48_600, 50_400, 52_200, 72_000, 79_200, 82_800]).map(
        lambda seconds: 1_672_531_200 + day * 86_400 + seconds
    )
)


@settings(max_examples=200, deadline=None)
@given(exchange=st.sampled_from(sorted(ZONES)), seconds=st.lists(_MOMENTS, min_size=1, max_size=30))
def test_the_sessions_of_many_rows_are_those_of_each(exchange, seconds):
    zone = ZoneInfo(ZONES[exchange])
    at = [datetime.fromtimestamp(each, zone) for each in sorted(seconds)]
    told = np.array(sorted(seconds), float), np.zeros((4, len(at))), [None] * len(at), at, at[-1]
    rows = Rows(at, *candles.dated(at), *told, is_whole=True)
    known = Days(zone, sessions.known(exchange))
    assert known.of_trades(rows).tolist() == [batch.day(known.of_trade(each)) for each in at]
    one_by_one = [known.of_row(each, is_last=each == at[-1]) for each in at]
    assert known.of_rows(rows).tolist() == [batch.day(each) for each in one_by_one]
    strange = sorted({day for day in one_by_one if known.table and not known.table.of(day)})
    assert known.strange(known.of_rows(rows)) == strange


def test_what_is_known_of_the_instants_of_many_symbols_stays():
    zone = ZoneInfo("America/New_York")
    at = [datetime(2024, 1, 3, 0, 0, tzinfo=zone), datetime(2024, 1, 3, 23, 0, tzinfo=zone)]  # the midnight of the 4th
    told = np.array([each.timestamp() for each in at]), np.zeros((4, 2)), [None] * 2, [None] * 2, at[1]
    rows = Rows(at, *candles.dated(at), *told, is_whole=True)
    Days(zone, None).of_rows(rows)
    assert rows.dates.tolist() == [batch.day(date(2024, 1, 3))] * 2


def test_before_what_is_known_of_a_calendar_a_session_is_its_date():
    zone, at = (
        ZoneInfo("America/New_York"),
        datetime(1990, 1, 2, 15, tzinfo=UTC).astimezone(ZoneInfo("America/New_York")),
    )
    told = np.array([at.timestamp()]), np.zeros((4, 1)), [None], [None], at
    rows = Rows([at], *candles.dated([at]), *told, is_whole=True)
    known = Days(zone, sessions.known("XNAS"))
    assert known.of_rows(rows).tolist() == [batch.day(date(1990, 1, 2))]
    assert known.strange(known.of_rows(rows)) == []
