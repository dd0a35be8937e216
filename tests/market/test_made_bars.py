"""Weeks and months, made of days whenever they are read: over the API, as values and as columns."""

import csv
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from market import actions, bars, coverage, prices
from market.bars import forming, wire
from market.calendars import clock, kept, sessions
from market.calendars.table import Table
from market.coverage import loading
from market.models import Symbol
from market.prices import Action, Bar, Named

pytestmark = [pytest.mark.django_db, pytest.mark.db]

PATH = "/api/v2/symbols/AAPL/bars/"
RECEIVED = datetime(2012, 6, 1, tzinfo=UTC)
FIRST, LAST = date(2012, 2, 27), date(2012, 3, 30)  # five weeks of all of their sessions; February has four more


def day(number: int, session: date, ticker: str = "AAPL", **changes: object) -> Bar:
    """The bar of a session, by how many there were before it: opens at 100 + number, closes half above."""
    first = 100.0 + number
    values = {"open": first, "high": first + 1, "low": first - 1, "close": first + 0.5, "volume": 1000 + number}
    values |= {"is_final": True, "source": "replay", "received_at": RECEIVED + timedelta(minutes=number)}
    return Bar(ticker, "1d", prices.midnight(session), **values | changes)


@pytest.fixture
def calendar(db) -> Table:
    """New York's of 2012, as a job keeps it."""
    whole = sessions.of("XNAS", 2012)
    inside = [session for session in whole.sessions if session.date.year == 2012]
    table = Table(whole.zone, inside, date(2012, 1, 1), date(2012, 12, 31))
    kept.keep("XNAS", table)
    return table


@pytest.fixture
def month(apple: Symbol, calendar: Table) -> list[Bar]:
    """The sessions from FIRST to LAST."""
    days = [session.date for session in calendar.between(FIRST, LAST)]
    found = [day(number, session) for number, session in enumerate(days)]
    bars.upsert(found)
    return found


def told(client: Client, **query: object) -> list[dict]:
    return client.get(PATH, {"interval": "1wk", **query}).json()["results"]


def test_a_week_is_what_its_days_were(client, month):
    weeks = told(client)
    assert [week["opened_at"][:10] for week in weeks] == [
        f"2012-{day}" for day in ("02-27", "03-05", "03-12", "03-19", "03-26")
    ]
    assert weeks[0] == {
        "symbol": "AAPL", "interval": "1wk", "opened_at": "2012-02-27T00:00:00Z", "session_date": "2012-02-27",
        "open": 100.0, "high": 105.0, "low": 99.0, "close": 104.5, "volume": 5010, "adjustment": "split",
        "state": "final", "is_final": True, "revision": 0, "source": "replay", "as_of": "2012-02-27T00:00:00Z",
        "as_of_precision": "day", "received_at": "2012-06-01T00:04:00Z",
        "version": coverage.latest(["AAPL"])["AAPL"],
    }  # fmt: skip


def test_a_month_begins_with_its_first_and_lacks_what_was_not_loaded(client, month):
    february, march = told(client, interval="1mo")
    assert (february["session_date"], february["open"], february["close"]) == ("2012-02-01", 100.0, 102.5)
    assert (march["session_date"], march["open"], march["close"]) == ("2012-03-01", 103.0, 124.5)
    assert (february["state"], march["state"]) == ("closed", "final")


def test_what_a_symbol_begins_with_is_whole_once_all_is_loaded(client, apple, month):
    loading.complete(apple, FIRST, since=FIRST, until=LAST)
    assert [bar["state"] for bar in told(client, interval="1mo")] == ["closed", "final"]  # nobody asked for more of it
    loading.complete(apple, date(2012, 2, 1), since=FIRST, until=LAST)
    assert [bar["state"] for bar in told(client, interval="1mo")] == ["final", "final"]


def test_the_coverage_is_that_of_the_days(client, month):
    answer = client.get(PATH, {"interval": "1wk"}).json()["coverage"]
    assert answer == client.get(PATH).json()["coverage"]
    assert (answer["interval"], answer["first"][:10], answer["held"]) == ("1d", str(FIRST), len(month))


