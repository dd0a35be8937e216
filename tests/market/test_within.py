"""Bars within sessions: window by window, from where a loading ended, whatever became of one window or one asker."""

import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from market import bars, watchlists
from market.calendars import hours, sessions
from market.coverage import loading
from market.history import gaps, within
from market.history.within import made
from market.models import Bar, Coverage, Symbol
from market.prices import Bar as Told
from market.sources import ProviderError
from market.sources.contract import Reach
from monitoring import jobs
from monitoring.jobs.errors import Cancelled
from monitoring.models import Job
from tests.market.test_yahoo_reach import chart

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.db]
MINUTES = Reach(back=timedelta(days=30), longest=timedelta(days=7))
TODAY = datetime.now(UTC).date()
DAYS = sessions.between("XNAS", TODAY - timedelta(days=27), TODAY - timedelta(days=1))


@dataclass
class Shelf:
    """What a source has, a few minutes of each session, the windows that it was asked for, and what becomes of them."""

    faults: dict[int, BaseException] = field(default_factory=dict)  # by how many windows were asked for before
    asked: list[date] = field(default_factory=list)
    days: list[date] = field(default_factory=lambda: DAYS)
    state: str = "final"

    def __call__(self, symbol: Symbol, interval: str, start: datetime, end: datetime) -> list[Told]:
        self.asked.append(start.date())
        if fault := self.faults.get(len(self.asked) - 1):
            raise fault
        return [
            self.bar(day, at)
            for day in self.days
            for at in (sessions.hours("XNAS", day)[0] + timedelta(minutes=number) for number in range(3))
            if start <= at < end
        ]

    def bar(self, day: date, at: datetime) -> Told:
        state = self.state if self.days[-1:] == [day] else "final"
        received = datetime.now(UTC)
        return Told("AAPL", "1m", at, 10.0, 11.0, 9.0, 10.0, 5, state == "final", "yahoo", received, session_date=day,
                    state=state)  # fmt: skip


@pytest.fixture
def loaded(apple) -> Symbol:
    """Its days are loaded, as they are before its minutes."""
    loading.complete(apple, date(2000, 1, 1), since=date(2000, 1, 1), until=None)
    return apple


def fill(symbol: Symbol, shelf, **how: bool):
    return within.fill(symbol, "1m", shelf, MINUTES, "yahoo", **how)


def held() -> int:
    return Bar.objects.filter(interval="1m", state="final").count()


def away(**how: bool) -> ProviderError:
    return ProviderError("Yahoo has trouble (500)", **{"temporary": True, **how})


def test_a_loading_that_was_ended_goes_on_behind_what_it_stored(loaded):
    first = Shelf(faults={3: Cancelled()})
    with pytest.raises(Cancelled):
        fill(loaded, first)
    row, stored = loading.row(loaded, "1m"), held()
    assert (0 < stored < 3 * len(DAYS), row.complete_since) == (True, None)
    again = Shelf()
    assert fill(loaded, again).bars.inserted == 3 * len(DAYS) - stored
    assert (held(), len(first.asked)) == (3 * len(DAYS), 4)
    assert first.asked[1] < again.asked[0] < first.asked[3]
    assert loading.row(loaded, "1m").unbroken_until == DAYS[-1]


def test_a_window_that_fails_does_so_alone_and_is_asked_for_again(loaded):
    with pytest.raises(within.NotWhole, match=r"AAPL 1m: 1 of 5 windows did not come, \d+ new bars .* trouble") as told:
        fill(loaded, shelf := Shelf(faults={1: away()}))
    assert (told.value.temporary, len(shelf.asked), loading.row(loaded, "1m").complete_since) == (True, 5, None)
    assert 0 < held() < 3 * len(DAYS)
    again = Shelf()
    fill(loaded, again)
    assert (held(), again.asked[0] < shelf.asked[1]) == (3 * len(DAYS), True)


def test_a_window_that_fails_later_is_asked_for_again_though_others_came(loaded):
    """What was loaded whole has a mark of its own, which must not pass it."""
    fill(loaded, Shelf(days=DAYS[:3]))
    with pytest.raises(within.NotWhole):
        fill(loaded, shelf := Shelf(faults={1: away()}))
    assert len(shelf.asked) > 2
    fill(loaded, Shelf())
    assert held() == 3 * len(DAYS)


