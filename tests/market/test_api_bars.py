"""GET /api/v2/symbols/{symbol}/bars/"""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars
import pytest

from market import bars, coverage, prices
from market.bars import wire
from market.coverage import loading
from market.models import CorporateAction, Coverage, Symbol

pytestmark = [pytest.mark.django_db, pytest.mark.db]

PATH = "/api/v2/symbols/AAPL/bars/"
FIELDS = [
    "symbol", "interval", "opened_at", "session_date", "open", "high", "low", "close", "volume", "adjustment",
    "state", "is_final", "revision", "source", "as_of", "as_of_precision", "received_at", "version",
]  # fmt: skip
FIRST = date(2012, 3, 1)


def daily(day: int, ticker: str = "AAPL", **changes) -> prices.Bar:
    """The bar of FIRST + `day`: opens at 100 + day, closes half above."""
    bar = prices.Bar(
        ticker=ticker,
        interval="1d",
        opened_at=prices.midnight(FIRST + timedelta(days=day)),
        open=100.0 + day,
        high=101.0 + day,
        low=99.0 + day,
        close=100.5 + day,
        volume=1000 + day,
        is_final=True,
        source="replay",
        received_at=datetime(2012, 6, 1, tzinfo=UTC),
    )
    return replace(bar, **changes)


@pytest.fixture
def ten_days(apple: Symbol) -> Symbol:
    bars.upsert(daily(day) for day in range(10))
    return apple


def sessions(response) -> list[str]:
    return [bar["session_date"] for bar in response.json()["results"]]


def problem(response) -> tuple[int, str, str]:
    body = response.json()
    return response.status_code, response["Content-Type"], body["code"]


def test_a_bar_has_the_contracts_fields_in_its_order(client, ten_days):
    bar = client.get(PATH, {"limit": 1}).json()["results"][0]
    assert list(bar) == FIELDS
    assert bar == {
        "symbol": "AAPL", "interval": "1d", "opened_at": "2012-03-10T00:00:00Z", "session_date": "2012-03-10",
        "open": 109.0, "high": 110.0, "low": 108.0, "close": 109.5, "volume": 1009, "adjustment": "split",
        "state": "final", "is_final": True, "revision": 0, "source": "replay", "as_of": "2012-03-10T00:00:00Z",
        "as_of_precision": "day",
        "received_at": "2012-06-01T00:00:00Z", "version": coverage.latest(["AAPL"])["AAPL"],
    }  # fmt: skip


def test_bars_come_oldest_first(client, ten_days):
    days = sessions(client.get(PATH))
    assert days == sorted(days)
    assert len(days) == 10


def test_start_and_end_are_both_included(client, ten_days):
    assert sessions(client.get(PATH, {"start": "2012-03-02", "end": "2012-03-04"})) == [
        "2012-03-02", "2012-03-03", "2012-03-04",
    ]  # fmt: skip


def test_an_end_that_is_a_date_counts_whole(client, apple):
    opened = [datetime(2012, 3, day, 15, tzinfo=UTC) for day in (1, 2, 3)]
    bars.upsert(daily(0, interval="1h", opened_at=at, session_date=at.date()) for at in opened)
    hours = client.get(PATH, {"interval": "1h", "end": "2012-03-02"}).json()["results"]
    assert [bar["opened_at"] for bar in hours] == ["2012-03-01T15:00:00Z", "2012-03-02T15:00:00Z"]


def test_following_next_gives_every_bar_once(client, ten_days):
    seen, url = [], f"{PATH}?limit=3"
    while url:
        response = client.get(url)
        seen = sessions(response) + seen
        url = response.json()["next"]
    assert seen == [f"2012-03-{day:02d}" for day in range(1, 11)]


def test_a_cursor_of_other_bars_is_refused(client, ten_days):
    url = client.get(PATH, {"limit": 3}).json()["next"]
    Symbol.objects.create(ticker="MSFT", name="", exchange="XNAS", currency="USD", time_zone="UTC")
    for other in (f"{url}&interval=1h", url.replace("AAPL", "MSFT"), url.replace("cursor=", "cursor=A")):
        assert problem(client.get(other)) == (400, "application/problem+json", "invalid_cursor")


