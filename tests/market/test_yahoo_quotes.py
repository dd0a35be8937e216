"""Last prices out of Yahoo's list and charts."""

from datetime import UTC, date, datetime, timedelta

import pytest
from bokeh_sampledata import stocks

from market.sources import ProviderError
from market.sources.negatives import BATCHED
from market.sources.yahoo import asking, charts
from tests.market.yahoo_charts import made_chart, recorded, recording, symbol_of

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def test_a_quote_knows_its_session_by_the_chart(wire, symbol):
    wire.charts["IBM"] = made_chart("IBM")
    found = asking.quote(symbol("IBM"))
    last = {name: column[-1] for name, column in stocks.IBM.items()}
    assert (found.price, found.open, found.high, found.low) == tuple(last[n] for n in ("close", "open", "high", "low"))
    assert (found.volume, found.previous_close) == (last["volume"], stocks.IBM["close"][-2])
    assert (found.session_date.isoformat(), found.as_of_precision) == (last["date"], "second")
    assert (found.market_state, found.is_final, found.source) == ("closed", True, "yahoo")


def test_many_quotes_are_one_request_for_the_list(wire, symbol):
    wire.charts |= {ticker: made_chart(ticker) for ticker in ("AAPL", "IBM", "MSFT")}
    found = list(asking.quotes([symbol(ticker) for ticker in wire.charts]))
    assert {quote.ticker: quote.price for quote in found} == {
        ticker: getattr(stocks, ticker)["close"][-1] for ticker in ("AAPL", "IBM", "MSFT")
    }
    assert [request for request in wire.requests if request != "cookie"] == ["crumb", "quote AAPL,IBM,MSFT"]


def test_a_refused_list_is_made_up_for_by_charts_and_left_alone(wire, symbol):
    wire.charts |= {ticker: made_chart(ticker) for ticker in ("IBM", "MSFT")}
    wire.fail("quote", "html", times=asking.ATTEMPTS)
    wanted = [symbol("IBM"), symbol("MSFT")]
    assert len(list(asking.quotes(wanted))) == 2
    wire.requests.clear()
    assert {quote.ticker for quote in asking.quotes(wanted)} == {"IBM", "MSFT"}
    assert sorted(wire.requests) == ["chart IBM", "chart MSFT"]


def test_one_unknown_symbol_does_not_cost_the_others_their_price(wire, symbol):
    wire.charts["IBM"] = made_chart("IBM")
    assert [quote.ticker for quote in asking.quotes([symbol("GONE"), symbol("IBM")])] == ["IBM"]


def test_prices_before_a_fault_stand(wire, symbol):
    wire.charts |= {ticker: made_chart(ticker) for ticker in ("AAPL", "IBM", "MSFT")}
    wire.fail("quote", "html", times=asking.ATTEMPTS)
    came = asking.quotes([symbol("IBM"), symbol("MSFT"), symbol("AAPL")])
    wire.answer("chart", "MSFT", "500", times=asking.ATTEMPTS)
    wire.answer("chart", "AAPL", "500", times=asking.ATTEMPTS)
    assert next(came).ticker == "IBM"
    with pytest.raises(ProviderError):
        next(came)


@pytest.mark.parametrize("where", [0, 1, 2])
def test_trouble_with_one_symbol_costs_the_others_no_price(wire, symbol, where):
    wire.charts |= {ticker: made_chart(ticker) for ticker in ("AAPL", "IBM", "MSFT")}
    asking.LIST_REFUSED.note(BATCHED)
    wire.answer("chart", list(wire.charts)[where], "500", times=asking.ATTEMPTS)
    found = {quote.ticker for quote in asking.quotes([symbol(ticker) for ticker in wire.charts])}
    assert found == wire.charts.keys() - {list(wire.charts)[where]}


def test_trouble_with_the_only_symbol_is_yahoos(wire, symbol):
    wire.fail("chart", "500", times=asking.ATTEMPTS)
    with pytest.raises(ProviderError) as raised:
        list(asking.quotes([symbol("AAPL")]))
    assert raised.value.code == "upstream_down"


def test_after_a_429_the_list_is_not_made_up_for_by_charts_and_its_crumb_is_not_sent_again(wire, symbol, redis):
    wire.charts |= {ticker: made_chart(ticker) for ticker in ("IBM", "MSFT")}
    wanted = [symbol("IBM"), symbol("MSFT")]
    assert len(list(asking.quotes(wanted))) == 2
    wire.requests.clear()
    wire.fail("quote", "429")
    with pytest.raises(ProviderError) as raised:
        list(asking.quotes(wanted))
    assert (raised.value.code, wire.requests) == ("rate_limited", ["quote IBM,MSFT"])
    redis.delete("finstage:pace:yahoo:breaker")  # nobody waits a minute
    assert len(list(asking.quotes(wanted))) == 2
    assert wire.requests[1:] == ["crumb", "quote IBM,MSFT"]


@pytest.mark.parametrize("how", ["html", "500", "401", "page"])
def test_what_is_no_crumb_is_not_sent_again(wire, symbol, how):
    wire.charts |= {ticker: made_chart(ticker) for ticker in ("IBM", "MSFT")}
    wanted = [symbol("IBM"), symbol("MSFT")]
    wire.fail("crumb", how, times=20)
    assert len(list(asking.quotes(wanted))) == 2  # by charts
    assert asking.YfData()._crumb is None
    wire.mend()
    asking.LIST_REFUSED.forget([BATCHED])
    wire.requests.clear()
    assert len(list(asking.quotes(wanted))) == 2
    assert [request for request in wire.requests if request != "cookie"] == ["crumb", "quote IBM,MSFT"]


