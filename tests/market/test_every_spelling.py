"""Symbols with a dash, a dot, a caret, an equals sign and a slash work on every way: wire, paths, queries, exports."""

import csv
import io
from datetime import UTC, datetime
from urllib.parse import quote as quoted

import pytest

from market import history, intervals, quotes
from market.models import Symbol
from market.sources.yahoo import asking
from realtime import kinds
from tests.market.yahoo_charts import FACTS, cut, made_chart

pytestmark = [pytest.mark.django_db, pytest.mark.db]
TICKERS = ["BRK-B", "005930.KS", "^KS11", "EURUSD=X", "GC=F", "BTC-USD", "BF/B"]
KINDS = {"^KS11": "index", "GC=F": "future"}
RECENTLY = datetime(2012, 12, 1, tzinfo=UTC).timestamp()
PATHS = ["", "quote/", "bars/", "bars/?interval=1wk", "bars/?interval=5m", "records/", "actions/", "restatements/"]
NONE = ["bars/?interval=5m", "actions/", "restatements/"]  # there are none
QUERIES = [
    ("/api/v2/bars/", lambda body: [each["symbol"] for each in body["results"]]),
    ("/api/v2/bars/?interval=1mo", lambda body: [each["symbol"] for each in body["results"]]),
    ("/api/v2/quotes/", lambda body: [each["symbol"] for each in body["results"]]),
    ("/async/symbols/batch", lambda body: list(body["prices"])),
    ("/api/v2/technical-analysis/prices/batch", lambda body: list(body["prices"])),
]


@pytest.fixture
def all_of_them(wire) -> list[Symbol]:
    """Each with a history and a price, of Yahoo's wire."""
    made = []
    for ticker in TICKERS:
        facts = {"exchange": "XNYS", "asset_type": KINDS.get(ticker, "equity"), **FACTS.get(ticker, {})}
        facts |= {"currency": "USD", "time_zone": "America/New_York", "exchange": "XNYS"}  # of the recorded sessions
        made.append(Symbol.objects.create(ticker=ticker, name=ticker, **facts))
        wire.charts[ticker] = cut(made_chart("IBM", symbol=ticker), {"period1": RECENTLY})
    for symbol in made:
        history.fill(symbol, asking.history, "yahoo")
    quotes.keep(list(asking.quotes(made)))
    return made


def test_each_is_asked_for_by_its_own_name(wire, all_of_them):
    charts = [request.removeprefix("chart ") for request in wire.requests if request.startswith("chart")]
    assert charts == [*TICKERS, "BTC-USD"]  # what a list says of a coin is of another day
    listed = [request for request in wire.requests if request.startswith("quote")]
    assert listed == ["quote BRK-B,005930.KS,^KS11,EURUSD=X,GC=F,BF/B"]


@pytest.mark.parametrize("written", [lambda ticker: ticker, lambda ticker: quoted(ticker, safe=""), str.lower])
def test_paths_lead_to_it_however_they_are_written(client, all_of_them, written):
    for ticker in TICKERS:
        for path in PATHS:
            answer = client.get(f"/api/v2/symbols/{written(ticker)}/{path}")
            assert answer.status_code == 200, (ticker, path, answer.content)
            assert ticker.encode() in answer.content or path in NONE


@pytest.mark.parametrize(("path", "names"), QUERIES, ids=[path for path, _ in QUERIES])
def test_queries_name_all_of_them_at_once(client, all_of_them, path, names):
    answer = client.get(path, {"symbols": ",".join(TICKERS)})
    assert answer.status_code == 200
    assert names(answer.json()) == TICKERS


def test_its_streams_lead_back_to_it():
    for ticker in TICKERS:
        for kind in (kinds.PRICES, kinds.BARS, kinds.INDICATORS, kinds.ALERTS):
            assert kinds.address(kind.of(ticker)).ticker == ticker
        for interval in intervals.ALL:
            assert kinds.address(kinds.BARS.of(ticker, interval))[:2] == (ticker, interval)


@pytest.mark.parametrize("path", ["bars/", "quote/", "records/", "actions/", "restatements/", ""])
def test_one_that_there_is_not_is_a_404_however_it_is_spelled(client, path):
    for ticker in TICKERS:
        answer = client.get(f"/api/v2/symbols/{quoted(ticker, safe='')}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_symbol")


def test_a_bad_interval_or_range_is_a_400_that_says_what_is_allowed(client, all_of_them):
    for ticker in TICKERS:
        path = f"/api/v2/symbols/{quoted(ticker, safe='')}/bars/"
        for asked, code in (({"interval": "7m"}, "invalid_interval"), ({"start": "2024-02-30"}, "invalid_start")):
            answer = client.get(path, asked)
            assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert "1m, 5m, 15m, 30m, 1h, 1d, 1wk, 1mo" in client.get(path, {"interval": "7m"}).json()["detail"]
        turned = client.get(path, {"start": "2024-02-02", "end": "2024-01-01"})
        assert turned.status_code == 400


def test_its_page_and_its_indicators_are_there(client, all_of_them):
    for ticker in TICKERS:
        assert client.get(f"/symbols/{quoted(ticker, safe='')}/").status_code == 200
        told = client.get(f"/api/v2/technical-analysis/indicators/{quoted(ticker, safe='')}").json()
        assert told["symbol"] == ticker


def test_its_export_leads_back_to_it(client, all_of_them):
    for ticker in TICKERS:
        answer = client.get(f"/api/v2/symbols/{quoted(ticker, safe='')}/bars/", {"format": "csv"})
        rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
        assert {row["symbol"] for row in rows} == {ticker}
