"""Answers that are misshapen: what can be read is read, and the fault of one symbol is that symbol's."""

import copy
import math
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest
from bokeh_sampledata import stocks
from hypothesis import given, settings
from hypothesis import strategies as st

from market import history
from market.models import Coverage, Symbol
from market.sources import ProviderError
from market.sources.errors import Unreadable
from market.sources.inbox import Inbox
from market.sources.pace import FAILURES_TO_OPEN, NoSlot
from market.sources.replay import recording
from market.sources.yahoo import asking, charts, stream
from market.sources.yahoo.fields import Misshapen
from monitoring import refusals
from tests.market.yahoo_charts import cut, listed, made_chart, symbol_of
from tests.market.yahoo_charts import recording as recorded_chart

NOW = datetime(2026, 1, 5, tzinfo=UTC)
START = date(2000, 1, 1)
RECORDED = (
    "AAPL-2020-08-31-to-2020-11-07",
    "MSFT-dividends-2021-02-01-to-2022-01-31",
    "BTC-USD-2020-01-01-to-2020-01-03",
    "EURUSD=X-2020-01-01-to-2020-01-03",
    "WSU.DE-2023-08-04-to-2023-08-09",
)
NONSENSE = (None, "text", 1e19, 10**400, math.nan, -1, True, [], [None], {}, {"raw": 1})
DROPPED = object()


def around_a_split() -> dict:
    """Two weeks of Apple with its split of 2005-02-28 in the middle, and a dividend before it that we made."""
    chart = made_chart("AAPL")
    first, last = (int(datetime(2005, month, day, tzinfo=UTC).timestamp()) for month, day in ((2, 20), (3, 5)))
    chart = cut(chart, {"period1": first, "period2": last})
    stamp = chart["timestamp"][1]
    chart["events"]["dividends"] = {str(stamp): {"amount": 0.25, "date": stamp}}
    return chart


def paths(part: object, path: tuple = ()) -> Iterator[tuple]:
    """Where every value of a chart stands."""
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))


def altered(chart: dict, path: tuple, value: object) -> dict:
    made = copy.deepcopy(chart)
    place = made
    for key in path[:-1]:
        place = place[key]
    if value is DROPPED and isinstance(place, dict):
        del place[path[-1]]
    else:
        place[path[-1]] = None if value is DROPPED else value
    return made


def is_telling(path: tuple, value: object) -> bool:
    """Whether anybody could notice: an answer without splits looks like one of a share that had none."""
    is_gone = value in (None, DROPPED, {}) or value == {}
    return not (path[:1] == ("events",) and is_gone and len(path) <= 3)


@cache
def whole_charts(unbroken: Callable[[], list[dict]]) -> list[dict]:
    return unbroken()


@st.composite
def misshapen(draw, unbroken: Callable[[], list[dict]]) -> tuple[dict, dict]:
    """A chart, and the same with one to three of its values dropped or replaced by nonsense."""
    chart = draw(st.sampled_from(whole_charts(unbroken)))
    made = chart
    for _ in range(draw(st.integers(1, 3))):
        path, value = draw(st.sampled_from(list(paths(made)) or [()])), draw(st.sampled_from((DROPPED, *NONSENSE)))
        if path and is_telling(path, value):
            made = altered(made, path, value)
    return chart, made


def whole_and_split() -> list[dict]:
    return [around_a_split(), *(short(recorded_chart(name)) for name in RECORDED)]


def short(chart: dict) -> dict:
    """The first six candles: enough to be altered, few enough to be looked at."""
    chart["timestamp"] = chart["timestamp"][:6]
    candles = chart["indicators"]["quote"][0]
    chart["indicators"] = {"quote": [{name: column[:6] for name, column in candles.items()}]}
    return chart


