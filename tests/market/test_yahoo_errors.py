"""Whatever Yahoo's wire does, a caller gets the price or a ProviderError that says what to do."""

import json
from datetime import date
from itertools import pairwise

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
    wire.fail("chart", how, times=asking.ATTEMPTS)
    with pytest.raises(ProviderError) as raised:
        asking.history(symbol("AAPL"), START)
    assert (raised.value.code, raised.value.temporary) == (code, True)


@pytest.mark.parametrize("how", ["429", "html", "500", "truncated", "cut off", "shapeless", "null"])
def test_a_quote_during_a_fault_is_an_error_and_no_old_price(wire, symbol, how):
    wire.charts["AAPL"] = made_chart("AAPL")
    asking.quote(symbol("AAPL"))
    wire.fail("chart", how, times=asking.ATTEMPTS)
    with pytest.raises(ProviderError):
        asking.quote(symbol("AAPL"))


def test_no_answer_in_time_is_a_temporary_error(wire, symbol):
    wire.charts["AAPL"] = made_chart("AAPL")
    wire.fail("chart", "delay", times=asking.ATTEMPTS)
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
    for number in range(7):
        with pytest.raises(ProviderError):
            asking.quote(symbol(f"GONE{number}"))
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


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("chart_404_not_found", "unknown_symbol"),
        ("chart_422_range", "upstream_down"),
        ("chart_400_interval", "no_data"),
    ],
)
def test_recorded_refusals_of_charts_cannot_be_helped_by_trying_again(error, code):
    answers = {answer["name"]: answer for answer in recorded("yahoo/errors.json")}
    with pytest.raises(ProviderError) as raised:
        http.chart(json.loads(answers[error]["body"]), "AAPL")
    assert raised.value.code == code
    assert not raised.value.temporary
    assert not raised.value.is_of_source


def test_what_may_pass_is_asked_for_again_after_waits_that_grow(wire, symbol, monkeypatch):
    wire.charts["AAPL"] = made_chart("AAPL")
    wire.fail("chart", "500")
    wire.fail("chart", "cut off")
    monkeypatch.setattr(http, "FIRST_RETRY_SECONDS", 0.2)
    assert asking.quote(symbol("AAPL")).price == 430.47
    first, second = (later - before for before, later in pairwise(wire.asked_at))
    assert first >= 0.1
    assert second >= 0.2


def test_no_two_that_failed_together_come_back_together(wire, symbol, monkeypatch):
    wire.charts["AAPL"] = made_chart("AAPL")
    monkeypatch.setattr(http, "FIRST_RETRY_SECONDS", 0.2)
    waits = []
    for _ in range(6):
        wire.fail("chart", "500")
        asking.quote(symbol("AAPL"))
        waits.append(wire.asked_at[-1] - wire.asked_at[-2])
    assert max(waits) - min(waits) > 0.01


@pytest.mark.parametrize(
    ("sent", "how", "requests"),
    [({"meta": {"symbol": "AAPL"}}, None, 1), (None, None, 1), (None, "null", 1), (None, "429", 1), (None, "huge", 1)],
)
def test_what_is_an_answer_is_not_asked_for_again(wire, symbol, sent, how, requests):
    wire.misshapen |= {"AAPL": sent} if sent else {}
    if how:
        wire.fail("chart", how)
    with pytest.raises(ProviderError):
        asking.quote(symbol("AAPL"))
    assert wire.requests == ["chart AAPL"] * requests


def test_every_failure_has_one_of_five_names():
    with pytest.raises(ValueError, match="rate_limited, upstream_down, no_data, market_closed, unknown_symbol"):
        ProviderError("it is late", code="late")


def test_a_symbol_that_yahoo_does_not_know_is_not_asked_for_again_until_its_time_is_over(wire, symbol, redis):
    wire.charts["AAPL"] = made_chart("AAPL")
    ask = {"history": lambda: asking.history(symbol("GONE"), START), "quote": lambda: asking.quote(symbol("GONE"))}
    for name in ("quote", "history", "quote"):
        with pytest.raises(ProviderError) as raised:
            ask[name]()
        assert (raised.value.code, raised.value.temporary) == ("unknown_symbol", False)
    assert [quote.ticker for quote in asking.quotes([symbol("AAPL")])] == ["AAPL"]
    assert wire.requests == ["chart GONE", "chart AAPL"]
    redis.zadd("finstage:negatives:yahoo:unknown:until", {"GONE": 1})
    wire.charts["GONE"] = made_chart("AAPL", symbol="GONE")
    assert asking.quote(symbol("GONE")).price == 430.47
    assert asking.UNKNOWN.left("GONE") is None


def test_who_has_looked_at_a_symbol_may_ask_for_it_at_once(wire, symbol):
    for _ in range(2):
        with pytest.raises(ProviderError):
            asking.history(symbol("GONE"), START, is_believed=True)
    assert wire.requests == ["chart GONE"] * 2


def test_one_that_the_list_names_is_unknown_no_more(wire, symbol):
    wire.charts |= {ticker: made_chart(ticker) for ticker in ("AAPL", "MSFT")}
    asking.UNKNOWN.note("MSFT")
    assert len(list(asking.quotes([symbol("AAPL"), symbol("MSFT")]))) == 2
    assert asking.UNKNOWN.count() == 0


def test_an_answer_that_does_not_come_in_time_slows_all_who_ask(wire, symbol, monkeypatch):
    wire.charts["AAPL"] = made_chart("AAPL")
    monkeypatch.setattr(http, "SLOW_SECONDS", 0.2)
    asking.session().timeout_seconds = 0.3
    wire.fail("chart", "delay", times=asking.ATTEMPTS)
    with pytest.raises(ProviderError):
        asking.quote(symbol("AAPL"))
    state = asking.session().pace.state()
    assert state.rate < state.allowed * 0.6
    assert state.slow_at


def test_yahoo_is_left_alone_for_as_long_as_it_asks(wire, symbol):
    wire.fail("chart", "429 for long")
    with pytest.raises(ProviderError):
        asking.quote(symbol("AAPL"))
    state = asking.session().pace.state()
    assert (state.opened_until - state.limited_at).total_seconds() == pytest.approx(900, abs=1)
