"""GET /api/v2/technical-analysis/indicators/{symbol} and the default watchlist."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from analysis import summary
from market import bars, coverage, prices, quotes
from market.calendars import clock
from market.models import CorporateAction, DataSource, Record, Symbol

pytestmark = [pytest.mark.django_db, pytest.mark.db]

INDICATORS = "/api/v2/technical-analysis/indicators/AAPL"
WATCHLIST = "/api/v2/watchlists/default/"
LAST = date(2012, 9, 3)
DAYS = 60


@pytest.fixture
def sixty_days(apple: Symbol) -> Symbol:
    DataSource.objects.update_or_create(
        pk=1, defaults={"name": "replay", "reason": "asked", "chosen_at": datetime.now(UTC)}
    )
    fill("AAPL")
    return apple


def fill(ticker: str) -> None:
    """Sixty daily bars up to LAST that close at 100, 101, ..."""
    first = LAST - timedelta(days=DAYS - 1)
    bars.upsert(
        prices.Bar(
            ticker, "1d", prices.midnight(first + timedelta(days=day)), 100.0 + day, 100.0 + day, 100.0 + day,
            100.0 + day, 1000, True, "replay", datetime(2012, 9, 3, 21, tzinfo=UTC),
        )
        for day in range(DAYS)
    )  # fmt: skip


def test_indicators_have_the_contracts_shape(client, sixty_days):
    body = client.get(INDICATORS).json()
    expected = {
        "symbol": "AAPL",
        "interval": "1d",
        "period": "1mo",
        "adjustment": "split",
        "as_of": "2012-09-03T00:00:00Z",
        "session_date": "2012-09-03",
        "version": coverage.latest(["AAPL"])["AAPL"],
    }
    assert {name: body[name] for name in expected} == expected
    sma = body["indicators"]["sma_20"]
    assert (sma["name"], sma["parameters"]) == ("sma", {"period": 20})
    assert len(sma["values"]["sma"]) == len(body["times"])
    assert sma["latest"]["sma"] == sma["values"]["sma"][-1] == pytest.approx(149.5)


def test_a_value_that_is_not_there_yet_is_null_and_never_nan(client, sixty_days):
    text = client.get(INDICATORS, {"period": "max"}).content.decode()
    body = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} on the wire"))
    assert body["indicators"]["sma_20"]["values"]["sma"][:20] == [None] * 19 + [109.5]


def test_the_named_indicators_come_and_no_others(client, sixty_days):
    assert set(client.get(INDICATORS, {"indicators": "rsi"}).json()["indicators"]) == {"rsi_14"}
    assert set(client.get(INDICATORS, {"indicators": "all"}).json()["indicators"]) >= {"rsi_14", "sma_20"}


@pytest.mark.parametrize(
    ("query", "code", "allowed"),
    [
        ({"period": "3w"}, "invalid_period", "1d, 5d, 1mo, 3mo, 6mo, 1y, 2y, 5y, 10y, ytd, max"),
        ({"interval": "2d"}, "invalid_interval", "1m, 5m, 15m, 30m, 1h, 1d, 1wk, 1mo"),
        ({"indicators": "magic"}, "invalid_indicators", "sma, stoch, vwap"),
        ({"indicators": "sma_1"}, "invalid_indicators", "period from 2 to 1000"),
        ({"indicators": "rsi,macd_12"}, "invalid_indicators", "macd_12_26_9"),
        ({"indicators": ""}, "invalid_indicators", ""),
        ({"adjusted": "no"}, "invalid_adjusted", "split_dividend"),
    ],
)
def test_a_refusal_names_what_is_allowed(client, sixty_days, query, code, allowed):
    response = client.get(INDICATORS, query)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert allowed in response.json()["detail"]


def test_an_unknown_symbol_is_a_typed_404(client, sixty_days):
    response = client.get(INDICATORS.replace("AAPL", "nope"))
    assert (response.status_code, response.json()["code"]) == (404, "unknown_symbol")


def test_a_symbol_without_bars_has_empty_indicators(client, apple):
    body = client.get(INDICATORS).json()
    assert (body["as_of"], body["times"]) == (None, [])


def test_indicators_take_five_queries_and_one_while_their_bars_stay_the_same(
    client, sixty_days, django_assert_num_queries
):
    with django_assert_num_queries(5):  # the symbol's version, the newest bar, the bars, splits, the version again
        client.get(INDICATORS)
    with django_assert_num_queries(1):
        client.get(INDICATORS)


def test_the_watchlist_names_its_source_and_every_tracked_symbol(client, sixty_days):
    Symbol.objects.create(ticker="GONE", name="Gone", exchange="XNAS", currency="USD", time_zone="UTC", is_active=False)
    body = client.get(WATCHLIST).json()
    assert list(body) == ["id", "name", "is_own", "changed_at", "source", "market", "markets", "backfill", "symbols"]
    assert body["source"] == {"name": "replay", "is_recorded": True, "epoch": 1}
    assert [row["symbol"] for row in body["symbols"]] == ["AAPL"]


def test_the_watchlist_tells_the_clock_of_every_followed_exchange(client, sixty_days):
    clock.keep(clock.Clock("XNAS", "open", LAST, closes_at=datetime(2012, 9, 3, 20, tzinfo=UTC)))
    clock.keep(clock.Clock("XKRX", "closed", LAST), is_market=False)
    seoul, nasdaq = client.get(WATCHLIST).json()["markets"]
    assert seoul == {"exchange": "XKRX", "state": "closed", "session": "2012-09-03"}
    assert (nasdaq["exchange"], nasdaq["closes_at"]) == ("XNAS", "2012-09-03T20:00:00Z")


def test_a_row_of_the_watchlist_has_all_that_the_page_shows(client, sixty_days, quote):
    quotes.keep([quote("AAPL", 161.0, previous_close=159.0)])
    record = {"high": 161.0, "high_date": LAST, "low": 50.0, "low_date": date(2012, 1, 3)}
    Record.objects.create(
        symbol=sixty_days, scope="52_weeks", as_of=LAST, source="replay", computed_at=datetime.now(UTC), **record
    )
    [row] = client.get(WATCHLIST).json()["symbols"]
    assert (row["name"], row["exchange"], row["currency"], row["price_decimals"]) == ("Apple Inc.", "XNAS", "USD", 2)
    assert (row["quote"]["current_price"], row["quote"]["source"]) == (161.0, "replay")
    assert row["sparkline"] == [130.0 + day for day in range(30)]
    assert row["average_volume"] == 1000
    assert row["records"] == {
        "52_weeks": {**record, "high_date": "2012-09-03", "low_date": "2012-01-03", "since": None},
        "all_time": None,
    }
    assert set(row["indicators"]) == {"rsi_14", "sma_20"}


def test_a_symbol_that_has_nothing_yet_says_so_with_nulls(client, apple):
    DataSource.objects.create(pk=1, name="replay", reason="asked", chosen_at=datetime.now(UTC))
    [row] = client.get(WATCHLIST).json()["symbols"]
    assert (row["quote"], row["sparkline"], row["average_volume"], row["records"]) == (None, [], None, None)
    assert set(row["indicators"].values()) == {None}


def test_a_split_leaves_no_cliff_in_the_sparkline(client, sixty_days):
    CorporateAction.objects.create(
        symbol=sixty_days, kind="split", ex_date=LAST, value=2.0, source="replay", received_at=datetime.now(UTC)
    )
    [row] = client.get(WATCHLIST).json()["symbols"]
    assert row["sparkline"][-2:] == [79.0, 159.0]
    assert row["average_volume"] == round((29 * 2000 + 1000) / 30)


def test_the_watchlist_takes_as_many_queries_for_ten_symbols_as_for_one(client, sixty_days, django_assert_num_queries):
    client.get(WATCHLIST)
    for number in range(9):
        row = {"name": "x", "exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
        Symbol.objects.create(ticker=f"S{number}", **row)
        fill(f"S{number}")
    with django_assert_num_queries(5):
        assert len(client.get(WATCHLIST).json()["symbols"]) == 10


def test_the_watchlist_shows_the_newest_indicators_that_the_feed_told(client, sixty_days, quote):
    summary.Summary().tick([quote("AAPL", 160.0, previous_close=159.0)])
    [row] = client.get(WATCHLIST).json()["symbols"]
    assert row["indicators"] == {"rsi_14": 100.0, "sma_20": pytest.approx(150.5)}