def test_next_stays_within_the_asked_range(client, ten_days):
    first = client.get(PATH, {"start": "2012-03-03", "end": "2012-03-06", "limit": 2})
    second = client.get(first.json()["next"])
    assert sessions(second) == ["2012-03-03", "2012-03-04"]
    assert second.json()["next"] is None


def test_an_adjusted_view_restates_what_came_before_a_split(client, ten_days):
    split = {"kind": "split", "ex_date": date(2012, 3, 2), "value": 2.0}
    CorporateAction.objects.create(symbol=ten_days, source="replay", received_at=datetime.now(UTC), **split)
    first = {"end": "2012-03-01"}
    [raw] = client.get(PATH, {**first, "adjusted": "raw"}).json()["results"]
    [split] = client.get(PATH, {**first, "adjusted": "split"}).json()["results"]
    assert (raw["close"], raw["volume"], raw["adjustment"]) == (100.5, 1000, "raw")
    assert (split["close"], split["volume"], split["adjustment"]) == (50.25, 2000, "split")


@pytest.mark.parametrize("start", ["2012-03-09T09:00:00+09:00", "2012-03-09T00:00:00Z", "2012-03-09T00:00Z"])
def test_an_instant_may_be_told_in_any_offset(client, ten_days, start):
    assert sessions(client.get(PATH, {"start": start})) == ["2012-03-09", "2012-03-10"]


def test_an_offset_that_was_not_escaped_is_understood(client, ten_days):
    assert len(sessions(client.get(f"{PATH}?start=2012-03-09T09:00:00+09:00"))) == 2


@pytest.mark.parametrize("path", ["aapl", "AAPL", "aApL"])
def test_the_case_of_a_ticker_does_not_matter(client, ten_days, path):
    assert client.get(f"/api/v2/symbols/{path}/bars/").json()["results"][0]["symbol"] == "AAPL"


@pytest.mark.parametrize("ticker", ["^GSPC", "GC=F", "005930.KS", "KRW=X", "BTC-USD"])
def test_a_ticker_with_signs_works_in_a_path(client, apple, ticker):
    Symbol.objects.create(ticker=ticker, name=ticker, exchange="XXXX", currency="USD", time_zone="UTC")
    bars.upsert([daily(0, ticker)])
    encoded = ticker.replace("^", "%5E").replace("=", "%3D").lower()
    assert client.get(f"/api/v2/symbols/{encoded}/bars/").json()["results"][0]["symbol"] == ticker


def test_an_unknown_symbol_is_a_404_that_says_how_to_list_them(client, ten_days):
    response = client.get("/api/v2/symbols/XYZ1/bars/")
    assert problem(response) == (404, "application/problem+json", "unknown_symbol")
    assert "XYZ1" in response.json()["detail"]
    assert "/api/v2/symbols/" in response.json()["detail"]


@pytest.mark.parametrize(
    ("query", "code", "allowed"),
    [
        ({"interval": "3d"}, "invalid_interval", "1m, 5m, 15m, 30m, 1h, 1d, 1wk, 1mo"),
        ({"interval": ""}, "invalid_interval", "1wk"),
        ({"adjusted": "yes"}, "invalid_adjusted", "raw, split, split_dividend"),
        ({"start": "yesterday"}, "invalid_start", "2012-03-01"),
        ({"end": "2012-02-31"}, "invalid_end", "2012-03-01"),
        ({"end": "2012-03-01T10:00:00"}, "invalid_end", "offset"),
        ({"start": "2012-03-05", "end": "2012-03-01"}, "invalid_range", "must not be later"),
        ({"limit": "0"}, "invalid_limit", "1 to 10000"),
        ({"limit": "many"}, "invalid_limit", "1 to 10000"),
        ({"cursor": "x"}, "invalid_cursor", "from `next`"),
        ({"cursor": "2012-03-01T00:00:00Z"}, "invalid_cursor", "from `next`"),
        ({"end": "9999-12-31"}, "invalid_end", "1800 to 2200"),
        ({"start": "0001-01-01T00:00:00+10:00"}, "invalid_start", "2012-03-01"),
    ],
)
def test_a_refusal_names_what_why_and_what_is_allowed(client, ten_days, query, code, allowed):
    response = client.get(PATH, query)
    assert problem(response) == (400, "application/problem+json", code)
    assert allowed in response.json()["detail"]