def _home(chart: dict) -> Symbol:
    """The symbol that a chart is of."""
    return symbol_of(chart["meta"]["symbol"], price_decimals=4)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_of_a_misshapen_chart_every_number_that_is_told_is_right(data):
    whole, chart = data.draw(misshapen(whole_and_split))
    asked = {"symbol": _home(whole), "interval": "1d", "now": NOW}
    right = {bar.opened_at: bar for bar in charts.read(whole, **asked).bars}
    try:
        if not isinstance(chart.get("meta"), dict):
            raise Misshapen("http sees to that")
        found = charts.read(chart, **asked)
    except Misshapen:
        return
    for bar in found.bars:
        same = right[bar.opened_at]
        assert (bar.open, bar.high, bar.low, bar.close) == (same.open, same.high, same.low, same.close)
        assert bar.volume in (same.volume, None)
    assert set(found.actions) <= set(charts.read(whole, **asked).actions)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_of_a_misshapen_chart_a_quote_is_right_or_there_is_none(data):
    whole, chart = data.draw(misshapen(whole_and_split))
    symbol = _home(whole)
    right = charts.quote(whole, symbol=symbol, now=NOW)
    session = right.session_date
    candle = next((row for row in charts.rows(whole) if row.at.date() == session), None)
    try:
        if not isinstance(chart.get("meta"), dict):
            raise Misshapen("http sees to that")
        told = charts.quote(chart, symbol=symbol, now=NOW)
    except Misshapen:
        return
    if told is None:
        return
    assert (told.price, told.as_of, told.session_date) == (right.price, right.as_of, session)
    for name in ("previous_close", "open", "volume"):
        assert getattr(told, name) in (getattr(right, name), None)
    assert told.high in (right.high, None, candle and round(candle.high, 4))
    assert told.low in (right.low, None, candle and round(candle.low, 4))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_of_a_misshapen_entry_of_the_list_a_quote_is_right_or_there_is_none(data):
    entry = listed(made_chart("IBM"))
    _, made = data.draw(misshapen(lambda: [entry]))
    right = charts.listed_quote(entry, symbol=symbol_of("IBM"), now=NOW)
    try:
        told = charts.listed_quote(made, symbol=symbol_of("IBM"), now=NOW)
    except Misshapen:
        return
    if told is not None:
        for name in ("price", "previous_close", "open", "high", "low", "volume", "as_of", "session_date"):
            assert getattr(told, name) == getattr(right, name) or getattr(told, name) is None


@pytest.mark.parametrize(
    ("path", "value", "missing"),
    [
        (("meta", "currentTradingPeriod"), DROPPED, 0),
        (("meta", "currentTradingPeriod", "regular", "start"), "text", 0),
        (("indicators", "quote", 0, "volume"), DROPPED, 0),
        (("indicators", "quote", 0, "volume"), [1], 0),
        (("indicators", "quote", 0, "open", 3), "text", 1),
        (("timestamp", 3), "text", 1),
        (("events", "dividends"), {"x": {"amount": 0.25}}, 0),
        (("events", "dividends"), None, 0),
    ],
)
def test_a_part_that_is_missing_or_bad_costs_itself_alone(wire, symbol, path, value, missing):
    whole = around_a_split()
    wire.misshapen["AAPL"] = whole
    right = {bar.opened_at: bar.close for bar in asking.history(symbol("AAPL"), START)[0]}
    wire.misshapen["AAPL"] = altered(whole, path, value)
    found = {bar.opened_at: bar.close for bar in asking.history(symbol("AAPL"), START)[0]}
    assert len(found) == len(right) - missing
    assert found.items() <= right.items()


@pytest.mark.db
def test_a_row_that_cannot_be_read_is_counted_in_what_is_held(wire, apple):
    chart = made_chart("AAPL")
    chart["indicators"]["quote"][0]["high"][100] = 1e300
    chart["indicators"]["quote"][0]["open"][200] = None  # says nothing, and so nothing wrong
    wire.misshapen["AAPL"] = chart
    history.fill(apple, asking.history, "yahoo")
    row = Coverage.objects.get(symbol=apple, interval="1d")
    assert (row.refused, row.held) == (1, len(chart["timestamp"]) - 2)


def test_a_split_that_cannot_be_read_leaves_out_what_it_would_have_counted(wire, symbol):
    whole = around_a_split()
    (key,) = whole["events"]["splits"]
    wire.misshapen["AAPL"] = altered(whole, ("events", "splits", key), {"date": int(key)})
    bars, actions = asking.history(symbol("AAPL"), START)
    assert min(bar.session_date for bar in bars) == date(2005, 2, 28)
    assert not actions
    assert not actions.whole, "what it does not name may still be so"
    assert refusals.newest("charts")[0]["what"] == "AAPL"


@pytest.mark.parametrize("event", [{"amount": -1.0}, {"amount": "much"}, None])
def test_a_dividend_that_cannot_be_read_is_named_and_nothing_is_whole_any_more(wire, symbol, event):
    whole = around_a_split()
    whole["events"]["dividends"] = {"1109255400": event}
    wire.misshapen["AAPL"] = whole
    _, actions = asking.history(symbol("AAPL"), START)
    assert ([each.kind for each in actions], actions.whole) == (["split"], {"split", "spin_off"})
    assert "left out a dividend" in refusals.newest("charts")[0]["why"]