def test_a_list_that_is_refused_again_is_left_alone_for_longer(wire, symbol, redis):
    wire.charts |= {ticker: made_chart(ticker) for ticker in ("IBM", "MSFT")}
    waits = []
    for _ in range(3):
        wire.fail("quote", "html", times=asking.ATTEMPTS)
        list(asking.quotes([symbol("IBM"), symbol("MSFT")]))
        waits.append(asking.LIST_REFUSED.left(BATCHED))
        redis.zadd("finstage:negatives:yahoo:batched:until", {BATCHED: (redis.time()[0] - 1) * 1000})
    assert waits == pytest.approx([60, 120, 240], abs=20)


@pytest.mark.parametrize("price", [None, 0, float("nan"), -1])
def test_a_price_that_is_none_is_an_error(wire, symbol, price):
    wire.charts["IBM"] = made_chart("IBM", regularMarketPrice=price)
    with pytest.raises(ProviderError) as raised:
        asking.quote(symbol("IBM"))
    assert (raised.value.code, raised.value.temporary) == ("no_data", True)


def test_the_recorded_list_is_read_to_the_second():
    apple = recorded("yahoo/quote-AAPL-BABA.json")["body"]["quoteResponse"]["result"][0]
    found = charts.listed_quote(apple, symbol=symbol_of("AAPL"), now=NOW)
    assert (found.price, found.previous_close, found.open, found.high, found.low) == (
        244.6,
        241.53,
        241.07,
        245.41,
        241,
    )
    assert (found.as_of, found.session_date) == (datetime(2025, 2, 14, 21, 0, tzinfo=UTC), date(2025, 2, 14))
    assert (found.market_state, found.is_final) == ("closed", True)


def test_a_recorded_chart_of_the_past_gives_the_price_of_its_recording():
    found = charts.quote(recording("WSU.DE-2023-08-04-to-2023-08-09"), symbol=symbol_of("WSU.DE"), now=NOW)
    assert (found.price, found.high, found.low, found.volume) == (38.9, 39.3, 38.8, 45)
    assert (found.as_of, found.open) == (datetime(2025, 2, 20, 11, 3, 40, tzinfo=UTC), None)


def test_the_previous_close_is_in_todays_shares_on_the_day_of_a_split():
    chart = recording("AAPL-2020-08-31-to-2020-11-07")
    chart["meta"]["regularMarketTime"] = chart["timestamp"][0] + 3600
    found = charts.quote(chart, symbol=symbol_of("AAPL"), now=NOW)
    assert found.previous_close == 124.81


@pytest.mark.parametrize(("hours", "state"), [(-6, "closed"), (-1, "pre"), (1, "open"), (7, "post"), (12, "closed")])
def test_the_market_state_is_that_of_the_exchanges_periods(hours, state):
    chart = made_chart("IBM")
    opens = datetime.fromtimestamp(chart["meta"]["currentTradingPeriod"]["regular"]["start"], UTC)
    found = charts.quote(chart, symbol=symbol_of("IBM"), now=opens + timedelta(hours=hours))
    assert found.market_state == state


def test_a_delayed_price_has_not_closed_before_the_last_one_can_have_come():
    close = datetime(2026, 1, 5, 6, 30, tzinfo=UTC)
    listed = {
        "regularMarketPrice": 70_000,
        "regularMarketTime": int(close.timestamp()),
        "exchangeTimezoneName": "Asia/Seoul",
        "marketState": "POST",
        "exchangeDataDelayedBy": 20,
    }
    states = {
        minutes: charts.listed_quote(
            listed, symbol=symbol_of("005930.KS"), now=close + timedelta(minutes=minutes)
        ).state
        for minutes in (20, 39, 40, 1069, 1070)
    }
    # A list does not say what has settled: final with the opening of the next session, as late as its prices are.
    assert states == {20: "forming", 39: "forming", 40: "closed", 1069: "closed", 1070: "final"}


@pytest.mark.parametrize(
    ("ticker", "facts", "now", "state"),
    [
        ("BTC-USD", {}, "2024-07-01T23:59:30Z", "open"),  # the day that Yahoo tells ends a minute before midnight
        ("EURUSD=X", {}, "2024-07-05T20:59:30Z", "open"),
        ("EURUSD=X", {}, "2024-07-05T21:00:00Z", "closed"),  # Friday, five in New York
        ("GC=F", {"exchange": "CMX", "asset_type": "future"}, "2024-06-30T22:30:00Z", "open"),
    ],
)
def test_what_trades_through_the_night_is_open_by_its_calendar(ticker, facts, now, state):
    chart = recording("BTC-USD-2020-01-01-to-2020-01-03")
    chart["meta"] |= {"symbol": ticker, "regularMarketTime": int(datetime.fromisoformat(now).timestamp()) - 60}
    found = charts.quote(chart, symbol=symbol_of(ticker, **facts), now=datetime.fromisoformat(now))
    assert found.market_state == state
