"""The doors of bars, actions and coverage read up to the market's clock: nobody reads of what is to come."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from market import actions, bars, clock, coverage, prices, quotes
from market.bars import forming, stored
from market.calendars import kept
from market.calendars.table import Session, Table
from market.coverage import held, told
from market.history import listed
from market.models import Bar, DataSource
from market.prices import Action, Named

pytestmark = [pytest.mark.django_db, pytest.mark.db]
FIRST = date(2024, 1, 8)  # a Monday
DAYS = [FIRST + timedelta(days=days) for days in range(5)]
AT = datetime(2024, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def played(apple):
    """Five sessions of AAPL, of which the fourth runs; on the third and the fifth it split."""
    DataSource.objects.create(pk=1, name="replay", reason="a test", chosen_at=AT)
    told = zip(DAYS, (100.0, 101.0, 50.0, 51.0, 25.0), strict=True)
    bars.upsert(
        prices.Bar("AAPL", "1d", prices.midnight(day), *[close] * 4, 10, True, "replay", AT) for day, close in told
    )
    bars.upsert(
        prices.Bar(
            "AAPL", "1h", prices.midnight(day) + timedelta(hours=15), *[50.0] * 4, 1, True, "replay", AT,
            session_date=day,
        )
        for day in DAYS
    )  # fmt: skip
    named = [Action("AAPL", "split", DAYS[place], 2.0, 2.0, 1.0) for place in (2, 4)]
    actions.keep(apple, Named(named, frozenset({"split"}), DAYS[0], DAYS[-1]), "replay")
    run(DAYS[3])


@pytest.fixture
def calendar() -> Callable[[Iterable[date]], None]:
    """Have XNAS open on these days alone."""

    def keep(days: Iterable[date]) -> None:
        at = {day: int(prices.midnight(day).timestamp()) for day in days}
        sessions = [Session(day, second + 1, second + 9) for day, second in at.items()]
        kept.keep("XNAS", Table(ZoneInfo("America/New_York"), sessions, min(at), max(at)))

    return keep


def run(session: date | None) -> None:
    DataSource.objects.update(session=session)


def test_bars_are_read_up_to_it_by_every_way(quote):
    assert [bar.session_date for bar in bars.history("AAPL")] == DAYS[:3]
    assert [bar.session_date for bar in bars.history("AAPL", limit=1)] == [DAYS[2]]
    assert [bar.session_date for bar in bars.history("AAPL", interval="1h")] == DAYS[:3]
    assert [bar.session_date for bar in bars.history("AAPL", as_known_at=AT)] == DAYS[:3]
    assert bars.columns("AAPL")["session_date"].tolist() == DAYS[:3]
    assert bars.of_many(["AAPL"], interval="1h")["AAPL"]["session_date"].tolist() == DAYS[:3]
    assert (bars.series("AAPL").newest.session_date, stored.newest("XNAS")) == (DAYS[2], DAYS[2])
    assert stored.settled({"AAPL": DAYS[3]}) == {}
    week = bars.history("AAPL", interval="1wk")
    assert (len(week), week[0].close, week[0].volume) == (1, 50.0, 50)


def test_the_one_that_runs_is_the_forming_bar_also_after_its_close(quote):
    told = {"is_final": True, "market_state": "closed", "open": 50.0, "received_at": AT + timedelta(hours=1)}
    close = quote("AAPL", 51.0, session_date=DAYS[3], **told)
    forming.stand([forming.daily_bar(close)])
    assert [bar.session_date for bar in bars.history("AAPL")] == DAYS[:4]
    assert bars.series("AAPL").newest.session_date == DAYS[3]
    assert bars.columns("AAPL")["session_date"].tolist() == DAYS[:3]
    run(DAYS[4])  # the next one begins: what formed is history, as it is held
    assert [bar.received_at for bar in bars.history("AAPL")][-1] == AT
    assert bars.series("AAPL").newest.received_at == AT


def test_splits_count_from_the_first_price_of_their_session_on(quote):
    assert [action.ex_date for action in actions.of("AAPL")] == [DAYS[2]]
    assert list(bars.columns("AAPL")["close"]) == [50.0, 50.5, 50.0]
    run(DAYS[4])
    assert [action.ex_date for action in actions.of("AAPL")] == [DAYS[2], DAYS[4]]
    assert list(bars.columns("AAPL")["close"]) == [50.0, 50.5, 50.0, 51.0]
    quotes.keep([quote("AAPL", 25.0, session_date=DAYS[4])], are_stored=False)
    assert actions.splits(["AAPL"])["AAPL"].at(DAYS[0]) == (0.25, 4)


def test_coverage_tells_what_has_come():
    [daily] = told.held(["AAPL"], "1d").values()
    assert (daily.held, daily.first, daily.last) == (3, prices.instant(prices.midnight(FIRST)), "2024-01-10T00:00:00Z")
    assert daily.version == coverage.latest(["AAPL"])["AAPL"]
    assert {name: each["count"] for name, each in held.latest(["AAPL"])["AAPL"].items()} == {"1d": 3, "1h": 3}
    rows = listed.told(list(listed.rows(interval="1d")))
    assert [(row["held"], row["last_session"], row["version"]) for row in rows] == [(3, DAYS[2], daily.version)]


def test_gaps_are_told_up_to_it_and_are_not_looked_for_again_while_its_session_runs(client, calendar):
    calendar(DAYS)
    Bar.objects.filter(interval="1d", session_date__in=(DAYS[1], DAYS[3])).delete()
    asked = partial(client.get, "/api/v2/symbols/AAPL/gaps/")
    for session, until, missing in ((DAYS[4], DAYS[2], 1), (DAYS[3], DAYS[2], 1), (DAYS[1], DAYS[0], 0)):
        run(session)
        told = asked().json()
        assert (told["known_until"], told["sessions"]) == (str(until), missing)
        with CaptureQueriesContext(connection) as queries:
            assert asked().json() == told
        assert not [each["sql"] for each in queries if "market_bar" in each["sql"]]
    run(FIRST)
    assert (asked().json()["known_until"], asked().json()["sessions"]) == (None, 0)
    run(None)
    assert (asked().json()["known_until"], asked().json()["sessions"]) == (str(DAYS[4]), 2)


def test_what_is_kept_is_of_a_session_and_goes_back_with_the_clock():
    versions = []
    for session, count in ((DAYS[3], 3), (DAYS[4], 4), (DAYS[1], 1), (DAYS[3], 3)):
        run(session)
        assert len(bars.columns("AAPL")["close"]) == count
        versions.append(coverage.latest(["AAPL"])["AAPL"])
    assert versions[0] == versions[3]
    assert len(set(versions)) == 3


def test_of_a_live_source_it_is_now():
    run(None)
    assert len(bars.history("AAPL")) == len(bars.columns("AAPL")["close"]) == 5
    assert told.held(["AAPL"], "1d")["AAPL"].held == 5
    assert coverage.latest(["AAPL"])["AAPL"] == told.held(["AAPL"], "1d")["AAPL"].version


def test_who_plays_reads_on_and_what_they_read_is_kept_apart():
    with clock.lifted():
        assert bars.columns("AAPL", adjusted="raw")["session_date"].tolist() == DAYS
        assert [action.ex_date for action in actions.of("AAPL")] == [DAYS[2], DAYS[4]]
    assert bars.columns("AAPL", adjusted="raw")["session_date"].tolist() == DAYS[:3]
    assert np.isfinite(bars.columns("AAPL")["close"]).all()


def test_before_the_first_session_nothing_has_come():
    run(FIRST)
    assert (bars.history("AAPL"), list(bars.columns("AAPL")["close"]), bars.series("AAPL").newest) == ([], [], None)
    assert (told.held(["AAPL"], "1d")["AAPL"].held, held.latest(["AAPL"])) == (0, {"AAPL": {}})
    assert Bar.objects.count() == 10