@pytest.mark.parametrize("left", ["close", None])
def test_a_chart_without_one_whole_candle_is_the_symbols_own_fault(wire, symbol, left):
    whole = around_a_split()
    candles = whole["indicators"]["quote"][0]
    told = {name: column for name, column in candles.items() if name == left}
    wire.misshapen["AAPL"] = altered(whole, ("indicators", "quote", 0), told)
    with pytest.raises(ProviderError) as raised:
        asking.history(symbol("AAPL"), START)
    assert (raised.value.code, raised.value.temporary) == ("upstream_down", False)


def test_an_answer_about_another_symbol_is_not_taken_for_this_one(wire, symbol):
    wire.misshapen["AAPL"] = made_chart("IBM")
    with pytest.raises(ProviderError, match="IBM"):
        asking.quote(symbol("AAPL"))


def test_one_misshapen_symbol_costs_neither_those_behind_it_nor_the_source(wire, symbol):
    wire.charts["IBM"] = made_chart("IBM")
    wire.misshapen["AAPL"] = {"meta": {"symbol": "AAPL"}}
    wire.fail("quote", "html", times=asking.ATTEMPTS)
    for _ in range(12):
        assert [quote.ticker for quote in asking.quotes([symbol("AAPL"), symbol("IBM")])] == ["IBM"]
    for _ in range(12):
        with pytest.raises(ProviderError, match="unknown shape"):
            asking.quote(symbol("AAPL"))
    assert refusals.counts()["answers"] == 24


def test_a_source_that_answers_nonsense_for_everything_is_left_alone(wire, symbol):
    names = [f"S{number}" for number in range(12)]
    wire.misshapen |= {name: {"meta": {"symbol": name}} for name in names}
    kinds = []
    for name in names:
        with pytest.raises(ProviderError) as raised:
            asking.quote(symbol(name))
        kinds.append(type(raised.value))
    assert kinds == [Unreadable] * FAILURES_TO_OPEN + [NoSlot] * (12 - FAILURES_TO_OPEN)
    assert len(wire.requests) == FAILURES_TO_OPEN
    assert raised.value.code == "upstream_down"


def test_one_entry_of_nonsense_does_not_cost_the_other_entries_of_the_list(wire, symbol):
    names = [ticker for ticker in ("AAPL", "FB", "GOOG", "IBM", "MSFT")]
    wire.charts |= {name: made_chart(name) for name in names}
    wire.misshapen["GOOG"] = {"symbol": "GOOG", "exchangeTimezoneName": ["nonsense"], "regularMarketPrice": {}}
    found = {quote.ticker for quote in asking.quotes([symbol(name) for name in names])}
    assert found == set(names) - {"GOOG"}
    asked = [request for request in wire.requests if request.startswith(("quote", "chart"))]
    assert asked == ["quote AAPL,FB,GOOG,IBM,MSFT", "chart GOOG"]
    assert refusals.counts()["quote list"] == 1


@pytest.mark.parametrize(
    "message",
    [
        {"id": "AAPL", "price": "NaN", "time": "1700000000000"},
        {"id": "AAPL", "price": 190.5, "time": "soon"},
        {"id": "AAPL", "price": 190.5, "time": "99999999999999999"},
        {"id": "AAPL", "price": 190.5, "time": "32503680000000"},
        {"id": "AAPL", "price": 190.5, "time": "1700000000000", "day_volume": "many"},
        {"id": "AAPL", "price": 190.5, "time": "1700000000000", "previous_close": 1e-6},
    ],
)
def test_a_message_of_nonsense_costs_itself_alone(symbol, message):
    inbox = Inbox(stream.quote)
    inbox.track([symbol("AAPL"), symbol("MSFT")])
    inbox.hear("AAPL", message)
    inbox.hear("MSFT", {"price": 370.25, "time": "1700000000000", "day_high": "NaN", "previous_close": "NaN"})
    (told,) = inbox.take(0)
    assert (told.ticker, told.price, told.high, told.previous_close) == ("MSFT", 370.25, 370.25, None)


def test_a_polled_quote_of_tomorrow_does_not_shut_out_those_of_today(symbol, quote):
    inbox = Inbox(stream.quote)
    inbox.track([symbol("AAPL")])
    inbox.put([quote("AAPL", 1.0, as_of=datetime.now(UTC) + timedelta(days=1)), quote("AAPL", 101.0)])
    assert [told.price for told in inbox.take(0)] == [101.0]
    assert refusals.counts() == {"quotes": 1}


def test_a_recorded_row_of_nonsense_is_no_day(monkeypatch):
    columns = {name: list(column) for name, column in stocks.FB.items()}
    columns["high"][3], columns["volume"][5], columns["date"][7] = math.nan, 10**19, "soon"
    monkeypatch.setattr(stocks, "FB", columns)
    assert len(recording.days.__wrapped__("FB")) == len(stocks.FB["date"]) - 3
    assert refusals.counts() == {"recorded": 3}