def test_a_refusal_lists_every_wrong_parameter(client, ten_days):
    errors = client.get(PATH, {"interval": "3d", "limit": "-1"}).json()["errors"]
    assert set(errors) == {"interval", "limit"}


@pytest.mark.parametrize("ask", [{"QUERY_STRING": "format=csv"}, {"HTTP_ACCEPT": "text/csv"}])
def test_bars_can_be_had_as_csv(client, ten_days, ask):
    response = client.get(PATH, **ask)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(response.content.decode().splitlines()))
    assert list(rows[0]) == FIELDS
    assert rows[0]["close"] == "100.5"
    assert rows[0]["opened_at"] == "2012-03-01T00:00:00Z"


def test_csv_names_its_next_page_in_a_link(client, ten_days):
    link = client.get(PATH, {"format": "csv", "limit": 3})["Link"]
    url = re.fullmatch(r'<(.+)>; rel="next"', link)[1]
    assert client.get(url)["Content-Type"].startswith("text/csv")


def test_csv_without_bars_still_has_its_head(client, apple):
    assert client.get(PATH, {"format": "csv"}).content.decode() == ",".join(FIELDS) + "\r\n"


def test_an_error_is_json_even_where_csv_was_asked(client, ten_days):
    response = client.get(PATH, {"format": "csv", "interval": "3d"})
    assert problem(response) == (400, "application/problem+json", "invalid_interval")


PARQUET = "application/vnd.apache.parquet"


def values(rows: list[dict]) -> list[dict]:
    """What JSON tells of bars, as values."""
    instants = ("opened_at", "as_of", "received_at")
    dates = [{"session_date": date.fromisoformat(row["session_date"])} for row in rows]
    moments = [{name: datetime.fromisoformat(row[name]) for name in instants} for row in rows]
    return [row | day | at for row, day, at in zip(rows, dates, moments, strict=True)]


@pytest.mark.parametrize("ask", [{"QUERY_STRING": "format=parquet"}, {"HTTP_ACCEPT": PARQUET}])
def test_bars_can_be_had_as_parquet(client, ten_days, ask):
    bars.upsert([daily(11, volume=None, received_at=datetime(2012, 4, 1, 0, 0, 0, 250_000, tzinfo=UTC))])
    response = client.get(PATH, **ask)
    assert response["Content-Type"] == PARQUET
    told, page = polars.read_parquet(response.content), client.get(PATH).json()
    assert (told.columns, told.to_dicts()) == (list(FIELDS), values(page["results"]))
    assert told["volume"].to_list()[-2:] == [page["results"][-2]["volume"], None]
    facts = polars.read_parquet_metadata(io.BytesIO(response.content))
    assert (facts["currency"], facts["time_zone"], facts["next"]) == ("USD", "America/New_York", "")
    assert json.loads(facts["coverage"]) == page["coverage"]


def test_parquet_without_bars_has_the_columns_and_their_kinds_too(client, ten_days):
    empty = polars.read_parquet(client.get(PATH, {"format": "parquet", "end": "2000-01-03"}).content)
    assert empty.schema == polars.read_parquet(client.get(PATH, {"format": "parquet"}).content).schema
    assert (len(empty), empty.schema["open"], empty.schema["volume"]) == (0, polars.Float64, polars.Int64)


def test_parquet_names_its_next_page_in_its_facts_and_its_problems_as_json(client, ten_days):
    found = client.get(PATH, {"format": "parquet", "limit": 3})
    following = polars.read_parquet_metadata(io.BytesIO(found.content))["next"]
    assert polars.read_parquet(client.get(following).content)["session_date"].max() < date(2012, 3, 10)
    assert client.get(PATH, {"format": "parquet"}, HTTP_IF_NONE_MATCH=client.get(PATH)["ETag"]).status_code == 200
    response = client.get(PATH, {"format": "parquet", "interval": "3d"})
    assert problem(response) == (400, "application/problem+json", "invalid_interval")


