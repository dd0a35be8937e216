"""GET /api/v2/exchanges/ and the job that keeps the calendars."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from market.calendars import clock, facts, hours, kept, sessions
from market.calendars.clock import Clock
from market.models import Symbol, TradingYear
from market.tasks import exchanges
from tests.market.test_api_bars import problem

pytestmark = [pytest.mark.django_db, pytest.mark.db]

PATH = "/api/v2/exchanges/"
LARGE = ["XNYS", "XKRX", "XTKS", "XLON", "XPAR", "XHKG", "XSHG", "24/7"]


@pytest.fixture
def calendars(redis) -> None:
    for exchange in ("XNYS", "XTKS", "24/7"):
        hours.keep(exchange)


def told(client, exchange: str, **query) -> dict:
    response = client.get(f"{PATH}{exchange}/", query)
    assert response.status_code == 200, response.json()
    return response.json()


@pytest.mark.parametrize("exchange", LARGE)
def test_what_is_kept_is_what_the_calendar_says(exchange):
    table, now = sessions.of(exchange, 2012), datetime.now(UTC)
    assert hours.keep(exchange) == hours.keep(exchange) == len(table.sessions)
    again = kept.tables([exchange], table.first, table.last)[exchange]
    assert (again.zone, list(again.sessions), again.first, again.last) == (
        table.zone, list(table.sessions), table.first, table.last,
    )  # fmt: skip
    assert kept.told([exchange]) == {exchange: (table.first, table.last)}
    assert facts.state(exchange, again, now) == sessions.state(exchange, now)
    assert exchange in facts.EXCHANGES


def test_half_days_holidays_and_breaks_are_told(client, calendars):
    thanksgiving = told(client, "xnys", start="2024-11-25", end="2024-11-30")
    assert [(each["session_date"], each["is_half_day"], each["opens_late"]) for each in thanksgiving["sessions"]] == [
        ("2024-11-25", False, False), ("2024-11-26", False, False), ("2024-11-27", False, False),
        ("2024-11-29", True, False),
    ]  # fmt: skip
    assert thanksgiving["holidays"] == ["2024-11-28"]
    assert thanksgiving["sessions"][-1]["closes_at"] == "2024-11-29T18:00:00Z"
    assert thanksgiving["is_whole"] is True
    tokyo = told(client, "XTKS", start="2024-07-01", end="2024-07-01")["sessions"][0]
    assert tokyo["break"] == {"starts_at": "2024-07-01T02:30:00Z", "ends_at": "2024-07-01T03:30:00Z"}
    always = told(client, "24/7", start="2024-07-06", end="2024-07-07")
    assert [each["is_half_day"] for each in always["sessions"]] == [False, False]
    assert always["next_close"] is None


def test_a_late_opening_is_told(client, redis):
    hours.keep("XKRX")
    exam = told(client, "XKRX", start="2024-11-13", end="2024-11-14")["sessions"]
    assert [(each["opens_late"], each["is_half_day"]) for each in exam] == [(False, False), (True, False)]


def test_beyond_what_is_known_is_said_and_stops_nothing(client, calendars):
    until = kept.told(["XNYS"])["XNYS"][1]
    beyond = told(client, "XNYS", start=str(until - timedelta(days=20)), end=str(until + timedelta(days=20)))
    assert beyond["is_whole"] is False
    assert beyond["known_until"] == str(until)
    assert beyond["sessions"][-1]["session_date"] <= str(until)
    assert told(client, "XNYS", start="2190-01-01", end="2190-01-03")["sessions"] == []


def test_without_a_span_it_tells_of_a_month_from_today_there(client, calendars):
    body = told(client, "XTKS")
    today = datetime.now(ZoneInfo("Asia/Tokyo")).date()
    assert body["start"] == str(today)
    assert date.fromisoformat(body["end"]) - today == timedelta(days=30)


@pytest.mark.parametrize(
    ("exchange", "query", "expected"),
    [
        ("XXXX", {}, (404, "unknown_exchange")),
        ("XNYS", {"start": "2024-02-02", "end": "2024-02-01"}, (400, "invalid_range")),
        ("XNYS", {"start": "2000-01-01", "end": "2024-02-01"}, (400, "invalid_range")),
        ("XNYS", {"start": "2024-02-02T00:00:00Z"}, (400, "invalid_start")),
        ("XNYS", {"since": "2024-02-02"}, (400, "invalid_parameters")),
    ],
)
def test_what_cannot_be_told_is_named(client, calendars, exchange, query, expected):
    status, kind, code = problem(client.get(f"{PATH}{exchange}/", query))
    assert ((status, code), kind) == (expected, "application/problem+json")


def test_the_list_has_the_kept_ones_and_where_symbols_are_at_home(client, calendars, apple):
    Symbol.objects.create(ticker="ODD", name="Odd", exchange="XODD", currency="USD", time_zone="UTC")
    clock.keep(Clock("XODD", "open", date(2012, 9, 4)))
    found = {each["exchange"]: each for each in client.get(PATH).json()["results"]}
    assert sorted(found) == sorted({"XNYS", "XTKS", "24/7", "XODD", apple.exchange})
    assert (found["XODD"]["market_state"], found["XODD"]["state_by"], found["XODD"]["known_until"]) == (
        "open",
        "feed",
        None,
    )
    assert (found["XODD"]["symbols"], found["XNYS"]["symbols"]) == (1, 0)
    assert (found["24/7"]["market_state"], found["24/7"]["state_by"]) == ("open", "calendar")
    assert found[apple.exchange]["market_state"] is None
    assert found["XTKS"]["time_zone"] == "Asia/Tokyo"


def test_a_year_that_was_never_written_ends_what_is_known(calendars):
    TradingYear.objects.filter(exchange="XNYS", year=2010).delete()
    table = kept.tables(["XNYS"], date(2008, 1, 1), date(2012, 1, 1))["XNYS"]
    assert table.last == date(2009, 12, 31)


def test_the_job_keeps_the_large_ones_and_those_of_symbols_and_an_unknown_one_fails_alone(apple):
    Symbol.objects.create(ticker="ODD", name="Odd", exchange="XODD", currency="USD", time_zone="UTC")
    result = exchanges.keep_calendars()
    assert set(result["failed"]) == {"XODD"}
    assert set(result["sessions"]) == {*facts.EXCHANGES, apple.exchange}
    assert exchanges.keep_calendars()["sessions"] == {}  # not again the same day
    TradingYear.objects.filter(exchange="XPAR").update(told_at=datetime.now(UTC) - timedelta(days=1))
    assert set(exchanges.keep_calendars()["sessions"]) == {"XPAR"}
