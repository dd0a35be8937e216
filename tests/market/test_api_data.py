"""What is held, and what is doubtful of it: read by everybody, acted upon by staff with the right to, and audited."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finstage import pagination
from finstage.models import User
from market import actions, bars, prices
from market.calendars import kept
from market.calendars.table import Session, Table
from market.history import listed
from market.models import Bar, CorporateAction, Coverage, QuarantinedBar, Symbol
from market.prices import Action, Named
from market.sources.pace import NoSlot
from market.sources.yahoo import ABOUT
from monitoring.models import AuditEntry
from tests.market.test_bars import bar

pytestmark = [pytest.mark.django_db, pytest.mark.db]
MONTH = [bar(day) for day in range(1, 8)]


def told(client, path: str) -> list[dict]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def other(ticker: str) -> Symbol:
    row = {"name": ticker, "exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    return Symbol.objects.create(ticker=ticker, **row)


@pytest.fixture
def person(client):
    """person(is_staff=True, may="market.change_quarantinedbar"): logged in."""

    def make(may: str = "", **fields) -> User:
        user = User.objects.create_user(f"person{User.objects.count()}", password="x", **fields)
        if may:
            user.user_permissions.add(Permission.objects.get(codename=may.partition(".")[2]))
        client.force_login(user)
        return user

    return make


@pytest.fixture
def held_back(apple) -> QuarantinedBar:
    bars.upsert(MONTH)
    bars.upsert([bar(8, open=1100.0, high=1200.0, low=1000.0, close=1100.0)])
    return QuarantinedBar.objects.get()


def test_what_is_held_is_told_by_symbol_and_interval_and_found_by_what_is_the_matter(client, held_back):
    other("ZZZT")
    bars.upsert([bar(day, ticker="ZZZT") for day in (1, 3)])
    Coverage.objects.update(unbroken_until=date(2024, 1, 1))
    a_calendar(range(1, 13))
    rows = told(client, "/api/v2/coverage/")
    assert [(row["symbol"], row["interval"], row["held"], row["quarantined"]) for row in rows] == [
        ("AAPL", "1d", 7, 1), ("ZZZT", "1d", 2, 0),
    ]  # fmt: skip
    assert (rows[0]["first"], rows[0]["last"]) == ("2024-01-01T00:00:00Z", "2024-01-07T00:00:00Z")
    assert (rows[0]["first_session"], rows[0]["last_session"]) == ("2024-01-01", "2024-01-07")
    assert [row["is_torn"] for row in rows] == [False, True]
    other("NEW")  # never counted
    bars.upsert([bar(1, ticker="NEW")])
    for state, found in (
        ("torn", ["ZZZT"]),
        ("unproven", ["NEW", "ZZZT"]),
        ("held_back", ["AAPL"]),
        ("refused", []),
        ("unloaded", ["AAPL", "NEW", "ZZZT"]),
    ):
        assert [row["symbol"] for row in told(client, f"/api/v2/coverage/?state={state}")] == found
    assert [row["symbol"] for row in told(client, "/api/v2/coverage/?sort=held")] == ["NEW", "ZZZT", "AAPL"]


def test_its_pages_follow_each_other_also_where_rows_are_equal(client, apple):
    for ticker in ("A", "B", "C"):
        bars.upsert([bar(1, ticker=other(ticker).ticker)])
    seen, path = [], "/api/v2/coverage/?sort=-held&limit=1"
    while path:
        answer = client.get(path).json()
        seen += [row["symbol"] for row in answer["results"]]
        path = answer["next"]
    assert sorted(seen) == ["A", "B", "C"]


def test_what_is_torn_is_told_page_by_page_and_no_more_is_looked_at_than_that_takes(client, apple, monkeypatch):
    monkeypatch.setattr(pagination, "AT_ONCE", 2)
    a_calendar(range(1, 13))
    for number in range(9):
        days, ticker = (1, 4) if number % 3 else (1, 2, 4), other(f"Z{number}").ticker
        bars.upsert([bar(day, ticker=ticker) for day in days])
    Coverage.objects.update(unbroken_until=date(2024, 1, 1))
    expected = [f"Z{number}" for number in range(9) if number % 3]
    seen, path = [], "/api/v2/coverage/?state=torn&limit=2"
    while path:
        page = client.get(path).json()
        seen += [row["symbol"] for row in page["results"]]
        path, before = page["next"], page["previous"]
    assert seen == expected
    assert [row["symbol"] for row in client.get(before).json()["results"]] == expected[-4:-2]
    with CaptureQueriesContext(connection) as asked:
        told(client, "/api/v2/coverage/?state=torn&limit=1")
    assert sum("next_held" in each["sql"] for each in asked) == 2


def test_what_the_next_session_has_brought_since_the_last_count_is_not_even_looked_at(client, apple):
    a_calendar(range(1, 13))
    for ticker, days in (("ZREST", (1, 2)), ("ZTORN", (1, 3))):
        other(ticker)
        bars.upsert([each for day in days for each in (bar(day, ticker=ticker), _minute(day, ticker))])
    Coverage.objects.update(unbroken_until=date(2024, 1, 1))
    found = [
        (row["symbol__ticker"], row["interval"]) for row in listed.rows(state="torn").order_by("symbol", "interval")
    ]
    assert found == [("ZTORN", "1d"), ("ZTORN", "1m")]
    assert [row["symbol"] for row in told(client, "/api/v2/coverage/?state=torn")] == ["ZTORN", "ZTORN"]


def _minute(day: int, ticker: str) -> prices.Bar:
    opened = prices.midnight(date(2024, 1, day)) + timedelta(seconds=5)  # the last session's last one
    return replace(bar(day, ticker=ticker), interval="1m", opened_at=opened, session_date=date(2024, 1, day))


def test_the_gaps_that_were_told_are_told_again_without_a_look_at_the_bars_until_one_is_written(client, apple):
    a_calendar(range(1, 13))
    bars.upsert([bar(day) for day in (1, 4)])
    path = "/api/v2/symbols/AAPL/gaps/"
    assert client.get(path).json()["sessions"] == 2
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).json()["sessions"] == 2
    assert not [each["sql"] for each in asked if "market_bar" in each["sql"]]
    bars.upsert([bar(2)])
    assert client.get(path).json()["sessions"] == 1
    a_calendar([1, *range(4, 13)])
    assert client.get(path).json()["sessions"] == 0


@pytest.mark.parametrize("query", ["state=x", "interval=1wk", "sort=x", "symbol=NOPE", "limit=0", "nope=1"])
@pytest.mark.parametrize("path", ["coverage", "quarantine", "disputes"])
def test_what_cannot_be_asked_is_refused(client, apple, path, query):
    assert client.get(f"/api/v2/{path}/?{query}").status_code in (400, 404)


def a_calendar(days: Iterable[int]) -> None:
    """XNAS is open on these days of January 2024."""
    at = {date(2024, 1, day): int(prices.midnight(date(2024, 1, day)).timestamp()) for day in days}
    sessions = [Session(day, second + 1, second + 9) for day, second in at.items()]
    kept.keep("XNAS", Table(ZoneInfo("America/New_York"), sessions, min(at), date(2024, 1, 31)))


def test_the_sessions_that_are_missing_are_told_as_far_as_the_calendar_is_kept(client, apple):
    a_calendar(range(2, 13))
    bars.upsert([bar(day) for day in (1, 2, 3, 6, 9, 12)])
    found = client.get("/api/v2/symbols/AAPL/gaps/").json()
    assert (found["known_from"], found["known_until"]) == ("2024-01-02", "2024-01-12")
    assert (found["sessions"], found["count"]) == (6, 3)
    assert found["gaps"][0] == {"first": "2024-01-10", "last": "2024-01-11", "sessions": 2}
    assert client.get("/api/v2/symbols/AAPL/gaps/?interval=5m").json()["code"] == "no_bars"
    assert client.get("/api/v2/symbols/NOPE/gaps/").status_code == 404


def test_a_bar_that_is_held_back_is_told_with_why_and_let_through_once(client, held_back, person):
    [row] = told(client, "/api/v2/quarantine/?state=waiting")
    assert (row["symbol"], row["close"], row["state"], row["released_by"]) == ("AAPL", 1100.0, "waiting", None)
    assert row["reason"]
    path = f"/api/v2/quarantine/{held_back.pk}/release"
    user = person(is_staff=True, may="market.change_quarantinedbar")
    assert client.post(path).json()["state"] == "released"
    assert Bar.objects.get(opened_at=held_back.opened_at).close == 1100.0
    assert told(client, "/api/v2/quarantine/")[0]["released_by"] == user.get_username()
    again = client.post(path)
    assert (again.status_code, again.json()["code"]) == (409, "not_waiting")
    entry = AuditEntry.objects.get(action="quarantine.release")
    assert (entry.actor, entry.target, entry.outcome["written"]) == (user, "AAPL", 1)
    client.logout()
    assert told(client, "/api/v2/quarantine/?state=released")[0]["released_by"] is None


@pytest.mark.parametrize(
    ("path", "body"),
    [("quarantine/1/release", None), ("disputes/1/decide", {"decision": "accepted"}), ("source/pause", {"minutes": 5}),
     ("source/resume", None)],
)  # fmt: skip
def test_acts_are_for_staff_and_each_for_who_has_its_right(client, apple, hold, person, path, body):
    hold("yahoo")

    def status() -> int:
        return client.post(f"/api/v2/{path}", body, "application/json").status_code

    assert status() == 401
    person()
    assert status() == 403
    person(is_staff=True)
    assert status() == (200 if path.startswith("source") else 403)
    assert AuditEntry.objects.count() == path.startswith("source")


@pytest.fixture
def disputed(apple) -> CorporateAction:
    bars.upsert(MONTH)
    named = Named(
        [Action("AAPL", "split", date(2024, 1, 4), 2.0, 2, 1)], frozenset({"split"}), date(2024, 1, 1), date(2024, 1, 7)
    )
    actions.keep(apple, named, "yahoo")
    CorporateAction.objects.update(disputed="the closes do not show it")
    return CorporateAction.objects.get()


def test_a_disputed_action_is_decided_by_who_may_and_that_is_safe_to_repeat(client, disputed, person):
    [row] = told(client, "/api/v2/disputes/?state=open")
    assert (row["kind"], row["disputed"], row["decision"]) == ("split", "the closes do not show it", None)
    person(is_staff=True, may="market.change_corporateaction")

    def decide(key: int, decision: str):
        return client.post(f"/api/v2/disputes/{key}/decide", {"decision": decision}, "application/json")

    assert decide(disputed.pk, "maybe").status_code == 400
    answer = decide(disputed.pk, "kept_out")
    assert answer.json()["decision"] == "kept_out"
    assert decide(answer.json()["id"], "kept_out").status_code == 200
    assert decide(disputed.pk, "accepted").json()["code"] == "unknown_action"
    assert told(client, "/api/v2/disputes/?state=open") == []
    assert [row["decision"] for row in told(client, "/api/v2/disputes/?state=decided")] == ["kept_out"]
    assert AuditEntry.objects.get(action="actions.decide").outcome == {"is_new": True}


def test_what_is_not_disputed_cannot_be_decided(client, disputed, person):
    CorporateAction.objects.update(disputed=None)
    person(is_staff=True, is_superuser=True)
    answer = client.post(f"/api/v2/disputes/{disputed.pk}/decide", {"decision": "accepted"}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_disputed")


def test_a_pause_stops_all_asking_until_it_is_ended(client, hold, person):
    hold("yahoo")
    person(is_staff=True)
    told = client.post("/api/v2/source/pause", {"minutes": 10}, "application/json").json()["breaker"]
    assert (told["state"], told["is_paused"], told["why"]) == ("open", True, "paused by staff")
    left = datetime.fromisoformat(told["opened_until"]) - datetime.now(UTC)
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    with pytest.raises(NoSlot, match="as people paused it"):
        ABOUT.pace().wait(longest_seconds=1)
    ABOUT.pace().succeeded()  # of a request that had left before
    told = client.post("/api/v2/source/resume").json()["breaker"]
    assert (told["state"], told["is_paused"], told["why"], told["code"]) == ("closed", False, None, None)
    ABOUT.pace().wait(longest_seconds=1)
    assert [entry.outcome for entry in AuditEntry.objects.filter(action="source.resume")] == [{"was_paused": True}]


def test_what_the_source_wants_to_be_left_alone_for_outlives_a_pause(client, hold, person):
    hold("yahoo")
    person(is_staff=True)
    ABOUT.pace().failed("rate_limited", "Yahoo: too many requests", retry_after=900)
    until = client.get("/api/v2/source/").json()["breaker"]["opened_until"]
    for _ in range(2):
        paused = client.post("/api/v2/source/pause", {"minutes": 1}, "application/json").json()["breaker"]
        assert (paused["opened_until"], paused["is_paused"]) == (until, True)
    told = client.post("/api/v2/source/resume").json()["breaker"]
    assert (told["opened_until"], told["why"], told["is_paused"]) == (until, "Yahoo: too many requests", False)
    assert client.post("/api/v2/source/resume").json()["breaker"] == told


@pytest.mark.parametrize("body", [{}, {"minutes": 0}, {"minutes": 31}, {"minutes": "x"}, {"minutes": 5, "seconds": 1}])
def test_a_pause_has_its_bounds(client, hold, person, body):
    hold("yahoo")
    person(is_staff=True)
    assert client.post("/api/v2/source/pause", body, "application/json").status_code == 400


def test_a_recording_can_not_be_paused(client, hold, person):
    hold("replay")
    person(is_staff=True)
    answer = client.post("/api/v2/source/pause", {"minutes": 5}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_pace")