def test_two_that_fail_in_a_row_are_the_sources_and_it_is_asked_no_more(loaded):
    faults = {number: away() for number in range(1, 5)}
    with pytest.raises(within.NotWhole):
        fill(loaded, shelf := Shelf(faults=faults))
    assert len(shelf.asked) == 3
    with pytest.raises(ProviderError):
        fill(loaded, shelf := Shelf(faults={0: away(), 1: away()}))
    assert len(shelf.asked) == 2


def test_a_hole_that_lies_beyond_the_reach_is_not_asked_for_each_night(loaded):
    past = sessions.between("XNAS", date(2024, 1, 2), date(2024, 1, 10))
    fill(loaded, shelf := Shelf())
    bars.upsert(shelf.bar(day, sessions.hours("XNAS", day)[0]) for day in past if day != past[2])
    gaps.recount(loaded)
    Coverage.objects.update(holes_asked_at=None)
    fill(loaded, whole := Shelf())
    fill(loaded, newest := Shelf())
    assert loading.row(loaded, "1m").unbroken_until == past[1]
    assert (len(whole.asked), len(newest.asked)) == (5, 1)


def test_windows_before_the_first_trade_or_of_a_suspension_have_nothing_and_have_not_failed(loaded):
    none = {number: away(code="no_data", temporary=False) for number in (0, 1, 2)}
    assert fill(loaded, Shelf(faults=none)).bars.inserted > 0
    assert loading.row(loaded, "1m").complete_since is not None
    with pytest.raises(ProviderError, match="trouble") as told:
        fill(loaded, Shelf(faults={0: none[0]}))
    assert told.value.code == "no_data"


def test_the_bar_that_still_moves_is_not_stored_and_comes_once_it_has_settled(loaded):
    assert fill(loaded, Shelf(state="forming")).bars.refused == ()
    assert held() == Bar.objects.count() == 3 * (len(DAYS) - 1)
    fill(loaded, Shelf())
    assert held() == 3 * len(DAYS)


def test_of_four_that_ask_at_once_one_asks_the_source_and_it_is_stored_once(loaded):
    shelf, came = Shelf(), []

    def slowly(*asked):
        time.sleep(0.3)
        return shelf(*asked)

    def load() -> None:
        came.append(fill(loaded, slowly))
        connections.close_all()

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(shelf.asked), came.count(None), held()) == (5, 3, 3 * len(DAYS))


def test_what_has_no_days_yet_is_told_so_and_nothing_is_asked_for(apple):
    with pytest.raises(within.DaysFirst, match="days of AAPL"):
        fill(apple, shelf := Shelf())
    assert shelf.asked == []


def chunks() -> list[dict]:
    found = [job.arguments for job in Job.objects.filter(name="market.intraday_chunk")]
    return sorted(found, key=lambda each: each["interval"])


def test_each_night_all_are_asked_for_and_minutes_of_those_on_a_watchlist_alone(loaded, hold):
    hold("yahoo")
    facts = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    ibm, _ = (Symbol.objects.create(ticker=ticker, name=ticker, **facts) for ticker in ("IBM", "NEW"))
    loading.complete(ibm, date(2000, 1, 1), since=date(2000, 1, 1), until=None)
    reader = get_user_model().objects.create_user("reader")
    watchlists.make(reader.pk, "mine", [ibm])
    told = jobs.everything()["market.intraday"]()
    assert (told["symbols"], len(told["chunks"])) == ({"1m": 1, "5m": 2, "1h": 2}, 3)
    assert [(each["interval"], each["symbols"]) for each in chunks()] == [
        ("1h", ["AAPL", "IBM"]), ("1m", ["IBM"]), ("5m", ["AAPL", "IBM"]),
    ]  # fmt: skip
    Job.objects.all().delete()
    jobs.everything()["market.intraday"](["aapl"], "1m", True)
    assert chunks() == [{"symbols": ["AAPL"], "interval": "1m", "fill_holes": True}]


