"""Many symbols' indicators by POST: each as it is told alone, and what can't be had is explained."""

import json
import logging

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analysis.api import batch, several
from analysis.indicators import catalogue
from finstage.parsers import JSONParser
from market.bars.columns import store
from market.models import Symbol
from monitoring import caches
from tests.analysis.test_api import INDICATORS, fill, sixty_days  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.db]
BATCH = "/api/v2/technical-analysis/batch/indicators"
FACTS = {"name": "x", "exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
EVERYTHING = ", ".join(sorted({each.name for each in catalogue.DEFAULTS.values()}))


@pytest.fixture
def many(sixty_days) -> list[str]:  # noqa: F811
    """Twelve symbols with sixty bars each, and one without any."""
    tickers = [f"S{number}" for number in range(11)]
    Symbol.objects.bulk_create(Symbol(ticker=ticker, **FACTS) for ticker in [*tickers, "NONE"])
    for ticker in tickers:
        fill(ticker)
    return ["AAPL", *tickers]


def ask(client, **body):
    return client.post(BATCH, body, content_type="application/json")


@pytest.mark.parametrize(
    "asked", [{}, {"period": "max", "indicators": "rsi,supertrend"}, {"interval": "1wk", "period": "1y"}]
)
def test_each_symbol_is_told_as_it_is_alone(client, many, asked):
    body = ask(client, symbols=[ticker.lower() for ticker in many[:3]], **asked).json()
    assert list(body["results"]) == many[:3]
    for ticker in many[:3]:
        assert body["results"][ticker] == client.get(INDICATORS.replace("AAPL", ticker), asked).json()


def test_one_that_cannot_be_had_is_null_and_explained_and_the_log_has_the_same_figures(client, many, caplog):
    with caplog.at_level(logging.INFO, batch.logger.name):
        body = ask(client, symbols=["AAPL", "AAPLE", "NONE", "S1"]).json()
    assert [ticker for ticker, told in body["results"].items() if told is None] == ["AAPLE", "NONE"]
    assert {ticker: fault["code"] for ticker, fault in body["errors"].items()} == {
        "AAPLE": "unknown_symbol",
        "NONE": "no_bars",
    }
    assert "Did you mean AAPL?" in body["errors"]["AAPLE"]["detail"]
    assert (body["analyzed_count"], body["success_rate"]) == (2, 50.0)
    assert 0 < body["execution_time"] < 60
    figures = " ".join(f"{name}={body[name]}" for name in ("analyzed_count", "execution_time", "success_rate"))
    assert [record.getMessage() for record in caplog.records] == [f"batch_analysis_completed {figures}"]


def test_too_short_a_history_is_said_for_each_and_never_as_nulls(client, many):
    body = ask(client, symbols=["AAPL"], indicators=["sma_100", "ema_61"]).json()
    assert body["results"] == {"AAPL": None}
    fault = body["errors"]["AAPL"]
    assert (fault["code"], "ema_61 takes 61 for a value" in fault["detail"]) == ("too_short_history", True)
    alone = client.get(INDICATORS, {"indicators": "sma_100,ema_61"})
    assert (alone.status_code, alone.json()["code"]) == (400, "too_short_history")
    assert alone.json()["errors"] == {"indicators": [fault["detail"]]}
    assert ask(client, symbols=["AAPL"], indicators="sma_100,sma_20").json()["results"]["AAPL"]


def test_more_symbols_at_once_take_no_more_queries(client, many, redis):
    def queries(count: int, **more) -> int:
        with CaptureQueriesContext(connection) as made:
            ask(client, symbols=many[:count], **more)
        return len(made)

    forget(redis)
    few = queries(2)
    forget(redis)
    assert queries(12, batch_size=50) == few  # all are read together
    forget(redis)
    assert queries(12) > few  # five at once, as it goes without saying


def test_what_was_told_of_one_alone_is_told_of_many_without_reading_bars(client, many, redis):
    forget(redis)
    alone = {ticker: client.get(INDICATORS.replace("AAPL", ticker)).json() for ticker in many[:3]}
    store.clear()
    with CaptureQueriesContext(connection) as made:
        told = ask(client, symbols=many[:3]).json()["results"]
    assert told == alone
    assert not [each["sql"] for each in made if "market_bar" in each["sql"]]


def forget(redis) -> None:
    """What is kept of bars and of answers."""
    store.clear()
    caches.technical_analysis.front.clear()
    redis.flushall()


REFUSED = [
    ({}, "symbols", "invalid_symbols", "required"),
    ({"symbols": []}, "symbols", "invalid_symbols", "empty"),
    ({"symbols": "AAPL"}, "symbols", "invalid_symbols", "list"),
    ({"symbols": [1]}, "symbols.0", "invalid_symbols", "string"),
    ({"symbols": ["AAPL", " aapl "]}, "symbols", "invalid_symbols", "Named more than once: AAPL"),
    ({"symbols": [f"S{number}" for number in range(501)]}, "symbols", "invalid_symbols", "500"),
    ({"symbols": ["AAPL"], "period": "3w"}, "period", "invalid_period", "1d, 5d, 1mo"),
    ({"symbols": ["AAPL"], "period": 5}, "period", "invalid_period", "1d, 5d, 1mo"),
    ({"symbols": ["AAPL"], "interval": "2d"}, "interval", "invalid_interval", "1m, 5m"),
    ({"symbols": ["AAPL"], "adjusted": "no"}, "adjusted", "invalid_adjusted", "split_dividend"),
    ({"symbols": ["AAPL"], "batch_size": 0}, "batch_size", "invalid_batch_size", "from 1 to 50"),
    ({"symbols": ["AAPL"], "batch_size": 51}, "batch_size", "invalid_batch_size", "from 1 to 50"),
    ({"symbols": ["AAPL"], "batch_size": 2.5}, "batch_size", "invalid_batch_size", "from 1 to 50"),
    ({"symbols": ["AAPL"], "batch_size": True}, "batch_size", "invalid_batch_size", "from 1 to 50"),
    ({"symbols": ["AAPL"], "indicators": "magic"}, "indicators", "invalid_indicators", EVERYTHING),
    ({"symbols": ["AAPL"], "indicators": ["smaa_20"]}, "indicators", "invalid_indicators", "did you mean sma"),
    ({"symbols": ["AAPL"], "indicators": ["sma_1"]}, "indicators", "invalid_indicators", "period from 2 to 1000"),
    ({"symbols": ["AAPL"], "indicators": []}, "indicators", "invalid_indicators", "names"),
    ({"symbols": ["AAPL"], "indicators": "rsi,,sma"}, "indicators", "invalid_indicators", "names"),
    ({"symbols": ["AAPL"], "indicators": None}, "indicators", "invalid_indicators", "null"),
    ({"symbols": ["AAPL"], "indicators": {"sma": 20}}, "indicators", "invalid_indicators", "names"),
    ({"symbols": ["AAPL"], "indicators": ["rsi"] * 300}, "indicators", "invalid_indicators", "1000 are allowed"),
    ({"symbols": ["AAPL"], "perid": "1y"}, "perid", "unknown_field", "there are symbols, period"),
]  # fmt: skip


def test_what_cannot_be_is_refused_with_what_is_allowed(client, many):
    for body, field, code, allowed in REFUSED:
        answer = ask(client, **body)
        told = answer.json()
        assert (answer.status_code, told["code"], list(told["errors"])) == (400, code, [field]), body
        assert allowed in json.dumps(told["errors"]), body


def test_an_answer_of_too_many_values_is_refused_before_it_is_made(client, many, monkeypatch):
    monkeypatch.setattr(several, "MOST_VALUES", 4000)
    assert ask(client, symbols=many[:4]).status_code == 200
    answer = ask(client, symbols=many[:4], period="max")
    assert (answer.status_code, answer.json()["code"]) == (400, "too_many_values")
    assert "a shorter period, fewer indicators or fewer symbols" in answer.json()["detail"]


def test_a_body_that_is_dear_to_parse_is_parsed_for_nobody(client, many, monkeypatch):
    monkeypatch.setattr(JSONParser, "parse", lambda *_, **__: pytest.fail("it is parsed"))
    answer = client.post(BATCH, json.dumps({"symbols": ["A"] * 20_000}), content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert "65536 bytes" in answer.json()["detail"]


def test_it_is_a_read_which_guests_may_where_reads_are_open(client, many, settings):
    assert ask(client, symbols=["AAPL"]).status_code == 200
    settings.MARKET_DATA_OPEN = False
    assert ask(client, symbols=["AAPL"]).status_code == 401