def test_a_table_has_the_same_weeks(client, month):
    table = client.get(PATH, {"interval": "1wk", "format": "csv"})
    rows = list(csv.DictReader(table.content.decode().splitlines()))
    assert [float(row["close"]) for row in rows] == [week["close"] for week in told(client)]
    assert 'interval="1d"' in table["Coverage"]


def test_following_next_gives_every_week_once(client, month):
    seen, url = [], f"{PATH}?interval=1wk&limit=2"
    while url:
        answer = client.get(url).json()
        seen, url = answer["results"] + seen, answer["next"]
    assert seen == told(client)


@pytest.mark.parametrize(
    ("start", "end", "weeks"),
    [
        ("2012-03-07", "2012-03-13", ["03-05", "03-12"]),
        ("2012-03-11", "2012-03-12", ["03-05", "03-12"]),  # a Sunday
        ("2012-03-12", "2012-03-18", ["03-12"]),
        ("2012-03-29T20:00:00-04:00", None, ["03-26"]),
    ],
)
def test_a_week_is_asked_for_by_any_of_its_days_and_is_never_cut(client, month, start, end, weeks):
    asked = {name: value for name, value in (("start", start), ("end", end)) if value}
    found = told(client, **asked)
    assert [week["session_date"][5:] for week in found] == weeks
    assert found == [week for week in told(client) if week["session_date"][5:] in weeks]


def test_a_split_within_a_week_divides_the_days_before_it(client, apple, month):
    actions.keep(apple, Named([Action("AAPL", "split", date(2012, 3, 7), 2.0)]), "replay")
    raw, split = (told(client, start="2012-03-05", end="2012-03-05", adjusted=view)[0] for view in ("raw", "split"))
    assert (raw["open"], raw["high"], raw["low"], raw["close"], raw["volume"]) == (105.0, 110.0, 104.0, 109.5, 5035)
    assert (split["open"], split["high"], split["low"], split["close"]) == (52.5, 110.0, 52.0, 109.5)
    assert split["volume"] == 2 * (1005 + 1006) + 1007 + 1008 + 1009


@pytest.mark.parametrize("adjusted", ["raw", "split", "split_dividend"])
@pytest.mark.parametrize("interval", ["1wk", "1mo"])
def test_each_view_is_made_of_the_days_of_that_view(client, apple, month, adjusted, interval):
    named = [Action("AAPL", "split", date(2012, 3, 7), 3.0), Action("AAPL", "dividend", date(2012, 3, 14), 7.0)]
    actions.keep(apple, Named(named), "replay")
    days = client.get(PATH, {"adjusted": adjusted}).json()["results"]
    for bar in told(client, interval=interval, adjusted=adjusted):
        of = [each for each in days if opens(each["session_date"], interval) == bar["session_date"]]
        assert (bar["open"], bar["close"]) == (of[0]["open"], of[-1]["close"])
        assert (bar["high"], bar["low"]) == (max(each["high"] for each in of), min(each["low"] for each in of))
        assert bar["volume"] == sum(each["volume"] for each in of)


def opens(session: str, interval: str) -> str:
    at = date.fromisoformat(session)
    return str(at - timedelta(days=at.weekday()) if interval == "1wk" else at.replace(day=1))


def test_a_volume_that_one_day_does_not_tell_is_not_known(client, month):
    days = [day(24 + each, date(2012, 4, 2 + each)) for each in range(4)]
    bars.upsert([days[0], replace(days[1], volume=None), *days[2:], day(28, date(2012, 4, 9))])
    assert [week["volume"] is None for week in told(client)][-3:] == [False, True, False]
    assert told(client, end="2012-04-06")[-1]["volume"] is None