def test_a_source_that_tells_days_alone_is_asked_for_nothing_which_the_job_says(loaded, hold):
    hold("replay")
    told = jobs.everything()["market.intraday"]()
    assert (told["symbols"], told["chunks"]) == ({}, [])
    assert told["why"] == "Replay has no bars of 1m, 5m, 1h."
    with pytest.raises(ProviderError, match=r"Replay has no bars of 5m\."):  # which somebody wants
        jobs.everything()["market.intraday"](["AAPL"], "5m")


def test_where_no_days_are_loaded_yet_it_says_what_comes_first(apple, hold):
    hold("yahoo")
    assert "its days are loaded first" in jobs.everything()["market.intraday"]()["why"]


def test_a_chunk_loads_what_it_can_and_says_why_the_others_did_not_come(loaded, wire, hold):
    hold("yahoo")
    wire.charts["AAPL"] = chart("AAPL", "1h", 3600, TODAY - timedelta(days=20))
    told = jobs.everything()["market.intraday_chunk"](["AAPL", "NOPE"], "1h")
    assert (list(told["done"]), list(told["failed"])) == (["AAPL"], ["NOPE"])
    assert told["done"]["AAPL"]["inserted"] == Bar.objects.filter(interval="1h").count() > 0


def test_a_session_that_is_missing_is_told_and_mended(loaded, hold):
    hold("yahoo")
    fill(loaded, Shelf())
    torn = DAYS[-6]
    Bar.objects.filter(session_date=torn).delete()
    Coverage.objects.update(holes_asked_at=None)
    told = jobs.everything()["market.gaps"]()
    assert told["gaps"] == {"AAPL": {"1m": [[str(torn), str(torn), 1]]}}
    assert (told["within"]["symbols"], chunks()) == ({}, [])  # nobody watches it
    told = jobs.everything()["market.gaps"](["AAPL"])
    assert chunks() == [{"symbols": ["AAPL"], "interval": "1m", "fill_holes": True}]
    fill(loaded, Shelf(), fill_holes=True)
    assert (held(), jobs.everything()["market.gaps"]()["gaps"]) == (3 * len(DAYS), {})


def test_what_the_source_reaches_no_more_is_told_and_not_asked_for(loaded, hold):
    hold("yahoo")
    past = sessions.between("XNAS", date(2024, 1, 2), date(2024, 1, 10))
    shelf = Shelf(days=past)
    bars.upsert(shelf.bar(day, sessions.hours("XNAS", day)[0]) for day in past if day != past[2])
    loading.complete(loaded, past[0], since=past[0], until=past[-1], interval="1m")
    told = jobs.everything()["market.gaps"](["AAPL"])
    assert (told["gaps"]["AAPL"]["1m"], chunks()) == ([[str(past[2]), str(past[2]), 1]], [])


@pytest.mark.parametrize("exchange", ["XTKS", "XHKG"])
@pytest.mark.parametrize("half", [0, 1])
def test_half_a_session_that_is_missing_is_a_gap(loaded, exchange, half):
    Symbol.objects.update(exchange=exchange)
    hours.keep(exchange)
    days = sessions.between(exchange, date(2024, 7, 2), date(2024, 7, 5))
    shelf = Shelf(days=days)
    bars.upsert(
        shelf.bar(day, start)
        for day in days
        for number, (start, _) in enumerate(sessions.spans(exchange, day))
        if (day, number) not in {(days[1], half), (days[-1], 1)}  # the last session runs still
    )
    [row] = gaps.rows(loaded, "1m")
    assert gaps.of(row) == [gaps.Gap(days[1], days[1], 1)]
    assert gaps.unbroken_until(row) == days[0]


def test_a_half_day_and_a_change_of_the_clocks_leave_no_gap(loaded):
    days = sessions.between("XNAS", date(2024, 11, 1), date(2024, 12, 2))
    shelf = Shelf(days=days)
    bars.upsert(shelf.bar(day, sessions.hours("XNAS", day)[1] - timedelta(minutes=1)) for day in days)
    [row] = gaps.rows(loaded, "1m")
    assert (gaps.of(row), gaps.unbroken_until(row)) == ([], days[-1])


