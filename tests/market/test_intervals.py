"""An interval is one row: where its bars begin and end, and that nobody else knows it by its name."""

import ast
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from market import intervals
from market.calendars.sessions import Calendar
from market.intervals import ALL, UnknownInterval

# Of New York's half day before the fourth of July 2024, from 13:30 to 17:00 UTC: a moment, and the opening and the
# close of the bar that it belongs to.
HALF_DAY = {
    "1m": ("16:31:30", "2024-07-03T16:31", "2024-07-03T16:32"),
    "5m": ("16:31:30", "2024-07-03T16:30", "2024-07-03T16:35"),
    "15m": ("16:31:30", "2024-07-03T16:30", "2024-07-03T16:45"),
    "30m": ("16:29:59", "2024-07-03T16:00", "2024-07-03T16:30"),
    "1h": ("16:31:30", "2024-07-03T16:30", "2024-07-03T17:00"),
    "1d": ("16:31:30", "2024-07-03T00:00", "2024-07-03T17:00"),
    "1wk": ("16:31:30", "2024-07-01T00:00", "2024-07-05T20:00"),
    "1mo": ("16:31:30", "2024-07-01T00:00", "2024-07-31T20:00"),
}
KNOWS = {"market/intervals.py", "analysis/periods.py"}  # a period bears some of the same names


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def bar(name: str, mic: str, moment: str) -> tuple[datetime, datetime]:
    opened_at = ALL[name].opening(at(moment), Calendar(mic))
    return opened_at, ALL[name].close(opened_at, Calendar(mic))


def test_each_interval_has_an_example():
    assert HALF_DAY.keys() == ALL.keys()


@pytest.mark.parametrize(("name", "moment", "opening", "close"), [(name, *row) for name, row in HALF_DAY.items()])
def test_a_bar_ends_with_its_session_at_the_latest(name, moment, opening, close):
    assert bar(name, "XNYS", f"2024-07-03T{moment}") == (at(opening), at(close))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("mic", "moment"), [("XNYS", "2024-03-08T20:00"), ("XTKS", "2024-07-03T02:15"),
                                             ("XKRX", "2024-07-03T06:29"), ("CCC", "2024-06-30T23:59"),
                                             ("CCY", "2024-07-05T20:30"), ("XLON", "2024-12-24T12:29"),
                                             ("XNZE", "2024-07-01T22:05")])  # fmt: skip
def test_the_last_moment_of_a_bar_lies_in_it_and_the_next_bar_of_the_session_begins_where_it_ends(name, mic, moment):
    interval, calendar = ALL[name], Calendar(mic)
    opened_at, closes_at = bar(name, mic, moment)
    assert interval.opening(closes_at - timedelta.resolution, calendar) == opened_at
    if not interval.is_whole:
        assert opened_at <= at(moment) < closes_at
        assert interval.opening(opened_at, calendar) == opened_at
        is_last = closes_at in [end for _, end in calendar.spans(calendar.session(opened_at))]
        assert interval.opening(closes_at, calendar) == (opened_at if is_last and mic != "CCC" else closes_at)


@pytest.mark.parametrize(
    ("mic", "moment", "opening"),
    [
        ("XNYS", "2024-07-02T20:00:05", "2024-07-02T19:30"),  # the closing auction's
        ("XNYS", "2024-07-02T13:29", "2024-07-01T19:30"),  # before the session there is only the last one
        ("XNYS", "2024-03-11T13:31", "2024-03-11T13:30"),  # summer time began on Sunday
        ("XTKS", "2024-07-03T02:45", "2024-07-03T02:00"),  # Tokyo's lunch begins at 02:30
    ],
)
def test_what_trades_outside_its_hours_belongs_to_the_bar_before(mic, moment, opening):
    assert bar("1h", mic, moment)[0] == at(opening)


