"""GET /api/v2/bars/, /api/v2/quotes/ and /api/v2/movers/"""

import csv
import io
from dataclasses import replace
from datetime import date

import polars
import pytest

from market import actions, bars, quotes
from market.bars import forming, wire
from market.models import Symbol, SymbolAlias
from market.prices import FORMING, Action, Named
from tests.market.test_api_bars import daily, problem

pytestmark = [pytest.mark.django_db, pytest.mark.db]

BARS, QUOTES, MOVERS = "/api/v2/bars/", "/api/v2/quotes/", "/api/v2/movers/"
ONE = "/api/v2/symbols/{}/bars/"
FACTS = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}


@pytest.fixture
def three(apple: Symbol) -> list[Symbol]:
    """AAPL with ten bars, a split among them, and one that forms; BRK-B with three; PEAR with none."""
    berkshire = Symbol.objects.create(ticker="BRK-B", name="Berkshire", price_decimals=4, **FACTS)
    pear = Symbol.objects.create(ticker="PEAR", name="Pear", **FACTS)
    bars.upsert(daily(day) for day in range(10))
    bars.upsert(daily(day, "BRK-B", close=100.12345) for day in range(3))
    actions.keep(apple, Named([Action("AAPL", "split", date(2012, 3, 5), 2.0, 2, 1)]), "replay")
    forming.keep([daily(10, is_final=False, state=FORMING)])
    wire.store.clear()
    return [apple, berkshire, pear]


@pytest.mark.parametrize("adjusted", ["raw", "split", "split_dividend"])
def test_each_symbol_is_told_as_its_own_page_tells_it(client, three, adjusted):
    how = {"limit": 3, "adjusted": adjusted}
    for _ in range(2):  # read, then kept
        body = client.get(BARS, {"symbols": "PEAR,brk.b,AAPL", **how}).json()
        assert [each["symbol"] for each in body["results"]] == ["PEAR", "BRK-B", "AAPL"]
        for each in body["results"]:
            alone = client.get(ONE.format(each["symbol"]), how).json()
            assert (each["bars"], each["coverage"]) == (alone["results"], alone["coverage"])
            assert (each["next"] is None) == (alone["next"] is None)
        assert body["errors"] == []
    assert body["results"][-1]["bars"][-1]["state"] == FORMING


def test_next_leads_to_the_bars_before_of_that_symbol_alone(client, three):
    body = client.get(BARS, {"symbols": "AAPL,BRK-B", "limit": 2, "adjusted": "raw", "end": "2012-03-09"}).json()
    following = body["results"][0]["next"]
    page = client.get(following).json()
    assert [bar["session_date"] for bar in page["results"]] == ["2012-03-06", "2012-03-07"]
    assert page["results"][0]["adjustment"] == "raw"
    assert client.get(page["next"]).status_code == 200
    assert {"symbols", "format"}.isdisjoint(following.partition("?")[2].replace("=", "&").split("&"))


def test_one_that_we_do_not_know_fails_alone_and_is_named(client, three):
    body = client.get(BARS, {"symbols": "AAPPL,AAPL", "limit": 1}).json()
    assert [each["symbol"] for each in body["results"]] == ["AAPL"]
    assert [(each["symbol"], each["code"]) for each in body["errors"]] == [("AAPPL", "unknown_symbol")]
    assert "Did you mean AAPL?" in body["errors"][0]["detail"]
    nobody = client.get(BARS, {"symbols": "NOPE"})
    assert (nobody.status_code, nobody.json()["results"]) == (200, [])


def test_two_names_of_one_symbol_are_one(client, three):
    SymbolAlias.objects.create(text="APPLE", symbol=three[0], kind=SymbolAlias.Kind.FORMER)
    body = client.get(BARS, {"symbols": "APPLE,AAPL", "limit": 1}).json()
    assert [each["symbol"] for each in body["results"]] == ["AAPL"]


def test_more_than_one_answer_holds_is_refused_with_what_it_takes(client, three):
    response = client.get(BARS, {"symbols": "AAPL,BRK-B,PEAR,A,B,C", "limit": 10_000})
    assert problem(response) == (400, "application/problem+json", "invalid_limit")
    assert "50,000" in str(response.json()["errors"])
    assert "8333 of each" in str(response.json()["errors"])


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({}, "invalid_symbols"),
        ({"symbols": "AAPL", "interval": "2d"}, "invalid_interval"),
        ({"symbols": "AAPL", "cursor": "x"}, "invalid_parameters"),
        ({"symbols": "AAPL", "start": "2012-03-02", "end": "2012-03-01"}, "invalid_range"),
    ],
)
def test_what_cannot_be_asked_is_named(client, three, how, code):
    assert problem(client.get(BARS, how)) == (400, "application/problem+json", code)


