"""GET /api/v2/symbols/{symbol}/quote/ and the many prices at once."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from market import quotes
from market.api.quotes import FRESHNESS
from market.models import DataSource, Symbol
from market.prices import MARKET_STATES

pytestmark = [pytest.mark.django_db, pytest.mark.db]

QUOTE = "/api/v2/symbols/AAPL/quote/"
PRICES = ("/api/v2/technical-analysis/prices/batch", "/async/symbols/batch")
# The fields of the contract's price_update without its stream's number, and the two of a quote.
FIELDS = {
    "symbol", "current_price", "previous_close", "change", "change_percent", "volume", "timestamp", "session_date",
    "as_of_precision", "received_at", "source", "market_state", "freshness",
}  # fmt: skip


@pytest.fixture(autouse=True)
def replayed(db) -> None:
    DataSource.objects.update_or_create(
        pk=1, defaults={"name": "replay", "reason": "asked", "chosen_at": datetime.now(UTC)}
    )


def test_a_quote_has_the_contracts_fields(client, apple, quote):
    quotes.keep([quote("AAPL", 187.32, previous_close=186.1, volume=51_234_567)])
    body = client.get(QUOTE).json()
    assert body.keys() >= FIELDS
    assert (body["symbol"], body["current_price"], body["previous_close"]) == ("AAPL", 187.32, 186.1)
    assert (body["change"], body["change_percent"], body["volume"]) == (1.22, 0.6556, 51_234_567)
    assert body["timestamp"].endswith("Z")
    assert body["market_state"] in MARKET_STATES
    assert body["freshness"] in FRESHNESS


def test_a_quote_that_has_not_come_yet_is_a_typed_404(client, apple):
    response = client.get(QUOTE)
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert response.json()["code"] == "no_quote"


def test_an_unknown_previous_close_is_null_and_so_is_the_change(client, apple, quote):
    quotes.keep([replace(quote("AAPL", 10.0), previous_close=None)])
    body = client.get(QUOTE).json()
    assert (body["previous_close"], body["change"], body["change_percent"]) == (None, None, None)


def test_a_quote_can_be_had_as_a_table_of_one_row(client, apple, quote):
    quotes.keep([quote("AAPL", 10.25)])
    head, row = client.get(QUOTE, {"format": "csv"}).content.decode().splitlines()
    assert dict(zip(head.split(","), row.split(","), strict=True))["current_price"] == "10.25"


@pytest.mark.parametrize("path", PRICES)
def test_many_prices_are_a_number_or_null(client, apple, quote, path):
    Symbol.objects.create(ticker="GOOGL", name="Alphabet", exchange="XNAS", currency="USD", time_zone="UTC")
    quotes.keep([quote("AAPL", 187.32)])
    body = client.get(path, {"symbols": "AAPL,GOOGL,NOPE"}).json()
    assert list(body) == ["timestamp", "prices"]
    assert body["prices"] == {"AAPL": 187.32, "GOOGL": None, "NOPE": None}
    assert body["timestamp"].endswith("Z")


def test_symbols_are_read_in_any_case_and_counted_once(client, apple, quote):
    quotes.keep([quote("AAPL", 187.32)])
    assert client.get(PRICES[0], {"symbols": " aapl,AAPL,,"}).json()["prices"] == {"AAPL": 187.32}


@pytest.mark.parametrize("asked", [None, "", ",,", ",".join(f"S{number}" for number in range(501)), "A" * 33])
def test_no_too_many_and_overlong_symbols_are_refused(client, apple, asked):
    response = client.get(PRICES[0], {} if asked is None else {"symbols": asked})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_symbols")


def test_many_prices_take_no_query_and_names_without_one_two(client, apple, quote, django_assert_num_queries):
    quotes.keep([quote("AAPL", 187.32)])
    with django_assert_num_queries(0):
        client.get(PRICES[0], {"symbols": "AAPL"})
    with django_assert_num_queries(2):
        client.get(PRICES[0], {"symbols": "AAPL,GOOGL,FB,BRK.B"})


def test_a_quote_takes_few_queries(client, apple, quote, django_assert_max_num_queries):
    quotes.keep([quote("AAPL", 187.32)])
    with django_assert_max_num_queries(2):
        json.loads(client.get(QUOTE).content)
