"""An answer that is not what was asked for is refused by name, and sub-units of a currency are one with it."""

from datetime import date, datetime, timedelta

import pytest

from market.sources import ProviderError
from market.sources.yahoo import asking, charts, stream
from market.sources.yahoo.fields import Mismatch
from monitoring import refusals
from tests.market.yahoo_charts import listed, made_chart, symbol_of

POUNDS = {"exchange": "XLON", "currency": "GBP", "price_decimals": 4}


@pytest.mark.parametrize(
    ("meta", "why"),
    [
        ({"symbol": "IBM"}, "it is about 'IBM'"),
        ({"dataGranularity": "3mo"}, "its rows are of '3mo', and 1d was asked for"),
        ({"currency": "EUR"}, "it is in 'EUR', and ours are in USD"),
        ({"currency": "GBp"}, "it is in 'GBp', and ours are in USD"),
        ({"currency": ["USD"]}, "ours are in USD"),
    ],
)
def test_what_was_not_asked_for_is_refused_and_counted(wire, symbol, meta, why):
    wire.misshapen["AAPL"] = made_chart("AAPL", **meta)
    for ask in (lambda: asking.history(symbol("AAPL"), date(2000, 1, 1)), lambda: asking.quote(symbol("AAPL"))):
        with pytest.raises(ProviderError) as refused:
            ask()
        assert (refused.value.code, refused.value.temporary) == ("upstream_down", False)
        assert why in str(refused.value)
    assert refusals.counts() == {"answers": 2}


def test_an_entry_of_the_list_in_another_currency_is_asked_of_the_chart_which_is_refused_too(wire, symbol):
    wire.charts |= {"IBM": made_chart("IBM"), "MSFT": made_chart("MSFT", currency="EUR")}
    assert [quote.ticker for quote in asking.quotes([symbol("IBM"), symbol("MSFT")])] == ["IBM"]
    assert refusals.counts() == {"quote list": 1, "answers": 1}


@pytest.mark.parametrize(
    ("told", "held", "close"),
    [
        ("GBp", "GBP", 4.3047),
        ("GBP", "GBp", 43047.0),
        ("GBp", "GBp", 430.47),
        ("ZAc", "ZAR", 4.3047),
        ("ILA", "ILS", 4.3047),
    ],
)
def test_pence_and_pounds_are_one_currency_in_bars_quotes_and_lists(told, held, close):
    chart, home = made_chart("AAPL", currency=told), symbol_of("AAPL", **{**POUNDS, "currency": held})
    now = datetime.fromtimestamp(chart["meta"]["regularMarketTime"]).astimezone() + timedelta(hours=1)
    assert charts.read(chart, symbol=home, interval="1d", now=now).bars[-1].close == pytest.approx(close, rel=1e-7)
    quote = charts.quote(chart, symbol=home, now=now)
    assert (quote.price, quote.previous_close) == (
        pytest.approx(close, rel=1e-7),
        pytest.approx(close * 441.40 / 430.47, rel=1e-4),
    )
    assert charts.listed_quote(listed(chart), symbol=home, now=now).price == pytest.approx(close, rel=1e-7)


def test_a_streamed_price_in_pence_is_one_in_pounds_and_one_in_another_currency_is_refused():
    message = {"price": 612.5, "time": "1717400000000", "currency": "GBp", "open_price": 600.0, "day_high": 615.0}
    found = stream.quote(message, symbol=symbol_of("REL.L", **POUNDS), known=None, now=datetime.now().astimezone())
    assert (found.price, found.open, found.high, found.low) == (6.125, 6.0, 6.15, 6.125)
    with pytest.raises(Mismatch, match="EUR"):
        stream.quote(message, symbol=symbol_of("REL.L", currency="EUR"), known=None, now=datetime.now().astimezone())
