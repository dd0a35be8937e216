"""Whatever Yahoo's wire does, a caller gets the price or a ProviderError that says what to do."""

import json
from datetime import date

import pytest

from market.sources import ProviderError
from market.sources.yahoo import asking, http
from tests.market.yahoo_charts import made_chart, recorded

START = date(2012, 1, 1)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("429", "rate_limited"),
        ("html", "upstream_down"),
        ("500", "upstream_down"),
        ("truncated", "upstream_down"),
        ("cut off", "upstream_down"),
        ("huge", "upstream_down"),
        ("null", "no_data"),
    ],
)
def test_a_fault_of_yahoo_is_a_temporary_error(wire, symbol, how, code):
    wire.charts["AAPL"] = made_chart("AAPL")
    wire.fail("chart", how)
    with pytest.raises(ProviderError) as raised:
        asking.history(symbol("AAPL"), START)
    assert (raised.value.code, raised.value.temporary) == (code, True)


@pytest.mark.parametrize("how", ["429", "html", "500", "truncated", "cut off", "shapeless", "null"])
def test_a_quote_during_a_fault_is_an_error_and_no_old_price(wire, symbol, how):
    wire.charts["AAPL"] = made_chart("AAPL")
    asking.quote(symbol("AAPL"))
    wire.fail("chart", how)
    with pytest.raises(ProviderError):
        asking.quote(symbol("AAPL"))


def test_no_answer_in_time_is_a_temporary_error(wire, symbol):
    wire.charts["AAPL"] = made_chart("AAPL")
    wire.fail("chart", "delay")
    asking.session().timeout_seconds = 0.3
    with pytest.raises(ProviderError) as raised:
        asking.history(symbol("AAPL"), START)
    assert (raised.value.code, raised.value.temporary) == ("upstream_down", True)


def test_nobody_listening_is_a_temporary_error(wire, symbol):
    wire.socket.unlink()
    with pytest.raises(ProviderError) as raised:
        asking.quote(symbol("AAPL"))
    assert (raised.value.code, raised.value.temporary) == ("upstream_down", True)


def test_after_five_failures_in_a_row_yahoo_is_left_alone(wire, symbol):
    wire.fail("chart", "html", times=100)
    for _ in range(7):
        with pytest.raises(ProviderError) as raised:
            asking.quote(symbol("AAPL"))
    assert (raised.value.code, raised.value.temporary) == ("upstream_down", True)
    assert len(wire.requests) == 5


def test_an_unknown_symbol_is_no_failure_of_yahoo(wire, symbol):
    for _ in range(7):
        with pytest.raises(ProviderError):
            asking.quote(symbol("GONE"))
    assert len(wire.requests) == 7


def test_a_429_is_not_repeated(wire, symbol):
    wire.fail("chart", "429")
    with pytest.raises(ProviderError):
        asking.quote(symbol("AAPL"))
    assert wire.requests == ["chart AAPL"]


def test_a_symbol_that_yahoo_does_not_know_is_unknown_after_one_request(wire, symbol):
    with pytest.raises(ProviderError) as raised:
        asking.history(symbol("GONE"), START)
    assert (raised.value.code, raised.value.temporary) == ("unknown_symbol", False)
    assert wire.requests == ["chart GONE"]


def test_a_stranger_in_the_middle_is_not_believed(wire, symbol, settings):
    settings.YAHOO_CA = ""
    wire.charts["AAPL"] = made_chart("AAPL")
    with pytest.raises(ProviderError) as raised:
        asking.quote(symbol("AAPL"))
    assert raised.value.code == "upstream_down"
    assert wire.requests == []


def test_a_chart_that_wants_a_crumb_gets_one(wire, symbol):
    wire.charts["AAPL"] = made_chart("AAPL")
    wire.fail("chart", "401")
    assert asking.quote(symbol("AAPL")).price == 430.47
    assert [request for request in wire.requests if request != "cookie"] == ["chart AAPL", "crumb", "chart AAPL"]


@pytest.mark.parametrize("how", ["429", "200 limited"])
def test_too_many_requests_is_never_kept_as_a_crumb(wire, symbol, how):
    wire.charts |= {ticker: made_chart(ticker) for ticker in ("AAPL", "MSFT")}
    wire.fail("crumb", how)
    with pytest.raises(ProviderError) as raised:
        list(asking.quotes([symbol("AAPL"), symbol("MSFT")]))
    assert raised.value.code == "rate_limited"
    assert asking.YfData()._crumb is None


@pytest.mark.parametrize("error", ["chart_404_not_found", "chart_422_range", "chart_400_interval"])
def test_recorded_refusals_of_charts_cannot_be_helped_by_trying_again(error):
    answers = {answer["name"]: answer for answer in recorded("yahoo/errors.json")}
    with pytest.raises(ProviderError) as raised:
        http.chart(json.loads(answers[error]["body"]), "AAPL")
    assert raised.value.code == ("unknown_symbol" if "404" in error else "no_data")
    assert not raised.value.temporary