def test_a_corrected_day_makes_another_week_with_another_version(client, month):
    before = told(client)[1]
    bars.upsert([replace(month[6], high=500.0, received_at=RECEIVED + timedelta(days=1))])
    after = told(client)[1]
    assert (before["high"], before["revision"]) == (110.0, 0)
    assert (after["high"], after["revision"], after["received_at"]) == (500.0, 1, "2012-06-02T00:00:00Z")
    assert before["version"] != after["version"] == coverage.latest(["AAPL"])["AAPL"]


def test_a_week_is_told_as_it_was_known(client, month):
    bars.upsert([replace(month[6], high=500.0, received_at=RECEIVED + timedelta(days=1))])
    known = told(client, as_known_at="2012-06-01T12:00:00Z")
    assert (known[1]["high"], known[1]["revision"]) == (110.0, 0)
    assert told(client, as_known_at="2012-06-01T00:06:30Z")[-1]["close"] == month[6].close


NEXT = date(2012, 4, 2)


def moves(close: float, session: date = NEXT) -> None:
    live = day(24, session, close=close, high=max(close, 125.0), is_final=False, state="forming", volume=5)
    forming.keep([replace(live, received_at=RECEIVED + timedelta(days=2))])


def test_the_forming_day_makes_the_week_and_the_month_form(client, month):
    moves(130.0)
    for interval in ("1wk", "1mo"):
        *_, before, newest = told(client, interval=interval)
        assert (before["state"], newest["state"], newest["is_final"]) == ("final", "forming", False)
        assert (newest["open"], newest["high"], newest["close"], newest["volume"]) == (124.0, 130.0, 130.0, 5)
        assert newest["session_date"] == ("2012-04-02" if interval == "1wk" else "2012-04-01")
    moves(121.0)
    assert told(client)[-1]["close"] == 121.0


def test_the_forming_day_is_the_last_of_a_week_that_has_others(client, month):
    bars.upsert([day(24, NEXT)])
    assert told(client)[-1]["state"] == "forming"
    moves(131.0, date(2012, 4, 3))
    newest = told(client)[-1]
    assert (newest["session_date"], newest["open"], newest["close"]) == ("2012-04-02", 124.0, 131.0)
    assert (newest["volume"], newest["state"]) == (1024 + 5, "forming")
    assert len(told(client)) == 6
    assert len(told(client, limit=2)) == 2
    assert told(client, end="2012-04-01") == told(client)[:-1]


def test_a_closed_day_makes_its_week_closed_until_it_settles(client, month):
    friday = date(2012, 3, 30)
    later = RECEIVED + timedelta(days=1)
    found = replace(day(24, date(2012, 4, 6)), is_final=False, state="closed", received_at=later)
    assert told(client)[-1]["state"] == "final"
    week = [day(24 + each, NEXT + timedelta(days=each)) for each in range(3)]
    bars.upsert([*week, replace(found, opened_at=prices.midnight(date(2012, 4, 5)), session_date=date(2012, 4, 5))])
    assert friday == month[-1].session_date
    assert told(client)[-1]["state"] == "closed"  # Good Friday has no session
    bars.upsert([day(27, date(2012, 4, 5), received_at=later + timedelta(hours=1))])
    assert told(client)[-1]["state"] == "final"


def test_a_week_that_lacks_a_session_stays_closed(client, apple, calendar):
    days = [session.date for session in calendar.between(FIRST, LAST)]
    bars.upsert(day(number, session) for number, session in enumerate(days) if session != date(2012, 3, 14))
    assert [week["state"] for week in told(client)] == ["final", "final", "closed", "final", "final"]


def test_without_a_calendar_a_week_is_over_once_the_market_has_come_to_another(client, apple):
    bars.upsert([day(0, date(2012, 3, 1)), day(1, date(2012, 3, 5))])
    assert [week["state"] for week in told(client)] == ["final", "forming"]
    clock.keep(clock.Clock("XNAS", "open", date(2012, 3, 12)))
    assert [week["state"] for week in told(client)] == ["final", "final"]


