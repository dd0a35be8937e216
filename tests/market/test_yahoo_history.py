"""Bars and actions out of Yahoo's charts, as traded and as paid, over the real wire."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from bokeh_sampledata import stocks

from market.prices import Named
from market.sources import ProviderError
from market.sources.yahoo import asking, charts
from tests.market.yahoo_charts import made_chart, recording, symbol_of

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def test_prices_of_ten_years_come_as_traded_across_a_split(wire, symbol):
    wire.charts["AAPL"] = made_chart("AAPL")
    found, _ = asking.history(symbol("AAPL", price_decimals=4), date(2000, 1, 1))
    assert [bar.session_date.isoformat() for bar in found] == stocks.AAPL["date"]
    for name in ("open", "high", "low", "close"):
        assert [getattr(bar, name) for bar in found] == stocks.AAPL[name]
    assert [bar.volume for bar in found] == stocks.AAPL["volume"]


def test_a_range_that_ends_before_a_split_is_as_traded_too(wire, symbol):
    wire.charts["AAPL"] = made_chart("AAPL")
    found, _ = asking.history(symbol("AAPL"), date(2005, 2, 22), date(2005, 2, 25))
    assert [bar.session_date.day for bar in found] == [22, 23, 24, 25]
    assert found[-1].close == stocks.AAPL["close"][stocks.AAPL["date"].index("2005-02-25")]


def test_what_is_told_of_the_weeks_before_is_given_too_and_no_bar_of_them(wire, symbol):
    wire.charts["AAPL"] = made_chart("AAPL")
    bars, named = asking.history(symbol("AAPL"), date(2005, 4, 25))
    assert min(bar.session_date for bar in bars) == date(2005, 4, 25)
    assert ([action.ex_date for action in named], named.start) == ([date(2005, 2, 28)], date(2005, 2, 24))


def test_another_split_changes_no_bar_that_we_have():
    before = made_chart("MSFT")
    after = made_chart("MSFT")
    candles = after["indicators"]["quote"][0]
    for name in ("open", "high", "low", "close"):
        candles[name][:-1] = (np.array(candles[name][:-1]) / 7).astype("f4").astype(float).tolist()
    candles["volume"][:-1] = [volume * 7 for volume in candles["volume"][:-1]]
    after["events"]["splits"]["new"] = {"date": after["timestamp"][-1], "numerator": 7, "denominator": 1}
    assert _bars(after, "MSFT") == _bars(before, "MSFT")


def test_the_recorded_split_of_apple_is_told_with_its_ratio(wire, symbol):
    wire.charts["AAPL"] = recording("AAPL-2020-08-31-to-2020-11-07")
    found, actions = asking.history(symbol("AAPL"), date(2020, 8, 31))
    split, dividend = actions
    assert (split.kind, split.ex_date, split.value) == ("split", date(2020, 8, 31), 4.0)
    assert (dividend.kind, dividend.ex_date, dividend.value) == ("dividend", date(2020, 11, 6), 0.205)
    first = found[0]
    assert (first.open, first.high, first.low, first.close) == (127.58, 131.0, 126.0, 129.04)
    assert (first.volume, first.opened_at) == (225702700, datetime(2020, 8, 31, tzinfo=UTC))


def test_the_session_before_apples_recorded_split_closed_at_499_dollars():
    chart = recording("AAPL-2020-08-31-to-2020-11-07")
    chart["timestamp"].insert(0, 1598621400)  # 28 August, with the close the recording names, as candles tell it
    for name, column in chart["indicators"]["quote"][0].items():
        column.insert(0, 187629916 if name == "volume" else 124.80750274658203)
    bar = _bars(chart, "AAPL")[0]
    assert (bar.session_date, bar.close, bar.volume) == (date(2020, 8, 28), 499.23, 46907479)


def test_a_dividend_before_a_split_is_told_as_it_was_paid():
    chart = recording("AAPL-2020-08-31-to-2020-11-07")
    chart["events"]["dividends"]["earlier"] = {"amount": 0.205, "date": 1596807000}  # 7 August, 0.82 dollars then
    first, *_ = _actions(chart)
    assert (first.ex_date, first.value) == (date(2020, 8, 7), 0.82)


def test_several_actions_of_one_day_are_told_and_one_that_is_listed_twice_once():
    chart = recording("AAPL-2020-08-31-to-2020-11-07")
    events, at = chart["events"], 1596807000  # 7 August
    before = len(_actions(chart))
    split = {"date": at, "numerator": 3, "denominator": 2}
    events["splits"] |= {"first": split, "again": split, "other": {**split, "numerator": 5, "denominator": 4}}
    events["dividends"] |= {"first": {"amount": 0.1, "date": at}, "again": {"amount": 0.1, "date": at}}
    told = [each for each in _actions(chart) if each.ex_date == date(2020, 8, 7)]
    assert len(_actions(chart)) == before + 3
    assert [(each.kind, each.value, each.numerator) for each in told] == [
        ("dividend", 0.4, None),
        ("split", 1.5, 3.0),
        ("split", 1.25, 5.0),
    ]


def test_recorded_dividends_of_microsoft(wire, symbol):
    wire.charts["MSFT"] = recording("MSFT-dividends-2021-02-01-to-2022-01-31")
    found, actions = asking.history(symbol("MSFT"), date(2021, 2, 1), date(2021, 12, 31))
    assert [(action.ex_date.isoformat(), action.value) for action in actions] == [
        ("2021-02-17", 0.56),
        ("2021-05-19", 0.56),
        ("2021-08-18", 0.56),
        ("2021-11-17", 0.62),
    ]
    assert found[0].session_date == date(2021, 2, 1)
    assert found[-1].session_date == date(2021, 12, 31)


def test_a_coin_has_a_bar_for_each_day_in_utc(wire, symbol):
    wire.charts["BTC-USD"] = recording("BTC-USD-2020-01-01-to-2020-01-03")
    found, _ = asking.history(symbol("BTC-USD"), date(2020, 1, 1))
    assert [bar.opened_at.isoformat()[:10] for bar in found] == ["2020-01-01", "2020-01-02", "2020-01-03"]
    assert (found[0].close, found[0].volume) == (7200.17, 18565664997)


def test_a_pair_keeps_its_decimals_and_has_no_volume(wire, symbol):
    wire.charts["EURUSD=X"] = recording("EURUSD=X-2020-01-01-to-2020-01-03")
    found, _ = asking.history(symbol("EURUSD=X"), date(2020, 1, 1))
    assert [(bar.close, bar.volume) for bar in found] == [(1.1221, None), (1.1221, None), (1.1171, None)]


@pytest.mark.django_db
def test_sessions_of_xetra_bear_their_own_date(wire, symbol):
    wire.charts["WSU.DE"] = recording("WSU.DE-2023-08-04-to-2023-08-09")
    found, _ = asking.history(symbol("WSU.DE"), date(2023, 8, 4))
    assert [bar.session_date.isoformat() for bar in found] == ["2023-08-04", "2023-08-07", "2023-08-08"]
    assert all(bar.is_final for bar in found)


@pytest.mark.parametrize(
    ("exchange", "zone", "stamp", "session"),
    [
        ("XPAR", "Europe/Paris", "2024-07-01T22:00+00:00", "2024-07-02"),  # midnight in Paris
        ("XPAR", "Europe/Paris", "2024-07-01T21:00+00:00", "2024-07-02"),  # counted by the other daylight saving time
        ("XKRX", "Asia/Seoul", "2024-07-01T15:00+00:00", "2024-07-02"),  # midnight in Seoul
        ("XKRX", "Asia/Seoul", "2024-07-02T00:00+00:00", "2024-07-02"),  # its opening
        ("XKRX", "Asia/Seoul", "2026-06-03T00:00+00:00", "2026-06-03"),  # it traded on what is no session
        ("XLON", "Europe/London", "2024-07-01T22:00+00:00", "2024-07-02"),  # midnight without the daylight saving
        ("XLON", "Europe/London", "2024-07-07T22:00+00:00", "2024-07-08"),  # the same before a Monday
        ("XNAS", "America/New_York", "2024-07-02T13:30+00:00", "2024-07-02"),
        ("XNAS", "America/New_York", "2024-07-02T20:00:01+00:00", "2024-07-02"),  # the last trade
        ("NOPE", "Europe/Paris", "2024-07-01T22:00+00:00", "2024-07-02"),  # without a calendar
    ],
)
def test_a_session_bears_the_date_of_its_exchange(exchange, zone, stamp, session):
    chart = _chart(zone, [stamp])
    assert _bars(chart, "X", exchange=exchange)[0].opened_at == datetime.fromisoformat(session).replace(tzinfo=UTC)


def test_rows_without_a_price_are_left_out_and_doubled_sessions_are_one():
    stamps = ["2024-07-01T13:30Z", "2024-07-02T13:30Z", "2024-07-03T13:30Z", "2024-07-03T18:00Z"]
    chart = _chart("America/New_York", stamps, close=[10.0, None, 11.0, 12.0])
    assert [(bar.session_date.day, bar.close) for bar in _bars(chart, "X")] == [(1, 10.0), (3, 12.0)]


@pytest.mark.parametrize("bad", [None, float("nan"), float("inf"), 0, -1.0, "12"])
def test_a_price_that_is_none_never_becomes_a_bar(bad):
    assert _bars(_chart("UTC", ["2024-07-01T13:30Z"], close=[bad]), "X") == []


def test_a_future_may_fall_below_zero_and_no_share_may():
    chart = _chart("America/New_York", ["2020-04-20T04:00Z"])
    chart["indicators"]["quote"] = [
        {"open": [17.73], "high": [17.85], "low": [-40.32], "close": [-37.63], "volume": [1]}
    ]
    assert _bars(chart, "CL=F") == []
    chart["meta"]["instrumentType"] = "FUTURE"
    (oil,) = _bars(chart, "CL=F", exchange="NYM", asset_type="future")
    assert (oil.low, oil.close, oil.session_date) == (-40.32, -37.63, date(2020, 4, 20))


def test_an_unknown_volume_stays_unknown():
    chart = _chart("UTC", ["2024-07-01T13:30Z"])
    chart["indicators"]["quote"][0]["volume"] = [None]
    assert _bars(chart, "X")[0].volume is None


def test_the_running_session_is_final_twenty_minutes_after_its_close():
    chart = made_chart("AAPL")
    close = datetime.fromtimestamp(chart["meta"]["currentTradingPeriod"]["regular"]["end"], UTC)
    minutes = {after: _bars(chart, "AAPL", close + timedelta(minutes=after))[-1].is_final for after in (-60, 19, 20)}
    assert minutes == {-60: False, 19: False, 20: True}
    assert _bars(chart, "AAPL", close)[-2].is_final


def test_a_session_settles_also_when_yahoo_already_names_the_next():
    chart = made_chart("AAPL")
    close = datetime.fromtimestamp(chart["meta"]["regularMarketTime"], UTC)
    for period in chart["meta"]["currentTradingPeriod"].values():
        period["start"], period["end"] = period["start"] + 3 * 86_400, period["end"] + 3 * 86_400
    minutes = {after: _bars(chart, "AAPL", close + timedelta(minutes=after))[-1].is_final for after in (19, 20)}
    assert minutes == {19: False, 20: True}


def test_a_coins_day_is_not_final_before_the_next_has_run_for_twenty_minutes():
    chart = _chart("UTC", ["2024-07-01T00:00Z", "2024-07-02T00:00Z"])
    midnight = datetime(2024, 7, 2, tzinfo=UTC)
    chart["meta"]["regularMarketTime"] = int(midnight.timestamp()) + 300
    chart["meta"]["currentTradingPeriod"]["regular"] = {
        "start": int(midnight.timestamp()),
        "end": int(midnight.timestamp()) + 86_340,
    }
    states = [[bar.state for bar in _bars(chart, "BTC-USD", midnight + timedelta(minutes=late))] for late in (5, 20)]
    assert states == [["forming", "forming"], ["final", "forming"]]


def test_minutes_keep_their_instant_and_settle_too():
    chart = _chart("America/New_York", ["2024-07-01T13:30Z", "2024-07-01T13:31Z"])
    found = _bars(chart, "X", datetime(2024, 7, 1, 13, 51, tzinfo=UTC), interval="1m")
    assert [bar.opened_at.minute for bar in found] == [30, 31]
    assert [bar.is_final for bar in found] == [True, False]


@pytest.mark.parametrize(
    ("stamps", "kept"),
    [
        (["2024-07-01T19:55Z", "2024-07-01T20:00Z"], 1),  # the close
        (["2024-07-01T15:00Z", "2024-07-01T15:03:17Z"], 1),
        (["2024-07-01T15:00Z", "2024-07-01T15:05Z"], 2),
        (["2024-07-03T16:55Z", "2024-07-03T17:00Z"], 1),  # a half day's close
        (["2024-07-01T15:00Z", "2024-07-01T15:00Z"], 1),
    ],
)
def test_the_last_trade_that_is_told_once_more_as_a_row_is_no_bar(stamps, kept):
    found = _bars(_chart("America/New_York", stamps), "AAPL", interval="5m")
    assert [bar.opened_at for bar in found] == [datetime.fromisoformat(stamp) for stamp in stamps[:kept]]


def test_around_a_lunch_break_bars_open_with_each_half():
    stamps = ["2024-07-02T03:55Z", "2024-07-02T05:00Z", "2024-07-02T08:00Z"]
    found = _bars(_chart("Asia/Hong_Kong", stamps), "0700.HK", interval="5m", exchange="XHKG", currency="HKD")
    assert [bar.opened_at.hour for bar in found] == [3, 5]
    found = _bars(_chart("Asia/Hong_Kong", [stamps[0], "2024-07-02T04:00Z"]), "0700.HK", interval="5m",
                  exchange="XHKG", currency="HKD")  # fmt: skip
    assert [bar.opened_at.hour for bar in found] == [3]


def test_the_hours_of_a_coin_before_midnight_are_of_their_own_day():
    found = _bars(_chart("UTC", [f"2024-07-01T{hour}:00Z" for hour in (21, 22, 23)]), "BTC-USD", interval="1h")
    assert [bar.session_date.day for bar in found] == [1, 1, 1]


def test_over_a_change_of_the_clocks_each_bar_is_of_its_session():
    stamps = ["2024-03-08T14:30Z", "2024-03-08T20:30Z", "2024-03-11T13:30Z", "2024-03-11T19:30Z"]
    found = _bars(_chart("America/New_York", stamps), "AAPL", interval="1h")
    assert [(bar.session_date.day, bar.opened_at.hour) for bar in found] == [(8, 14), (8, 20), (11, 13), (11, 19)]


def test_a_session_that_has_not_begun_is_closed_and_a_past_without_bars_has_no_data(wire, symbol):
    wire.charts["AAPL"] = made_chart("AAPL")
    with pytest.raises(ProviderError) as tomorrow:
        asking.history(symbol("AAPL"), datetime.now(UTC).date() + timedelta(days=1))
    assert (tomorrow.value.code, tomorrow.value.temporary) == ("market_closed", True)
    with pytest.raises(ProviderError) as past:
        asking.history(symbol("AAPL"), date(1990, 1, 1), date(1990, 2, 1))
    assert (past.value.code, past.value.temporary) == ("no_data", False)


def _actions(chart: dict) -> Named:
    return charts.read(chart, symbol=symbol_of("AAPL"), interval="1d", now=NOW).actions


def _bars(chart: dict, ticker: str, now: datetime = NOW, interval: str = "1d", **facts: str) -> list:
    found = charts.read(chart, symbol=symbol_of(ticker, **facts), interval=interval, now=now).bars
    return [replace(bar, received_at=NOW) for bar in found]


def _chart(zone: str, stamps: list[str], close: list | None = None) -> dict:
    at = [int(datetime.fromisoformat(stamp).timestamp()) for stamp in stamps]
    regular = {"start": at[-1], "end": at[-1] + 23_400}
    candles = {name: close or [10.0] * len(at) for name in ("open", "high", "low", "close")}
    return {
        "meta": {
            "exchangeTimezoneName": zone,
            "currentTradingPeriod": {"regular": regular},
            "regularMarketTime": at[-1],
        },
        "timestamp": at,
        "indicators": {"quote": [{**candles, "volume": [1000] * len(at)}]},
    }
