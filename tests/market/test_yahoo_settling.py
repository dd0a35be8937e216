"""Whether a day's row has settled, by the answer itself: forming, closed, final."""

from datetime import UTC, date, datetime, timedelta

import pytest

from market.models import Symbol
from market.sources.yahoo import charts
from tests.market.yahoo_charts import made_chart, symbol_of

CLOSE = datetime(2013, 3, 1, 21, tzinfo=UTC)  # of the last session that is recorded
NEXT_OPENING = datetime(2013, 3, 4, 14, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def live(close: datetime = CLOSE) -> dict:
    """The chart of Apple as it is until it has settled: its last row bears the time of the last trade."""
    chart = made_chart("AAPL", regularMarketTime=int((close + SECOND).timestamp()))
    chart["timestamp"][-1] = chart["meta"]["regularMarketTime"]
    return chart


def states(chart: dict, *moments: datetime) -> list[str]:
    apple = symbol_of("AAPL")
    return [charts.read(chart, symbol=apple, interval="1d", now=now).bars[-1].state for now in moments]


def differences(chart: dict, symbol: Symbol) -> list[str]:
    """Where the source trades otherwise than the calendar says."""
    found = charts.read(chart, symbol=symbol, interval="1d", now=NEXT_OPENING)
    return [why for kind, why in found.told if kind == "calendar"]


def quoted(chart: dict, now: datetime):
    return charts.quote(chart, symbol=symbol_of("AAPL"), now=now)


def test_a_live_row_is_closed_twenty_minutes_after_the_close_and_final_when_the_next_session_opens():
    late = CLOSE + timedelta(minutes=20)
    assert states(live(), CLOSE, late - SECOND, late) == ["forming", "forming", "closed"]
    assert states(live(), NEXT_OPENING - SECOND, NEXT_OPENING) == ["closed", "final"]


def test_a_row_that_is_stamped_with_the_opening_is_final_twenty_minutes_after_the_close():
    late = CLOSE + timedelta(minutes=20)
    assert states(made_chart("AAPL"), late - SECOND, late) == ["forming", "final"]


def test_a_row_that_is_no_longer_the_last_is_final():
    chart = live()
    chart["timestamp"].append(int(NEXT_OPENING.timestamp()))
    for column in chart["indicators"]["quote"][0].values():
        column.append(None)
    assert states(chart, CLOSE + timedelta(minutes=20)) == ["final"]


def test_the_session_before_a_live_row_is_final():
    found = charts.read(live(), symbol=symbol_of("AAPL"), interval="1d", now=CLOSE).bars
    assert [bar.state for bar in found[-3:]] == ["final", "final", "forming"]


def test_without_a_calendar_a_row_settles_by_the_hour_of_those_before_it():
    now, nowhere = CLOSE + timedelta(hours=4), symbol_of("AAPL", exchange="NOPE")
    found = [
        charts.read(chart, symbol=nowhere, interval="1d", now=now).bars[-1].state
        for chart in (live(), made_chart("AAPL"))
    ]
    assert found == ["closed", "final"]


def test_a_half_day_closes_by_its_own_hours():
    close = datetime(2012, 11, 23, 18, tzinfo=UTC)
    chart = made_chart("AAPL")
    kept = [index for index, stamp in enumerate(chart["timestamp"]) if stamp < close.timestamp()]
    chart["timestamp"] = [chart["timestamp"][index] for index in kept]
    candles = chart["indicators"]["quote"][0]
    chart["indicators"]["quote"] = [{name: column[: len(kept)] for name, column in candles.items()}]
    chart["timestamp"][-1] = chart["meta"]["regularMarketTime"] = int((close + SECOND).timestamp())
    late = close + timedelta(minutes=20)
    assert states(chart, late - SECOND, late) == ["forming", "closed"]


def test_a_quote_closes_and_settles_as_its_bar_does():
    late = CLOSE + timedelta(minutes=20)
    found = [quoted(chart, now).state for chart in (live(), made_chart("AAPL")) for now in (late - SECOND, late)]
    assert found == ["forming", "closed", "forming", "final"]


def test_a_settled_quote_has_the_values_of_its_row_and_not_those_of_the_last_trade():
    chart = made_chart("AAPL", regularMarketPrice=430.0, regularMarketDayHigh=500.0, regularMarketVolume=5)
    settled = quoted(chart, CLOSE + timedelta(hours=4))
    (bar,) = charts.read(chart, symbol=symbol_of("AAPL"), interval="1d", now=CLOSE).bars[-1:]
    assert (settled.price, settled.high, settled.low, settled.volume) == (bar.close, bar.high, bar.low, bar.volume)
    assert quoted(chart, CLOSE).price == 430.0


@pytest.mark.parametrize(
    ("ticker", "exchange", "zone", "traded", "session"),
    [
        ("BTC-USD", "CCC", "UTC", "2024-07-01T23:30:12Z", "2024-07-01"),
        ("BTC-USD", "CCC", "UTC", "2024-07-01T23:00:00Z", "2024-07-01"),
        ("EURUSD=X", "CCY", "Europe/London", "2024-07-01T22:30:12Z", "2024-07-01"),  # half past eleven in London
        ("EURUSD=X", "CCY", "Europe/London", "2024-06-30T21:30:12Z", "2024-07-01"),  # Sunday evening in New York
        ("GC=F", "CMX", "America/New_York", "2024-07-01T23:30:12Z", "2024-07-02"),  # the evening before
        ("GC=F", "CMX", "America/New_York", "2024-06-30T22:30:12Z", "2024-07-01"),  # of a Sunday
        ("AAPL", "XNAS", "America/New_York", "2024-07-01T20:00:01Z", "2024-07-01"),
    ],
)
def test_the_running_row_and_the_quote_have_the_session_that_trades(ticker, exchange, zone, traded, session):
    at = datetime.fromisoformat(traded)
    stamp = int(at.timestamp())
    meta = {"exchangeTimezoneName": zone, "regularMarketTime": stamp, "regularMarketPrice": 10.0}
    candles = {name: [10.0] for name in ("open", "high", "low", "close")} | {"volume": [1]}
    chart = {"meta": meta, "timestamp": [stamp], "indicators": {"quote": [candles]}}
    symbol = symbol_of(ticker, exchange=exchange, time_zone=zone)
    (bar,) = charts.read(chart, symbol=symbol, interval="1d", now=at).bars
    quote = charts.quote(chart, symbol=symbol, now=at)
    assert (bar.session_date, quote.session_date) == (date.fromisoformat(session),) * 2
    assert (bar.state, quote.state, quote.open) == ("forming", "forming", 10.0)


def test_a_session_that_the_calendar_does_not_know_is_told():
    chart = made_chart("AAPL")
    chart["timestamp"][-1] = int(datetime(2013, 3, 2, 14, 30, tzinfo=UTC).timestamp())
    assert differences(chart, symbol_of("AAPL")) == ["it traded on 2013-03-02, no session of the calendar"]
    assert not differences(made_chart("AAPL"), symbol_of("AAPL"))


def test_hours_that_the_calendar_does_not_know_are_told_and_count():
    chart = live()
    chart["meta"]["currentTradingPeriod"]["regular"]["end"] -= 3600
    assert differences(chart, symbol_of("AAPL")) == [
        "2013-03-01 is from 09:30 to 15:00, by the calendar from 09:30 to 16:00"
    ]
    assert states(chart, CLOSE - timedelta(minutes=41), CLOSE - timedelta(minutes=40)) == ["forming", "closed"]