def test_a_week_by_itself_is_over_as_it_is_among_others_where_a_later_session_is_told(client, apple):
    bars.upsert([day(0, date(2012, 3, 1)), day(1, date(2012, 3, 2))])
    clock.keep(clock.Clock("XNAS", "open", date(2012, 3, 2)))
    alone, asked = {"end": "2012-03-02"}, {"start": date(2012, 2, 27), "end": date(2012, 3, 2)}
    tag = client.get(PATH, {"interval": "1wk", **alone})["ETag"]
    assert [week["state"] for week in told(client, **alone)] == ["forming"]
    forming.keep([day(2, date(2012, 3, 5), is_final=False, state="forming")])
    assert [week["state"] for week in told(client)] == ["final", "forming"]
    assert [week["state"] for week in told(client, **alone)] == ["final"]
    assert client.get(PATH, {"interval": "1wk", **alone})["ETag"] != tag
    assert [week.state for week in bars.history("AAPL", interval="1wk", **asked)] == ["final"]
    assert len(bars.series("AAPL", interval="1wk").columns["close"]) == 1


def test_a_page_of_the_past_says_the_same_of_its_newest_week_as_a_later_one(client, apple):
    bars.upsert([day(0, date(2012, 3, 1)), day(1, date(2012, 3, 6)), day(2, date(2012, 3, 14))])
    whole = told(client)
    assert [week["state"] for week in whole] == ["final", "final", "forming"]
    assert told(client, end="2012-03-11") == whole[:2]
    assert bars.history("AAPL", interval="1wk", end=date(2012, 3, 11))[-1].state == "final"


def again(client: Client, tag: str) -> int:
    return client.get(PATH, {"interval": "1wk"}, headers={"If-None-Match": tag}).status_code


@pytest.mark.parametrize(
    "change",
    [
        lambda: bars.upsert([day(24, NEXT)]),
        lambda: moves(131.0),
        lambda: clock.keep(clock.Clock("XNAS", "open", NEXT)),
        lambda: kept.keep("XNAS", sessions.of("XNAS", 2012)),
    ],
    ids=["another day", "the forming day moves", "the market opens", "the calendar is told anew"],
)
def test_what_makes_another_week_makes_another_tag(client, month, change):
    tag = client.get(PATH, {"interval": "1wk"})["ETag"]
    assert again(client, tag) == 304
    change()
    assert again(client, tag) == 200


def test_a_calendar_that_is_corrected_counts_though_no_bar_changed(client, apple, calendar):
    days = [session.date for session in calendar.between(FIRST, LAST)]
    shut = date(2012, 3, 14)
    bars.upsert(day(number, session) for number, session in enumerate(days) if session != shut)
    assert told(client)[2]["state"] == "closed"
    kept.keep("XNAS", replace(calendar, sessions=[each for each in calendar.sessions if each.date != shut]))
    assert told(client)[2]["state"] == "final"


def test_a_page_that_was_made_is_kept_while_its_version_is_true(client, month, django_assert_num_queries):
    told(client)
    with django_assert_num_queries(4):  # the symbol, what is held of it, where it is at home, its calendar
        told(client)
    wire.store.clear()
    with django_assert_num_queries(7):  # and its splits, the days, and the version again
        told(client)


def test_many_symbols_have_their_weeks_at_once(client, month, django_assert_max_num_queries):
    Symbol.objects.create(ticker="MSFT", name="", exchange="XNAS", currency="USD", time_zone="America/New_York")
    bars.upsert(replace(each, ticker="MSFT") for each in month[:10])
    for interval in ("1wk", "1mo"):
        answer = client.get("/api/v2/bars/", {"symbols": "AAPL,MSFT", "interval": interval, "limit": 2}).json()
        apple, microsoft = answer["results"]
        assert apple["bars"] == told(client, interval=interval, limit=2)
        assert microsoft["bars"][-1]["close"] == month[9].close
        assert (apple["coverage"]["interval"], apple["coverage"]["held"]) == ("1d", len(month))
    following = client.get(apple["next"] or f"{PATH}?interval=1mo&limit=1").json()
    assert following["coverage"]["interval"] == "1d"