@pytest.mark.parametrize("path", [PATH, "/api/v2/symbols/"])
def test_a_format_that_is_none_is_refused_with_those_there_are(client, ten_days, path):
    response = client.get(path, {"format": "xlsx" if path == PATH else "parquet"})
    assert problem(response) == (406, "application/problem+json", "unknown_format")
    more = f", parquet ({PARQUET})" if path == PATH else ""
    assert f"json (application/json), csv (text/csv){more}." in response.json()["detail"]


def test_an_answer_says_what_we_hold(client, ten_days):
    loading.complete(ten_days, date(2012, 3, 1), since=date(2012, 3, 1), until=None)
    bars.upsert([daily(10, low=500.0)])
    Coverage.objects.update(unbroken_until=date(2012, 3, 2), quarantined=2)
    assert client.get(PATH, {"limit": 1}).json()["coverage"] == {
        "interval": "1d", "first": "2012-03-01T00:00:00Z", "last": "2012-03-10T00:00:00Z",
        "unbroken_until": "2012-03-02", "held": 10, "refused": 1, "quarantined": 2, "complete": True, "reason": None,
    }  # fmt: skip


NOTHING = {
    "interval": "1d",
    "first": None,
    "last": None,
    "unbroken_until": None,
    "held": 0,
    "refused": 0,
    "quarantined": 0,
}


def test_an_answer_without_bars_says_why(client, apple):
    def told(**query: str) -> dict:
        body = client.get(PATH, query).json()
        assert body["results"] == []
        return body["coverage"]

    assert told() == {**NOTHING, "complete": False, "reason": "not_loaded_yet"}
    loading.complete(apple, date(2000, 1, 1), since=date(2000, 1, 1), until=None)
    assert told() == {**NOTHING, "complete": True, "reason": "source_has_none"}
    bars.upsert([daily(0)])
    assert told(end="2011-01-01")["reason"] == "not_in_range"
    assert told(interval="5m") == {**NOTHING, "interval": "5m", "complete": False, "reason": "interval_not_held"}


def test_a_table_has_the_coverage_in_a_header(client, ten_days):
    table = client.get(PATH, {"format": "csv"})
    assert table["Coverage"] == (
        'interval="1d", first="2012-03-01T00:00:00Z", last="2012-03-10T00:00:00Z", '
        "held=10, refused=0, quarantined=0, complete=?0"
    )
    assert (len(table.content.splitlines()), "Coverage" in client.get(PATH)) == (11, False)


def test_what_was_refused_since_makes_another_answer(client, ten_days):
    tag = client.get(PATH)["ETag"]
    assert client.get(PATH, headers={"if-none-match": tag}).status_code == 304
    bars.upsert([daily(10, low=500.0)])
    answer = client.get(PATH, headers={"if-none-match": tag})
    assert (answer.status_code, answer.json()["coverage"]["refused"]) == (200, 1)


def test_what_is_written_while_an_answer_is_made_is_in_its_coverage_too(client, ten_days, monkeypatch):
    read = wire.page
    monkeypatch.setattr(wire, "page", lambda *asked: (bars.upsert([daily(10)]), read(*asked))[1])
    body = client.get(PATH).json()
    assert (len(body["results"]), body["coverage"]["held"]) == (11, 11)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("AAPPL", "AAPL"),
        ("BRKB", "BRK-B"),
        ("005930", "005930.KS"),
        ("APPLE", "AAPL"),
        ("ZZZZZ", None),
        ("\u00df", None),
    ],
)
def test_who_names_none_is_told_what_is_near(client, apple, written, meant):
    facts = {"exchange": "XNYS", "currency": "USD", "time_zone": "UTC"}
    Symbol.objects.create(ticker="BRK-B", name="Berkshire Hathaway", **facts)
    Symbol.objects.create(ticker="005930.KS", name="Samsung Electronics", **facts)
    detail = client.get(f"/api/v2/symbols/{written}/bars/").json()["detail"]
    assert detail.partition("Did you mean ")[2] == (f"{meant}?" if meant else "")
    assert client.get("/api/v2/symbols/brk.b/bars/").status_code == 200
