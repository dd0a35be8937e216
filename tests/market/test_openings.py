"""A close is one until its exchange opens again, by real calendars: then it is late, and later stale."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from market import quotes
from market.calendars import hours, openings, sessions
from market.calendars.openings import Opening, Openings
from market.models import Symbol
from market.prices import DAY, SECOND, midnight
from market.quotes import freshness

FRIDAY, MONDAY = date(2026, 6, 5), date(2026, 6, 8)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}+00:00")


@pytest.fixture
def word(quote):
    """word("XNYS", made, now): how fresh a closed price is."""

    def word(mic: str, made: datetime, now: datetime, precision: str = SECOND, session: date = FRIDAY) -> str:
        close = quote("X", 100, as_of=made, received_at=made, as_of_precision=precision, session_date=session,
                      market_state="closed")  # fmt: skip
        return freshness.of(close, now, sessions.openings(mic, now).last)

    return word


@pytest.mark.parametrize(
    ("mic", "closed", "opens"),
    [
        ("XNYS", "06-05T20:00", "06-08T13:30"),
        ("XLON", "06-05T15:30", "06-08T07:00"),
        ("XKRX", "06-05T06:30", "06-08T00:00"),
        ("XHKG", "06-05T08:00", "06-08T01:30"),
    ],
)
def test_fridays_close_is_late_and_then_stale_once_monday_has_opened(word, mic, closed, opens):
    made, opened = at(closed), at(opens)
    told = {
        minutes: word(mic, made, opened + timedelta(minutes=minutes)) for minutes in (-2000, -1, 0, 30, 31, 90, 1000)
    }
    assert list(told.values()) == ["closed", "closed", "delayed", "delayed", "stale", "stale", "stale"]
    day = {minutes: word(mic, midnight(FRIDAY), opened + timedelta(minutes=minutes), DAY) for minutes in told}
    assert day == told


def test_over_a_holiday_it_stays_closed(word):
    made = at("05-22T20:00")  # the Friday before Memorial Day
    assert word("XNYS", made, at("05-25T15:00"), session=date(2026, 5, 22)) == "closed"
    assert word("XNYS", made, at("05-26T13:29"), session=date(2026, 5, 22)) == "closed"
    assert word("XNYS", made, at("05-26T15:00"), session=date(2026, 5, 22)) == "stale"


def test_a_close_of_today_is_closed_in_the_evening(word):
    assert word("XNYS", at("06-05T20:00"), at("06-05T23:00")) == "closed"
    assert word("XNYS", midnight(FRIDAY), at("06-05T23:00"), DAY) == "closed"


def test_a_price_of_the_morning_is_late_after_the_lunch_break(word):
    made = at("06-05T04:00")  # noon in Hong Kong
    told = [word("XHKG", made, at(f"06-05T{time}")) for time in ("04:30", "05:00", "05:31")]
    assert told == ["closed", "delayed", "stale"]


def test_a_currency_opens_with_its_week_and_a_coin_never(word):
    assert word("CCY", at("06-05T21:00"), at("06-06T12:00")) == "closed"
    assert word("CCY", at("06-05T21:00"), at("06-08T12:00")) == "stale"
    assert sessions.openings("CCC", at("06-08T12:00")) == Openings()


def test_an_exchange_without_a_calendar_leaves_it_closed(quote):
    assert hours.openings("no exchange", at("06-08T12:00")) is None
    assert freshness.of(quote("X", 100, market_state="closed"), at("06-08T12:00"), None) == "closed"


def test_what_was_told_stays_true_while_nobody_tells():
    told = sessions.openings("XNYS", at("06-06T12:00"))
    openings.keep("XNYS", told)
    found = [openings.latest(["XNYS"], at(now))["XNYS"] for now in ("06-06T12:00", "06-08T13:29", "06-08T13:30")]
    assert [each.last.session_date for each in found] == [FRIDAY, FRIDAY, MONDAY]
    assert [each.next and each.next.at for each in found] == [at("06-08T13:30"), at("06-08T13:30"), None]
    assert openings.latest(["XLON"], at("06-08T12:00")) == {"XLON": Openings()}
    assert openings.latest([], at("06-08T12:00")) == {}


@pytest.mark.parametrize(
    ("mic", "made", "now", "until"),
    [
        ("XNYS", "06-05T20:00", "06-06T12:00", "06-08T13:30"),  # over the weekend
        ("XNYS", "06-05T20:00", "06-08T15:00", "06-08T13:30"),  # it is open by now
        ("XNYS", "06-05T15:00", "06-05T15:01", "06-08T13:30"),  # while it trades
        ("XHKG", "06-05T04:00", "06-05T04:30", "06-05T05:00"),  # at lunch
        ("CCC", "06-05T04:00", "06-05T04:30", None),
    ],
)
def test_a_close_is_one_until_the_exchange_opens_first_after_it(quote, mic, made, now, until):
    told = quote("X", 100, as_of=at(made), session_date=FRIDAY, market_state="closed")
    assert freshness.closed_until(told, sessions.openings(mic, at(now))) == (until and at(until))
    assert freshness.closed_until(replace(told, as_of=midnight(FRIDAY), as_of_precision=DAY), None) is None


@pytest.mark.django_db
def test_the_quote_and_the_watchlist_say_that_it_is_stale(client, apple, quote):
    Symbol.objects.create(ticker="BP.L", name="BP", exchange="XLON", currency="GBP", time_zone="Europe/London")
    now = datetime.now(UTC)
    for ticker in ("AAPL", "BP.L"):
        made = now - timedelta(days=3)
        quotes.keep([quote(ticker, 100, as_of=made, received_at=made, session_date=made.date(), market_state="closed")])
    openings.keep("XNAS", Openings(Opening(now.date(), now - timedelta(hours=1))))
    told = {ticker: client.get(f"/api/v2/symbols/{ticker}/quote/").json()["freshness"] for ticker in ("AAPL", "BP.L")}
    listed = client.get("/api/v2/watchlists/default/").json()["symbols"]
    assert told == {row["symbol"]: row["quote"]["freshness"] for row in listed} == {"AAPL": "stale", "BP.L": "closed"}
