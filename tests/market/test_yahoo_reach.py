"""How far back Yahoo tells bars of an interval and how much in one request: no more is asked for, and none is lost."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market import actions, bars, prices
from market.calendars import sessions
from market.coverage import loading
from market.history import within
from market.models import Bar, Symbol
from market.prices import Action, Named
from market.sources import ProviderError
from market.sources.contract import BeyondReach, Reach
from market.sources.yahoo import REACH, asking

DAYS = st.timedeltas(timedelta(days=1), timedelta(days=1000))
NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)
TODAY = datetime.now(UTC).date()


@settings(deadline=None)
@given(st.one_of(st.none(), DAYS), st.one_of(st.none(), DAYS), DAYS, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_requests_cover_what_is_asked_and_reached_once_and_none_is_too_long(back, longest, ago, until):
    reach, start, end = Reach(back, longest), NOW - ago, NOW - until
    first = max(start, reach.since(NOW) or start)
    if first >= end:
        with pytest.raises(BeyondReach):
            reach.requests(start, end, NOW)
        return
    found = reach.requests(start, end, NOW)
    assert (found[0][0], found[-1][1]) == (first, end)
    assert all(one[1] == other[0] for one, other in pairwise(found))
    assert all(timedelta(0) < last - since <= (longest or last - since) for since, last in found)


def test_yahoos_table_is_that_of_its_refusals():
    told = {name: (each.back and each.back.days, each.longest and each.longest.days) for name, each in REACH.items()}
    within = {name: (60, None) for name in ("5m", "15m", "30m")}
    assert told == {"1m": (30, 7), **within, "1h": (730, None), "1d": (None, None)}


def chart(ticker: str, interval: str, seconds: int, since: date, *, shares: float = 1.0) -> dict:
    """A bar of each so many seconds of New York's sessions up to yesterday, at 100 dollars of then, restated by later
    shares.
    """
    days = sessions.between("XNAS", since, TODAY - timedelta(days=1))
    stamps = [
        at
        for day in days
        for opens, closes in [sessions.hours("XNAS", day)]
        for at in range(int(opens.timestamp()), int(closes.timestamp()), seconds)
    ]
    price, volume = [100.0 / shares] * len(stamps), [1000] * len(stamps)
    candles = {name: price for name in ("open", "high", "low", "close")} | {"volume": volume}
    meta = {
        "symbol": ticker, "currency": "USD", "exchangeTimezoneName": "America/New_York", "instrumentType": "EQUITY",
        "dataGranularity": interval, "regularMarketTime": stamps[-1],
    }  # fmt: skip
    return {"meta": meta, "timestamp": stamps, "indicators": {"quote": [candles]}, "events": {}}


@pytest.fixture
def loaded(apple) -> Symbol:
    """Its days are loaded, as they are before its minutes."""
    loading.complete(apple, date(2000, 1, 1), since=date(2000, 1, 1), until=None)
    return apple


def fill(symbol: Symbol, interval: str) -> list[Bar]:
    within.fill(symbol, interval, asking.within, REACH[interval], "yahoo", by_calendar=True)
    return list(Bar.objects.filter(interval=interval).order_by("opened_at"))


@pytest.mark.parametrize(("interval", "seconds", "requests"), [("1m", 60, 5), ("5m", 300, 1), ("1h", 3600, 1)])
def test_a_past_comes_in_as_many_requests_as_it_takes_and_each_bar_once(loaded, wire, interval, seconds, requests):
    wire.charts["AAPL"] = whole = chart("AAPL", interval, seconds, TODAY - timedelta(days=27))
    found = fill(loaded, interval)
    assert [int(bar.opened_at.timestamp()) for bar in found] == whole["timestamp"]
    assert {(bar.state, bar.is_final) for bar in found} == {("final", True)}
    assert len(wire.spans) == requests
    fill(loaded, interval)
    assert len(wire.spans) <= requests + 2  # over holidays
    assert loading.row(loaded, interval).held == len(found)


@pytest.mark.parametrize(("interval", "seconds", "days"), [("1m", 60, 30), ("5m", 300, 60)])
def test_what_lies_beyond_is_not_asked_for_and_no_session_is_told_in_part(loaded, wire, interval, seconds, days):
    wire.charts["AAPL"] = chart("AAPL", interval, seconds, TODAY - timedelta(days=days + 10))
    oldest = fill(loaded, interval)[0]
    assert TODAY - timedelta(days=days) <= oldest.session_date <= TODAY - timedelta(days=days - 6)
    assert oldest.opened_at == sessions.hours("XNAS", oldest.session_date)[0]
    assert loading.row(loaded, interval).first_wanted == within.first_session(REACH[interval], datetime.now(UTC))


def test_who_asks_for_too_much_at_once_is_refused_by_the_source(loaded, wire, monkeypatch):
    wire.charts["AAPL"] = chart("AAPL", "1m", 60, TODAY - timedelta(days=20))
    monkeypatch.setitem(REACH, "1m", Reach(timedelta(days=30), timedelta(days=20)))
    with pytest.raises(ProviderError, match="Only 7 days worth of 1m"):
        fill(loaded, "1m")
    monkeypatch.setitem(REACH, "1m", Reach(timedelta(days=90), timedelta(days=7)))
    with pytest.raises(ProviderError, match="within the last 30 days"):
        fill(loaded, "1m")


def test_minutes_before_a_split_that_another_answer_named_are_as_they_were_traded(loaded, wire):
    """Three weeks lie between them, and no answer of minutes spans so much."""
    split = sessions.between("XNAS", TODAY - timedelta(days=6), TODAY)[0]
    actions.keep(loaded, Named([Action("AAPL", "split", split, 4.0, 4, 1)]), "yahoo")
    wire.charts["AAPL"] = chart("AAPL", "1m", 60, TODAY - timedelta(days=28), shares=4.0)
    bars.upsert(
        day(session) for session in sessions.between("XNAS", TODAY - timedelta(days=28), TODAY) if session < split
    )
    found = [bar for bar in fill(loaded, "1m") if bar.session_date <= TODAY - timedelta(days=21)]
    assert {(bar.close, bar.volume) for bar in found} == {(100.0, 250)}


def day(session: date) -> prices.Bar:
    at = prices.midnight(session)
    return prices.Bar("AAPL", "1d", at, 100.0, 100.0, 100.0, 100.0, 1000, True, "yahoo", at + timedelta(hours=22))