def test_a_symbol_without_days_has_no_weeks_and_says_why(client, apple):
    answer = client.get(PATH, {"interval": "1wk"}).json()
    assert (answer["results"], answer["coverage"]["reason"]) == ([], "not_loaded_yet")


@pytest.mark.parametrize("path", [PATH, "/api/v2/bars/?symbols=AAPL"])
def test_another_interval_is_refused_with_those_that_there_are(client, month, path):
    answer = client.get(path, {"symbols": "AAPL", "interval": "2wk"} if "?" in path else {"interval": "2wk"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_interval")
    assert "1m, 5m, 15m, 30m, 1h, 1d, 1wk, 1mo" in answer.json()["detail"]


def test_weeks_as_values_and_as_columns_are_those_of_the_page(client, month):
    moves(130.0)
    page = told(client)
    found = bars.history("AAPL", interval="1wk")
    assert [wire.bar_fields(bar, page[0]["version"]) for bar in found] == page
    assert bars.history("AAPL", interval="1wk", limit=2) == found[-2:]
    assert bars.history("AAPL", interval="1wk", start=date(2012, 3, 7), end=date(2012, 3, 7)) == found[1:2]
    series = bars.series("AAPL", interval="1wk")
    assert (series.newest, series.version) == (found[-1], page[0]["version"])
    assert series.columns["close"].tolist() == [bar.close for bar in found[:-1]]
    assert bars.columns("AAPL", interval="1wk")["volume"].tolist() == [bar.volume for bar in found[:-1]]


def test_indicators_of_weeks_stand_upon_weeks(client, month):
    path = "/api/v2/technical-analysis/indicators/AAPL"
    answer = client.get(path, {"interval": "1wk", "period": "max", "indicators": "sma_2"}).json()
    assert answer["times"] == [week["opened_at"] for week in told(client)]
    assert answer["as_of"] == "2012-03-26T00:00:00Z"


def five(number: int) -> Bar:
    """The five minutes of a morning, by how many there were before them."""
    opened_at = datetime(2012, 3, 1, 14, 30, tzinfo=UTC) + timedelta(minutes=5 * number)
    return replace(day(number, date(2012, 3, 1)), interval="5m", opened_at=opened_at)


def test_quarters_are_made_of_fives_and_one_that_lacks_some_is_made_of_the_others(client, apple, calendar):
    bars.upsert(five(number) for number in range(8) if number != 4)
    found = told(client, interval="15m")
    assert [each["opened_at"][11:16] for each in found] == ["14:30", "14:45", "15:00"]
    assert [(each["open"], each["close"], each["volume"]) for each in found] == [
        (100.0, 102.5, 3003), (103.0, 105.5, 2008), (106.0, 107.5, 2013),
    ]  # fmt: skip
    assert [each["state"] for each in found] == ["final", "final", "forming"]
    assert [each["as_of_precision"] for each in found] == ["second"] * 3
    bars.upsert([five(8)])
    assert told(client, interval="15m")[-1]["state"] == "final"


def test_half_hours_are_asked_for_by_their_openings_where_an_instant_is_said(client, apple, calendar):
    bars.upsert(five(number) for number in range(24))
    whole = told(client, interval="30m")
    assert [each["opened_at"][11:16] for each in whole] == ["14:30", "15:00", "15:30", "16:00"]
    asked = {"start": "2012-03-01T14:31:00Z", "end": "2012-03-01T15:30:00Z", "interval": "30m"}
    assert told(client, **asked) == whole[1:3]
    assert told(client, interval="30m", start="2012-03-01", end="2012-03-01") == whole
    assert told(client, interval="30m", end="2012-02-29") == []
    assert told(client, interval="30m", limit=2) == whole[2:]
    page = client.get(PATH, {"interval": "30m", "limit": 3}).json()
    assert client.get(page["next"]).json()["results"] + page["results"] == whole