@pytest.fixture
def minutes(loaded) -> list[Told]:
    """Those of a half day in New York, which no source tells any more."""
    day, shelf = date(2024, 7, 3), Shelf(days=[])
    [(opens, closes)] = sessions.spans("XNAS", day)
    told = [shelf.bar(day, opens + timedelta(minutes=number)) for number in range((closes - opens).seconds // 60)]
    bars.upsert(replace(bar, high=11.0 + number / 100, volume=number) for number, bar in enumerate(told))
    hours.keep("XNAS")
    return told


def test_what_the_source_tells_no_more_is_made_of_minutes_once(loaded, minutes):
    first = date(2026, 1, 1)
    result = made.fill(loaded, "1h", first)
    found = Bar.objects.filter(interval="1h").order_by("opened_at")
    assert (result.inserted, [bar.opened_at.strftime("%H:%M") for bar in found]) == (
        4, ["13:30", "14:30", "15:30", "16:30"],
    )  # fmt: skip
    assert [(bar.high, bar.volume, bar.state, bar.source) for bar in (found[0], found[3])] == [
        (11.59, sum(range(60)), "final", "yahoo"), (13.09, sum(range(180, 210)), "final", "yahoo"),
    ]  # fmt: skip
    assert made.fill(loaded, "5m", first).inserted == 42
    assert made.fill(loaded, "5m", first).inserted == made.fill(loaded, "1m", first).inserted == 0


def test_what_the_source_still_tells_or_told_once_is_not_made(loaded, minutes):
    assert made.fill(loaded, "5m", minutes[0].session_date).inserted == 0
    bars.upsert([replace(minutes[0], interval="5m", close=10.5)])
    assert made.fill(loaded, "5m", date(2026, 1, 1)).inserted == 0  # nobody knows what that session had


def test_without_minutes_beyond_its_reach_the_bars_of_years_are_not_looked_through(loaded):
    day = date(2024, 7, 3)
    bars.upsert([replace(Shelf(days=[]).bar(day, sessions.hours("XNAS", day)[0]), interval="5m")])
    for has_some in (False, True):  # no minutes at all, and some that the source tells still
        if has_some:
            bars.upsert([Shelf().bar(DAYS[-2], sessions.hours("XNAS", DAYS[-2])[0])])
        with CaptureQueriesContext(connection) as asked:
            assert made.fill(loaded, "5m", DAYS[0]).inserted == 0
        assert not [each["sql"] for each in asked if "market_bar" in each["sql"]]


def test_of_a_session_of_which_half_is_missing_the_other_half_stays(loaded):
    Symbol.objects.update(exchange="XTKS")
    hours.keep("XTKS")
    days = sessions.between("XTKS", date(2024, 7, 2), date(2024, 7, 4))
    shelf, (morning, afternoon) = Shelf(days=[]), (start for start, _ in sessions.spans("XTKS", days[1]))
    openings = {day: sessions.hours("XTKS", day)[0] for day in days}
    bars.upsert(replace(shelf.bar(day, at), interval="5m", close=10.5) for day, at in openings.items())
    bars.upsert(shelf.bar(days[1], start) for start in (morning, afternoon))
    assert made.fill(loaded, "5m", date(2026, 1, 1)).inserted == 1
    told = Bar.objects.filter(interval="5m", session_date=days[1]).order_by("opened_at")
    assert [(bar.opened_at, bar.close) for bar in told] == [(morning, 10.5), (afternoon, 10.0)]


def test_a_loading_makes_what_lies_beyond_its_reach(loaded, minutes):
    fetch, reach = Shelf(days=[]), Reach(back=timedelta(days=60))
    assert within.fill(loaded, "5m", fetch, reach, "yahoo").bars.inserted == 42


def test_a_source_without_bars_within_sessions_says_so(apple):
    with pytest.raises(ProviderError, match="replay has no bars of 1h"):
        jobs.everything()["market.intraday_chunk"](symbols=["AAPL"], interval="1h")