@pytest.mark.parametrize(
    ("mic", "openings"),
    [
        ("XTKS", ["00:00/01:00", "01:00/02:00", "02:00/02:30", "03:30/04:30", "04:30/05:30", "05:30/06:00"]),
        ("XHKG", ["01:30/02:30", "02:30/03:30", "03:30/04:00", "05:00/06:00", "06:00/07:00", "07:00/08:00"]),
        ("XSHG", ["01:30/02:30", "02:30/03:30", "05:00/06:00", "06:00/07:00"]),
    ],
)
def test_an_hour_begins_with_the_session_and_anew_after_its_lunch_break(mic, openings):
    calendar = Calendar(mic)
    minutes = [at("2024-07-03T00:00") + timedelta(minutes=each) for each in range(24 * 60)]
    trading = [each for each in minutes if any(start <= each < end for start, end in calendar.spans(each.date()))]
    told = dict.fromkeys(bar("1h", mic, f"{each:%Y-%m-%dT%H:%M}") for each in trading)
    assert [f"{start:%H:%M}/{end:%H:%M}" for start, end in told] == openings


def test_what_is_stored_and_what_is_made_of_it_stands_in_the_table():
    assert [each.name for each in intervals.STORED] == ["1m", "5m", "1h", "1d"]
    made = {each.name: (each.made_from, each.stored_as, each.most_parts) for each in ALL.values() if each.made_from}
    assert made == {"15m": ("5m", "5m", 3), "30m": ("5m", "5m", 6), "1wk": ("1d", "1d", 7), "1mo": ("1d", "1d", 31)}
    assert {each.name: each.filled_from for each in ALL.values() if each.filled_from} == {"5m": "1m", "1h": "1m"}
    assert all(ALL[name].stored_as == name for name in ("1m", "5m", "1h", "1d"))


@hypothesis(deadline=None)
@given(st.dates(date(1800, 1, 1), date(9999, 11, 1)))
def test_the_date_of_a_bar_is_the_same_of_one_session_and_of_many(day):
    days = np.array([day], "datetime64[D]").astype(np.int64)
    for interval in (each for each in ALL.values() if each.is_whole):
        dated = interval.dated(day)
        assert interval.dates(days).astype("datetime64[D]").tolist() == [dated]
        assert dated <= day < interval.following(dated) == interval.dated(interval.following(dated))


def test_a_bar_that_a_source_opens_at_the_close_lasts_as_long_as_any():
    assert ALL["5m"].close(at("2024-07-03T17:00"), Calendar("XNYS")) == at("2024-07-03T17:05")


def test_seouls_morning_is_of_its_own_day():
    assert bar("1d", "XKRX", "2024-07-02T00:00") == (at("2024-07-02T00:00"), at("2024-07-02T06:30"))


def test_a_bar_without_a_session_ends_with_its_dates():
    assert ALL["1d"].close(at("2024-07-04T00:00"), Calendar("XNYS")) == at("2024-07-05T00:00")


@pytest.mark.parametrize(("name", "ends"), [("1d", "2024-07-06"), ("1wk", "2024-07-08"), ("1h", "2024-07-05T01:00")])
def test_where_an_exchange_has_no_calendar_a_bar_is_over_in_utc(name, ends):
    assert ALL[name].close(at("2024-07-05T00:00"), None) == at(ends if "T" in ends else f"{ends}T00:00")


@pytest.mark.parametrize("interval", [each for each in ALL.values() if each.made_from or each.filled_from])
def test_what_an_interval_is_made_of_fills_it(interval):
    part = intervals.named(interval.made_from or interval.filled_from)
    assert part.is_whole == interval.is_whole
    assert interval.seconds % part.seconds == 0
    assert part.made_from is None


def test_one_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(UnknownInterval, match="no interval '7m'; there are 1m, 5m"):
        intervals.named("7m")


def test_nobody_else_knows_an_interval_by_its_name():
    root, apps = Path(settings.BASE_DIR), ("finstage", "realtime", "analysis", "market", "monitoring")
    files = [path for app in apps for path in (root / app).rglob("*.py")]
    names = {str(path.relative_to(root)): path for path in files if not {"migrations", "sources"} & set(path.parts)}
    assert not [f"{name}:{line}" for name, path in names.items() if name not in KNOWS for line in literals(path)]


def literals(path: Path) -> list[int]:
    """The lines where an interval's name is written; not where it is said to be a period's."""
    tree = ast.parse(path.read_text())
    periods = {
        value
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "period"
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in ALL and node not in periods
    ]
