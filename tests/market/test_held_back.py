"""What comes and does not stand as it came: clipped and marked, held back until somebody looks, or refused."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from market import bars, coverage, quotes
from market.bars import forming, quarantine
from market.models import Bar, BarRevision, CorporateAction, Coverage, Decision, MarkedBar, QuarantinedBar, Symbol
from market.prices import midnight
from market.quotes.wire import quote_fields
from tests.market.test_bars import RECEIVED, bar, counts, later

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("apple"), pytest.mark.db]
WEEK = [bar(day) for day in range(1, 8)]


def columns(**changed) -> dict:
    """Three days of January 2024."""
    days = np.array(["2024-01-01", "2024-01-02", "2024-01-03"], "datetime64[D]")
    usual = {"open": [100.0] * 3, "high": [110.0] * 3, "low": [90.0] * 3, "close": [101.0] * 3, "volume": [1000] * 3}
    return {"opened_at": days, **usual, **changed}


def write(**changed) -> bars.UpsertResult:
    return bars.write(bars.answer("AAPL", "1d", columns(**changed), source="replay", received_at=RECEIVED))


def spike(**fields) -> "bars.UpsertResult":
    return bars.upsert([bar(8, **{"open": 1100.0, "high": 1200.0, "low": 1000.0, "close": 1100.0, **fields})])


def quarantined() -> int:
    return Coverage.objects.get(interval="1d").quarantined


def test_columns_are_written_as_their_bars_are():
    assert counts(write()) == (3, 0, 0)
    as_columns = list(Bar.objects.values_list())
    Bar.objects.all().delete()
    bars.upsert([bar(day) for day in (1, 2, 3)])
    assert list(Bar.objects.values_list()) == as_columns


@pytest.mark.parametrize("name", ["open", "high", "low", "close"])
@pytest.mark.parametrize("nothing", [None, float("nan"), float("inf"), 1e300, 1e-300])
def test_a_price_that_is_none_refuses_its_bar_and_no_other(name, nothing):
    result = write(**{name: [*columns()[name][:2], nothing]})
    assert (counts(result), len(result.refused)) == ((2, 0, 0), 1)
    assert "2024-01-03" in result.refused[0]


@pytest.mark.parametrize("volumes", [[1000, None, 1000], [1000, float("nan"), 1000.0]])
def test_a_volume_that_is_not_told_is_unknown(volumes):
    assert counts(write(volume=volumes)) == (3, 0, 0)
    assert [row.volume for row in Bar.objects.all()] == [1000, None, 1000]


@pytest.mark.parametrize("nonsense", [-1, 0.5, "many", True, 10**19])
def test_a_volume_that_can_be_none_refuses_its_bar_alone(nonsense):
    assert counts(write(volume=[1000, nonsense, 1000])) == (2, 0, 0)


def test_a_bar_without_a_price_as_a_value_refuses_itself_alone():
    result = bars.upsert([bar(1, open=None), bar(2)])
    assert (counts(result), len(result.refused)) == ((1, 0, 0), 1)


def test_a_close_a_little_under_its_low_is_kept_clipped_and_marked():
    assert counts(bars.upsert([bar(1, low=101.3, open=102.0, close=101.0)])) == (1, 0, 0)
    row, mark = Bar.objects.get(), MarkedBar.objects.get()
    assert (row.low, row.close, mark.low, mark.close, mark.received_at) == (101.0, 101.0, 101.3, 101.0, RECEIVED)
    assert "does not hold" in mark.reason
    bars.upsert([bar(1, low=101.3, open=102.0, close=101.0, received_at=later())])
    assert (MarkedBar.objects.count(), BarRevision.objects.count()) == (1, 0)


def test_what_is_apart_by_more_than_a_percent_is_refused_and_counted():
    result = bars.upsert([bar(1, low=103.0, open=104.0)])
    assert "contradict" in result.refused[0]
    assert (Coverage.objects.count(), MarkedBar.objects.count()) == (0, 0)
    bars.upsert([bar(2), bar(1, low=103.0, open=104.0)])
    assert Coverage.objects.get().refused == 1


def test_a_future_may_cost_less_than_nothing_and_a_share_may_not():
    oil = {"open": -14.0, "high": 13.69, "low": -40.32, "close": -37.63}
    assert bars.upsert([bar(1, **oil)]).refused
    Symbol.objects.update(asset_type=Symbol.AssetType.FUTURE)
    bars.upsert([bar(day, 20.0, open=20.0, high=21.0, low=19.0) for day in (2, 3, 4, 5, 6)])
    assert counts(bars.upsert([bar(7, **oil)])) == (1, 0, 0)
    assert bars.history("AAPL")[-1].close == -37.63


@pytest.mark.parametrize(
    "fields",
    [{}, {"open": 9.0, "high": 9.1, "low": 8.9, "close": 9.0}, {"open": 100, "high": 110, "low": 5, "close": 101}],
)
def test_a_price_beyond_ten_times_its_neighbours_is_held_back(fields):
    bars.upsert(WEEK)
    before = coverage.latest(["AAPL"])
    result = spike(**fields)
    assert (counts(result), len(result.held_back)) == ((0, 0, 0), 1)
    assert "2024-01-08" in result.held_back[0]
    assert (Bar.objects.count(), quarantined(), coverage.latest(["AAPL"])) == (7, 1, before)
    spike(**fields, received_at=later())
    assert (QuarantinedBar.objects.count(), quarantined()) == (1, 1)


def test_the_minute_of_an_auction_may_have_a_thousand_times_the_volume_of_those_before_it():
    session = bar(1).session_date
    minutes = [
        bar(1, interval="1m", opened_at=datetime(2024, 1, 1, 20, 50 + each, tzinfo=UTC), session_date=session)
        for each in range(8)
    ]
    minutes[-1] = replace(minutes[-1], volume=1_000_000)
    assert not bars.upsert(minutes).held_back


def test_a_volume_beyond_a_hundred_times_its_neighbours_is_held_back():
    bars.upsert(WEEK)
    assert not bars.upsert([bar(8, volume=99_000)]).held_back
    assert "volume" in bars.upsert([bar(9, volume=110_000)]).held_back[0]


def test_a_spike_within_a_history_is_held_back_and_a_level_that_changes_is_not():
    ten_times = {"open": 1500.0, "high": 1600.0, "low": 1400.0, "close": 1500.0}
    result = bars.upsert([bar(day, **(ten_times if day == 10 or day > 20 else {})) for day in range(1, 31)])
    assert [line[:20] for line in result.held_back] == ["AAPL 1d 2024-01-10 0"]


def test_a_fall_that_a_known_split_explains_is_none():
    apple = Symbol.objects.get()
    bars.upsert(WEEK)
    after = {"open": 5.0, "high": 5.5, "low": 4.5, "close": 5.0, "volume": 20_000}
    assert bars.upsert([bar(8, **after)]).held_back
    CorporateAction.objects.create(
        symbol=apple, kind="split", ex_date=date(2024, 1, 8), value=20, source="replay", received_at=RECEIVED
    )
    assert counts(bars.upsert([bar(8, **after, received_at=later())])) == (1, 0, 0)
    assert quarantined() == 0


def test_a_fall_that_a_split_explains_which_somebody_keeps_out_is_held_back(apple):
    bars.upsert(WEEK)
    said = {"source": "replay", "received_at": RECEIVED, "decision": Decision.KEPT_OUT}
    CorporateAction.objects.create(symbol=apple, kind="split", ex_date=date(2024, 1, 8), value=20, **said)
    assert bars.upsert([bar(8, open=5.0, high=5.5, low=4.5, close=5.0, volume=20_000)]).held_back


def test_a_price_under_a_tenth_of_its_neighbours_is_held_back_however_small():
    cheap, least = ({name: price for name in ("open", "high", "low", "close")} for price in (0.5, 0.04))
    bars.upsert([bar(day, **cheap) for day in range(1, 8)])
    assert len(spike(**least).held_back) == 1


def test_several_symbols_of_one_answer_are_no_neighbours():
    facts = {"exchange": "XNYS", "currency": "USD", "time_zone": "America/New_York"}
    Symbol.objects.create(ticker="BRK-A", name="Berkshire", **facts)
    dear = {"ticker": "BRK-A", "open": 1e5, "high": 1.1e5, "low": 9e4, "close": 1e5}
    assert bars.upsert([*WEEK, *(bar(day, **dear) for day in range(1, 8))]).held_back == ()


def test_few_neighbours_judge_nobody():
    bars.upsert(WEEK[:4])
    assert counts(spike()) == (1, 0, 0)


def test_a_day_without_a_session_is_held_back_where_the_source_keeps_to_the_calendar():
    result = bars.upsert([bar(5), bar(6), bar(8)], by_calendar=True)  # the sixth is a Saturday
    assert (counts(result), len(result.held_back)) == ((2, 0, 0), 1)
    assert "no session of XNAS" in QuarantinedBar.objects.get().reason


def test_a_day_without_a_session_that_was_let_through_is_held_back_no_more():
    bars.upsert([bar(5), bar(6)], by_calendar=True)
    quarantine.release(QuarantinedBar.objects.get(), "alice")
    again = [bar(day, received_at=later()) for day in (5, 6)]
    assert bars.upsert(again, by_calendar=True).held_back == ()
    assert (Bar.objects.count(), Bar.objects.get(session_date=date(2024, 1, 6)).confirmed_at) == (2, later())


def test_who_looks_at_a_bar_that_is_held_back_may_let_it_through():
    bars.upsert(WEEK)
    spike()
    for _ in range(2):
        quarantine.release(QuarantinedBar.objects.get(), "alice")
    row = QuarantinedBar.objects.get()
    assert (bars.history("AAPL")[-1].close, row.released_by, quarantined()) == (1100, "alice", 0)
    assert counts(spike(received_at=later())) == (0, 0, 1)  # the source says it again


def test_a_later_telling_that_stands_settles_what_was_held_back():
    bars.upsert(WEEK)
    spike()
    assert counts(bars.upsert([bar(8, received_at=later())])) == (1, 0, 0)
    assert (quarantined(), QuarantinedBar.objects.get().released_at) == (0, later())


def test_a_bar_before_1800_is_none():
    long_ago = {"opened_at": midnight(date(1700, 1, 1)), "session_date": date(1700, 1, 1)}
    assert "none" in bars.upsert([bar(1, **long_ago)]).refused[0]


def test_the_close_of_a_quote_is_clipped_and_marked_by_the_same_rule(quote):
    told = quote("AAPL", 100.7, open=102.0, high=110.0, low=101.0, previous_close=101.0, is_final=True)
    [kept] = quotes.keep([told])
    assert (quotes.latest(["AAPL"])["AAPL"].low, quote_fields(kept)["low"]) == (100.7, 100.7)
    result = bars.upsert([forming.daily_bar(kept)])
    assert (counts(result), result.marked) == ((1, 0, 0), 1)
    assert (Bar.objects.get().low, MarkedBar.objects.get().low) == (100.7, 101.0)
