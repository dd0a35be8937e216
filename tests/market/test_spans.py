"""From and to: a date is a session's, and an instant means the exchange's own date then, not that of UTC."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from market import actions, bars, prices
from market.models import Symbol
from market.prices import Action, Bar, Named

pytestmark = [pytest.mark.django_db, pytest.mark.db]
EXCHANGES = {
    "AAPL": ("XNAS", "America/New_York", "2026-03-02T14:30:00Z"),
    "005930.KS": ("XKRX", "Asia/Seoul", "2026-03-02T00:00:00Z"),
    "FPH.NZ": ("XNZE", "Pacific/Auckland", "2026-03-01T21:00:00Z"),
    "BTC-USD": ("CCC", "UTC", "2026-03-02T00:00:00Z"),
}
DAYS = [date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3)]  # a weekend is no matter here
RECEIVED = datetime(2026, 3, 10, tzinfo=UTC)


def bar(ticker: str, interval: str, opened_at: datetime, session: date) -> Bar:
    return Bar(ticker, interval, opened_at, 10, 11, 9, 10, 1, True, "replay", RECEIVED, session_date=session)


@pytest.fixture(autouse=True)
def exchanges(db) -> None:
    """Four symbols with a bar of each day and a dividend on it, and with the hours that begin and end 2 March."""
    for ticker, (exchange, zone, opens_at) in EXCHANGES.items():
        symbol = Symbol.objects.create(ticker=ticker, name=ticker, exchange=exchange, currency="USD", time_zone=zone)
        bars.upsert(bar(ticker, "1d", prices.midnight(day), day) for day in DAYS)
        actions.keep(symbol, Named([Action(ticker, "dividend", day, 0.1) for day in DAYS]), "replay")
        first = datetime.fromisoformat(opens_at)
        bars.upsert(
            bar(ticker, "1h", first + timedelta(days=days, hours=hour), DAYS[2] + timedelta(days=days))
            for days in (-1, 0, 1)
            for hour in range(6)
        )


def days(client: Client, ticker: str, **query: str) -> list[int]:
    found = client.get(f"/api/v2/symbols/{ticker}/bars/", query).json()["results"]
    return [int(each["session_date"][-2:]) for each in found]


@pytest.mark.parametrize(
    ("ticker", "instant", "session"),
    [
        ("AAPL", "2026-03-02T03:00:00Z", 1),  # 22:00 of the day before
        ("AAPL", "2026-03-02T05:00:00Z", 2),  # midnight
        ("AAPL", "2026-03-02T04:59:59Z", 1),
        ("005930.KS", "2026-03-01T16:00:00Z", 2),  # 01:00 of the next day
        ("005930.KS", "2026-03-02T01:00:00+09:00", 2),
        ("FPH.NZ", "2026-03-01T11:00:00Z", 2),
        ("FPH.NZ", "2026-03-01T10:59:00Z", 1),
        ("BTC-USD", "2026-03-01T23:59:59Z", 1),
        ("BTC-USD", "2026-03-02T00:00:01Z", 2),
        *((ticker, "2026-03-02T00:00:00Z", 2) for ticker in EXCHANGES),  # as `opened_at` says it
        *((ticker, "2026-03-02", 2) for ticker in EXCHANGES),
    ],
)
def test_an_instant_is_the_exchanges_own_date_then_and_a_date_is_the_session(client, ticker, instant, session):
    since = [each for each in (28, 1, 2, 3) if each == 28 or each <= session]
    assert days(client, ticker, start=instant)[0] == session
    assert days(client, ticker, end=instant) == since
    found = client.get(f"/api/v2/symbols/{ticker}/actions/", {"start": instant, "end": instant}).json()["results"]
    assert [each["ex_date"] for each in found] == [f"2026-03-0{session}"]


@pytest.mark.parametrize("ticker", EXCHANGES)
def test_within_a_session_a_date_is_all_of_its_bars_and_an_instant_an_opening(client, ticker):
    assert days(client, ticker, interval="1h", start="2026-03-02", end="2026-03-02") == [2] * 6
    assert days(client, ticker, interval="1h", end="2026-03-01") == [1] * 6
    opens_at = EXCHANGES[ticker][2]
    assert days(client, ticker, interval="1h", start=opens_at) == [2] * 6 + [3] * 6
    assert days(client, ticker, interval="1h", end=opens_at) == [1] * 6 + [2]


def test_pages_go_back_through_the_sessions_of_a_date(client):
    query, found = {"interval": "1h", "start": "2026-03-02", "end": "2026-03-02", "limit": 4}, []
    path = f"/api/v2/symbols/FPH.NZ/bars/?{'&'.join(f'{name}={value}' for name, value in query.items())}"
    while path:
        body = client.get(path).json()
        found.append([each["opened_at"] for each in body["results"]])
        path = body["next"]
    assert [len(page) for page in found] == [4, 2]
    assert len(set(found[0] + found[1])) == 6


@pytest.mark.parametrize(
    ("start", "end", "status"),
    [
        ("2026-03-02T03:00:00Z", "2026-03-01", 200),  # both the first of March in New York
        ("2026-03-02T03:00:00Z", "2026-03-02T02:00:00Z", 400),
        ("2026-03-02", "2026-03-01", 400),
        ("2026-03-05T03:00:00Z", "2026-03-01", 400),
        ("2026-03-05", "2026-03-01T03:00:00Z", 400),
    ],
)
def test_what_ends_before_it_begins_wherever_one_is_is_refused(client, start, end, status):
    answer = client.get("/api/v2/symbols/AAPL/bars/", {"start": start, "end": end})
    assert answer.status_code == status
    if status == 200:
        assert [each["session_date"] for each in answer.json()["results"]] == ["2026-03-01"]
