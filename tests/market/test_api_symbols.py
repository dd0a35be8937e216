"""GET /api/v2/symbols/ and what hangs from one symbol: records and actions."""

from datetime import UTC, date, datetime

import pytest

from market import bars, prices, quotes
from market.models import CorporateAction, Record, Symbol

pytestmark = [pytest.mark.django_db, pytest.mark.db]

PATH = "/api/v2/symbols/"
NO_FIGURES = {
    "reason": "not_asked_yet", "currency": None, "reporting_currency": None, "market_cap": None, "price_earnings": None,
    "earnings_per_share": None, "dividend_yield_percent": None, "earnings_date": None, "earnings_date_to": None,
    "is_earnings_date_estimated": None, "ex_dividend_date": None, "missing": {}, "kept": {}, "as_of": None,
    "as_of_precision": None, "received_at": None, "source": None,
}  # fmt: skip
NOW = datetime(2012, 9, 4, 20, tzinfo=UTC)


def symbol(ticker: str, name: str, **changes) -> Symbol:
    row = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York", **changes}
    return Symbol.objects.create(ticker=ticker, name=name, **row)


@pytest.fixture
def three(db) -> list[Symbol]:
    return [
        symbol("AAA", "Zebra"),
        symbol("BBB", "Yak", exchange="XKRX", currency="KRW", time_zone="Asia/Seoul"),
        symbol("^CCC", "Xerus", asset_type="index", is_active=False),
    ]


def tickers(response) -> list[str]:
    return [row["symbol"] for row in response.json()["results"]]


def test_a_symbol_says_what_it_is_and_which_bars_we_hold(client, three):
    opened = [prices.midnight(date(2012, 3, day)) for day in (1, 2)]
    bars.upsert(prices.Bar("AAA", "1d", at, 1.0, 1.0, 1.0, 1.0, 5, True, "replay", NOW) for at in opened)
    assert client.get(f"{PATH}aaa/").json() == {
        "symbol": "AAA", "name": "Zebra", "exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York",
        "asset_type": "equity", "price_decimals": 2, "active": True, "local_name": "",
        "last_session": None,
        "coverage": {"1d": {"first": "2012-03-01T00:00:00Z", "last": "2012-03-02T00:00:00Z", "count": 2}},
        "key_figures": NO_FIGURES,
    }  # fmt: skip


def test_a_symbol_without_bars_has_an_empty_coverage(client, three):
    assert client.get(f"{PATH}AAA/").json()["coverage"] == {}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["AAA", "BBB", "^CCC"]),
        ({"exchange": "xkrx"}, ["BBB"]),
        ({"asset_type": "index"}, ["^CCC"]),
        ({"active": "false"}, ["^CCC"]),
        ({"active": "true"}, ["AAA", "BBB"]),
        ({"search": "yak"}, ["BBB"]),
        ({"search": "^c"}, ["^CCC"]),
        ({"search": "%"}, []),
        ({"sort": "-symbol"}, ["^CCC", "BBB", "AAA"]),
        ({"sort": "name"}, ["^CCC", "BBB", "AAA"]),
        ({"search": "nothing like it"}, []),
    ],
)
def test_symbols_can_be_filtered_and_sorted(client, three, query, found):
    assert tickers(client.get(PATH, query)) == found


