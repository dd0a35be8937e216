"""Times worked out field by field are those that a walk over every minute finds."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.jobs import crontabs
from monitoring.jobs.crontabs import MINUTE, Plan

# Changes of the clocks, also odd ones: of half an hour, of two, at midnight, a minute behind it, of a whole day.
CHANGES = {
    "America/New_York": ["2025-03-09", "2025-11-02", "2026-03-08", "2026-11-01"],
    "Europe/Berlin": ["2025-03-30", "2025-10-26", "2026-03-29", "2026-10-25"],
    "Australia/Lord_Howe": ["2025-04-06", "2025-10-05", "2026-04-05", "2026-10-04"],
    "Antarctica/Troll": ["2025-03-30", "2025-10-26"],
    "America/Havana": ["2025-03-09", "2025-11-02"],
    "Africa/Casablanca": ["2025-02-23", "2025-04-06", "2026-02-15", "2026-03-22"],
    "America/St_Johns": ["2008-03-09", "2008-11-02"],
    "Pacific/Apia": ["2011-12-30"],
    "Asia/Kolkata": ["2025-06-01"],
    "UTC": ["2026-02-28"],
}
FIRST, LAST = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def field(low: int, high: int) -> st.SearchStrategy[str]:
    one = st.integers(low, high).map(str)
    some = st.lists(st.integers(low, high), min_size=1, max_size=4, unique=True).map(
        lambda each: ",".join(map(str, each))
    )
    span = st.tuples(st.integers(low, high), st.integers(low, high)).map(lambda ends: "{}-{}".format(*sorted(ends)))
    step = st.integers(1, max(2, high // 2)).map("*/{}".format)
    return st.one_of(st.just("*"), one, some, span, step)


days = st.tuples(field(1, 31), st.just("*")) | st.tuples(field(1, 28), field(1, 12))
plans = st.builds(
    lambda day, *rest: crontabs.plan(*rest[:2], *day, rest[2]), days, field(0, 59), field(0, 23), field(0, 6)
)
nightly = st.builds(crontabs.plan, field(0, 59), field(0, 4), st.just("*"), st.just("*"), field(0, 6))
changes = st.sampled_from([(zone, f"{day}T00:00Z") for zone, days in CHANGES.items() for day in days])


@settings(max_examples=100, deadline=None)
@given(nightly, changes, st.integers(-1_500, 600), st.integers(0, 59), st.integers(1, 3_000))
def test_where_the_clocks_change_the_times_are_those_of_a_walk_over_every_minute(plan, change, begins, second, minutes):
    zone, day = change
    after = datetime.fromisoformat(day) + timedelta(minutes=begins, seconds=second)
    agree(plan, ZoneInfo(zone), after, after + timedelta(minutes=minutes))


@settings(max_examples=30, deadline=None)
@given(plans, st.sampled_from(sorted(CHANGES)), st.integers(0, 730 * 24 * 60))
def test_anywhere_in_two_years_the_times_are_those_of_a_walk_over_every_minute(plan, zone, begins):
    after = FIRST + timedelta(minutes=begins)
    agree(plan, ZoneInfo(zone), after, after + timedelta(days=3))


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"])
def test_two_years_in_one_go_have_what_their_days_have(zone):
    plan = crontabs.plan("15,45", "0-3", "*", "*", "*")
    days = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days)]
    by_day = [slot for day in days for slot in crontabs.slots(plan, ZoneInfo(zone), day, day + timedelta(days=1))]
    assert list(crontabs.slots(plan, ZoneInfo(zone), FIRST, LAST)) == by_day


def test_a_zone_is_gone_through_from_one_change_of_its_clock_to_the_next():
    stretches = list(crontabs._stretches(ZoneInfo("America/New_York"), FIRST, LAST))
    changes = [datetime.fromisoformat(day).date() for day in CHANGES["America/New_York"]]
    assert [each.first.date() for each in stretches[1:]] == changes


def test_a_look_that_begins_where_the_clock_is_set_sees_what_was_left_out():
    zone, change = ZoneInfo("America/New_York"), datetime(2026, 3, 8, 7, tzinfo=UTC)
    agree(crontabs.plan("30", "2", "*", "*", "*"), zone, change - MINUTE, change)
    agree(crontabs.plan("30", "2", "*", "*", "*"), zone, change, change + MINUTE)


@pytest.mark.parametrize("minute", [0, 1, 58, 59])
def test_the_first_and_the_last_minute_of_an_hour_are_seen_from_any_minute(minute):
    after = datetime(2026, 3, 2, 12, minute, tzinfo=UTC) - MINUTE
    agree(crontabs.plan("0,59", "12", "*", "*", "*"), ZoneInfo("UTC"), after, after + MINUTE)
    agree(crontabs.plan("0,59", "*", "*", "*", "*"), ZoneInfo("UTC"), after, after + MINUTE)


def agree(plan: Plan, zone: tzinfo, after: datetime, until: datetime) -> None:
    assert list(crontabs.slots(plan, zone, after, until)) == list(walked(plan, zone, after, until))


def walked(planned: Plan, zone: tzinfo, after: datetime, until: datetime) -> Iterator[datetime]:
    """The oracle: each minute is looked at."""
    minute = after.astimezone(UTC).replace(second=0, microsecond=0) + MINUTE
    before = (minute - MINUTE).astimezone(zone)
    while minute <= until:
        local = minute.astimezone(zone)
        if planned.is_hourly or local.utcoffset() == before.utcoffset():
            is_due = (planned.is_hourly or local.fold == 0) and matches(planned, local)
        else:
            is_due = local.fold == 0 and any(matches(planned, each) for each in left_out(before, local))
        if is_due:
            yield minute
        before, minute = local, minute + MINUTE


def left_out(before: datetime, local: datetime) -> Iterator[datetime]:
    """The wall-clock minutes that begin where the clock is set: this one, and before it those that never came."""
    wall, end = before.replace(tzinfo=None, fold=0) + MINUTE, local.replace(tzinfo=None, fold=0)
    wall = min(wall, end)  # the clock may have gone back
    while wall <= end:
        yield wall
        wall += MINUTE


def matches(planned: Plan, wall: datetime) -> bool:
    return (
        wall.minute in planned.minutes
        and wall.hour in planned.hours
        and wall.isoweekday() % 7 in planned.weekdays
        and wall.day in planned.days
        and wall.month in planned.months
    )