def test_as_a_table_the_bars_follow_each_other_and_who_failed_stands_in_a_header(client, three):
    response = client.get(BARS, {"symbols": "AAPL,NOPE,BRK-B", "limit": 2, "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert [row["symbol"] for row in rows] == ["AAPL", "AAPL", "BRK-B", "BRK-B"]
    assert response["Errors"] == '"NOPE";unknown_symbol'


def test_as_parquet_they_do_too_with_the_currency_of_each(client, three):
    asked = {"symbols": "AAPL,NOPE,BRK-B", "limit": 2}
    response, told = client.get(BARS, asked | {"format": "parquet"}), client.get(BARS, asked).json()["results"]
    found = polars.read_parquet(response.content)
    assert found["close"].to_list() == [bar["close"] for each in told for bar in each["bars"]]
    facts = polars.read_parquet_metadata(io.BytesIO(response.content))
    assert facts["currency"] == '{"AAPL":"USD","BRK-B":"USD"}'
    assert response["Errors"] == '"NOPE";unknown_symbol'


def test_what_no_header_can_say_is_percent_encoded_there(client, apple):
    response = client.get("/api/v2/bars/?symbols=AAPL,%C3%85%0A%F0%9F%8F%BB%22,^KS,EURUSD=X&format=csv")
    assert response.status_code == 200
    assert response["Errors"] == (
        '"%C3%85%0A%F0%9F%8F%BB%22";unknown_symbol, "^KS";unknown_symbol, "EURUSD=X";unknown_symbol'
    )


def test_an_answer_that_is_known_is_a_304_until_one_symbol_moves(client, three):
    asked = {"symbols": "AAPL,BRK-B,NOPE", "limit": 3}
    tag = client.get(BARS, asked)["ETag"]
    assert client.get(BARS, asked, headers={"If-None-Match": tag}).status_code == 304
    bars.upsert([replace(daily(2, "BRK-B"), close=100.75)])
    moved = client.get(BARS, asked, headers={"If-None-Match": tag})
    assert moved.status_code == 200
    forming.keep([daily(10, is_final=False, state=FORMING, close=110.25)])
    assert client.get(BARS, asked, headers={"If-None-Match": moved["ETag"]}).status_code == 200
    Symbol.objects.create(ticker="NOPE", name="It is there now", **FACTS)
    assert client.get(BARS, asked, headers={"If-None-Match": client.get(BARS, asked)["ETag"]}).status_code == 304
    assert client.get(BARS, asked)["ETag"] != moved["ETag"]


def test_what_many_cost_does_not_grow_with_them_but_for_their_bars(client, three, django_assert_num_queries):
    with django_assert_num_queries(4 + 3):  # the symbols, their coverage, actions and versions again; bars of each
        client.get(BARS, {"symbols": "AAPL,BRK-B,PEAR"})


def test_quotes_of_many(client, three, quote):
    quotes.keep([quote("AAPL", 187.32), quote("BRK-B", 412.5)])
    body = client.get(QUOTES, {"symbols": "brk.b,NOPE,AAPL,PEAR"}).json()
    assert list(body) == ["timestamp", "results", "errors"]
    for each in body["results"]:
        assert each == client.get(f"/api/v2/symbols/{each['symbol']}/quote/").json()
    assert [each["symbol"] for each in body["results"]] == ["BRK-B", "AAPL"]
    assert [(each["symbol"], each["code"]) for each in body["errors"]] == [
        ("NOPE", "unknown_symbol"), ("PEAR", "no_quote"),
    ]  # fmt: skip


@pytest.fixture
def moved(quote) -> None:
    """Of the newest session five, two of which rose alike; one is of the session before, one has no quote."""
    newest = {"A": 110.0, "B": 110.0, "C": 90.0, "D": 100.0, "E": 105.0}
    for ticker in [*newest, "OLD", "NONE"]:
        Symbol.objects.create(ticker=ticker, name=ticker, **FACTS)
    Symbol.objects.create(ticker="X-USD", name="A coin", **{**FACTS, "exchange": "CCC"}, asset_type="crypto")
    at = quote("A", 1.0)
    told = [quote(ticker, price, previous_close=100.0, volume=1000) for ticker, price in reversed(newest.items())]
    told[0] = replace(told[0], previous_close=None, volume=5000)  # E
    old = quote("OLD", 200.0, previous_close=100.0, volume=9_000_000)
    coin = quote("X-USD", 99.0, previous_close=100.0, volume=9_000_000)
    day = at.session_date.replace(day=1)
    quotes.keep([*told, replace(old, session_date=day, as_of=old.as_of.replace(day=1)), coin])


def tickers(ranked: list[dict]) -> list[str]:
    return [each["symbol"] for each in ranked]


def test_movers_compare_one_session_and_a_tie_goes_by_ticker(client, moved):
    body = client.get(MOVERS).json()
    assert tickers(body["gainers"]) == ["A", "B"]
    assert tickers(body["losers"]) == ["C", "X-USD"]
    assert tickers(body["most_active"]) == ["E", "A", "B", "C", "D"]
    assert body["left_out"] == {"no_quote": 1, "older_session": 1, "no_change_known": 1}
    assert set(body["sessions"]) == {"XNAS", "CCC"}
    assert body["gainers"][0] == client.get("/api/v2/symbols/A/quote/").json()


def test_movers_of_one_exchange_and_not_more_than_asked(client, moved):
    body = client.get(MOVERS, {"exchange": "xnas", "limit": 1}).json()
    assert (tickers(body["gainers"]), tickers(body["losers"])) == (["A"], ["C"])
    assert list(body["sessions"]) == ["XNAS"]


def test_an_exchange_that_there_is_not_is_named(client, moved):
    assert problem(client.get(MOVERS, {"exchange": "XXXX"})) == (400, "application/problem+json", "invalid_exchange")


def test_where_nothing_is_tracked_nothing_moved(client, db):
    assert client.get(MOVERS).json()["gainers"] == []