@pytest.mark.parametrize("sort", ["symbol", "-symbol", "name", "-name"])
def test_following_next_gives_every_symbol_once(client, three, sort):
    seen, url = [], f"{PATH}?limit=1&sort={sort}"
    while url:
        response = client.get(url)
        seen += tickers(response)
        url = response.json()["next"]
    assert seen == tickers(client.get(PATH, {"sort": sort}))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"asset_type": "painting"}, "invalid_asset_type"),
        ({"active": "perhaps"}, "invalid_active"),
        ({"sort": "price"}, "invalid_sort"),
        ({"limit": "1001"}, "invalid_limit"),
        ({"limit": "²"}, "invalid_limit"),
        ({"cursor": "nonsense"}, "invalid_cursor"),
        ({"cursor": "é"}, "invalid_cursor"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_code(client, three, query, code):
    response = client.get(PATH, query)
    assert (response.status_code, response.json()["code"]) == (400, code)


def test_a_cell_that_a_spreadsheet_would_run_is_defused(client, db):
    symbol("EVIL", '=HYPERLINK("http://x")', currency="-1+1", time_zone="@x")
    text = client.get(PATH, {"format": "csv"}).content.decode()
    assert """EVIL,"'=HYPERLINK(""http://x"")",XNAS,'-1+1,'@x,""" in text


def test_the_list_takes_four_queries_however_long(client, three, django_assert_num_queries):
    with django_assert_num_queries(4):  # symbols, coverage, which source it is, key figures
        client.get(PATH)


def test_records_are_dated_and_sourced(client, three):
    row = {"high": 9.5, "high_date": date(2012, 4, 2), "low": 1.5, "low_date": date(2011, 9, 6)}
    row["since"] = date(2011, 9, 5)
    Record.objects.create(
        symbol=three[0], scope="52_weeks", as_of=date(2012, 9, 3), source="replay", computed_at=NOW, **row
    )
    assert client.get(f"{PATH}AAA/records/").json() == {
        "symbol": "AAA", "adjustment": "split", "current": None,
        "records": {
            "all_time": None,
            "52_weeks": {
                "high": 9.5, "high_date": "2012-04-02", "low": 1.5, "low_date": "2011-09-06", "since": "2011-09-05",
                "high_distance_percent": None, "low_distance_percent": None, "source": "replay", "version": None,
                "as_of": "2012-09-03T00:00:00Z", "as_of_precision": "day", "received_at": "2012-09-04T20:00:00Z",
            },
        },
    }  # fmt: skip


def test_a_split_since_the_records_were_computed_counts(client, three):
    row = {"high": 9.5, "high_date": date(2012, 4, 2), "low": 1.5, "low_date": date(2011, 9, 6)}
    facts = {"source": "replay", "computed_at": NOW, "as_of": date(2012, 9, 3)}
    Record.objects.create(symbol=three[0], scope="52_weeks", **facts, **row)
    split = {"kind": "split", "ex_date": date(2012, 9, 4), "value": 2.0, "source": "replay", "received_at": NOW}
    CorporateAction.objects.create(symbol=three[0], **split)
    told = client.get(f"{PATH}AAA/records/").json()["records"]["52_weeks"]
    [listed, *_] = client.get("/api/v2/watchlists/default/").json()["symbols"]
    assert (told["high"], told["low"]) == (4.75, 0.75)
    assert (listed["records"]["52_weeks"]["high"], listed["records"]["all_time"]) == (4.75, None)


def year_of(row: Symbol, **changes) -> None:
    facts = {"high": 9.5, "high_date": date(2012, 4, 2), "low": 1.5, "low_date": date(2011, 9, 6), "source": "replay"}
    Record.objects.create(symbol=row, scope="52_weeks", computed_at=NOW, as_of=date(2012, 9, 3), **facts | changes)


def records_of(client) -> tuple[dict, dict]:
    told = client.get(f"{PATH}AAA/records/").json()
    return told["current"], told["records"]["52_weeks"]


def test_records_say_how_far_away_they_are_by_the_close_and_then_by_the_quote(client, three, quote):
    year_of(three[0])
    day = prices.midnight(date(2012, 9, 3))
    bars.upsert([prices.Bar("AAA", "1d", day, 7.6, 7.6, 7.6, 7.6, 5, True, "replay", NOW)])
    current, year = records_of(client)
    assert (current["price"], current["as_of_precision"]) == (7.6, "day")
    assert (year["high_distance_percent"], year["low_distance_percent"]) == (-20.0, 406.6667)
    quotes.keep([quote("AAA", 1.9)])
    current, year = records_of(client)
    assert (current["price"], current["as_of_precision"]) == (1.9, "second")
    assert (year["high_distance_percent"], year["low_distance_percent"]) == (-80.0, 26.6667)


def test_a_session_that_runs_sets_a_record_at_once_and_one_that_has_not_opened_sets_none(client, three, quote):
    year_of(three[0])
    quotes.keep([quote("AAA", 9.9, high=10.0, low=1.5, market_state="pre")])
    assert records_of(client)[1]["high"] == 9.5
    quotes.keep([quote("AAA", 9.9, high=10.0, low=1.5)])
    _, year = records_of(client)
    assert (year["high"], year["high_date"], year["low_date"]) == (10.0, "2012-09-04", "2011-09-06")
    assert (year["as_of_precision"], year["high_distance_percent"]) == ("second", -1.0)


def test_on_the_day_of_a_split_distances_count_in_its_shares_before_its_bar_is_there_and_after(client, three, quote):
    year_of(three[0])
    split = {"kind": "split", "ex_date": date(2012, 9, 4), "value": 2.0, "source": "replay", "received_at": NOW}
    bars.upsert(
        [prices.Bar("AAA", "1d", prices.midnight(date(2012, 9, 3)), 9.0, 9.5, 8.0, 9.5, 5, True, "replay", NOW)]
    )
    CorporateAction.objects.create(symbol=three[0], **split)
    assert records_of(client)[1]["high_distance_percent"] == 0.0
    quotes.keep([quote("AAA", 4.75, high=4.75, low=4.7)])
    current, year = records_of(client)
    assert (current["price"], year["high"], year["high_distance_percent"]) == (4.75, 4.75, 0.0)
    bars.upsert(
        [prices.Bar("AAA", "1d", prices.midnight(date(2012, 9, 4)), 4.7, 4.7, 4.6, 4.7, 5, True, "replay", NOW)]
    )
    assert records_of(client)[1]["high_distance_percent"] == 0.0


def test_nothing_is_a_part_of_a_price_below_zero(client, three, quote):
    year_of(three[0], low=-37.63)
    quotes.keep([quote("AAA", 1.9)])
    assert records_of(client)[1]["low_distance_percent"] is None


@pytest.fixture
def two_actions(three) -> None:
    for kind, day, value in (("split", date(2005, 2, 28), 2.0), ("dividend", date(2012, 8, 9), 2.65)):
        CorporateAction.objects.create(
            symbol=three[0], kind=kind, ex_date=day, value=value, source="replay", received_at=NOW
        )


def test_an_action_says_what_when_and_how_much(client, two_actions):
    assert client.get(f"{PATH}AAA/actions/", {"kind": "split"}).json()["results"] == [
        {
            "symbol": "AAA", "kind": "split", "ex_date": "2005-02-28", "value": 2.0, "numerator": None,
            "denominator": None, "disputed": None, "decision": None, "source": "replay",
            "received_at": "2012-09-04T20:00:00Z",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ({}, ["2012-08-09", "2005-02-28"]),
        ({"sort": "ex_date"}, ["2005-02-28", "2012-08-09"]),
        ({"start": "2012-08-09"}, ["2012-08-09"]),
        ({"end": "2012-08-08"}, ["2005-02-28"]),
        ({"end": "2012-08-09"}, ["2012-08-09", "2005-02-28"]),
    ],
)
def test_actions_can_be_cut_and_sorted(client, two_actions, query, days):
    assert [row["ex_date"] for row in client.get(f"{PATH}AAA/actions/", query).json()["results"]] == days


@pytest.mark.parametrize("rest", ["", "bars/", "quote/", "records/", "actions/", "restatements/"])
def test_an_unknown_symbol_is_a_typed_404_everywhere(client, three, rest):
    response = client.get(f"{PATH}nope/{rest}")
    assert (response.status_code, response.json()["code"]) == (404, "unknown_symbol")


@pytest.mark.parametrize("rest", ["", "AAA/", "AAA/bars/", "AAA/records/", "AAA/restatements/"])
def test_closed_market_data_needs_a_login(client, django_user_model, settings, three, rest):
    settings.MARKET_DATA_OPEN = False
    refused = client.get(PATH + rest)
    assert (refused.status_code, refused["Content-Type"]) == (401, "application/problem+json")
    client.force_login(django_user_model.objects.create_user("ann"))
    assert client.get(PATH + rest).status_code == 200


def test_nothing_is_written_by_a_stranger(client, three):
    assert client.post(PATH, {}).status_code in (401, 405)
