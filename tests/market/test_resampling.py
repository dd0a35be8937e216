"""Bars made of shorter ones: against the plain rule, over sessions, lunch breaks, half days and what is not known."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market import intervals
from market.bars import resampling
from market.bars.batch import CLOSED, FINAL, FORMING, PRICES, UNKNOWN, Batch
from market.bars.resampling import hours
from market.calendars import sessions as calendars
from market.calendars.sessions import Calendar
from market.calendars.table import Session, Table
from market.prices import LARGEST_VOLUME

MONDAY = date(2024, 7, 1)
SESSIONS = [
    Session(date(2024, 7, 1), 1719792000, 1719813600, (1719801000, 1719804600)),  # Tokyo's hours, with its lunch
    Session(date(2024, 7, 2), 1719878400, 1719900000, (1719887400, 1719891000)),
    Session(date(2024, 7, 3), 1719964800, 1719974700),  # a half day that ends within an hour and five minutes of one
    Session(date(2024, 7, 5), 1720137600, 1720159200, (1720146600, 1720150200)),
]
TABLE = Table(ZoneInfo("Asia/Tokyo"), SESSIONS, MONDAY, date(2024, 7, 7))
HOURS = hours.of(TABLE)


class Plain:
    """The calendar of the table, as an interval asks one moment of it."""

    def session(self, at: datetime) -> date:
        return TABLE.at(at).date

    def spans(self, session: date) -> list[tuple[datetime, datetime]]:
        return [tuple(datetime.fromtimestamp(each, UTC) for each in span) for span in TABLE.of(session).spans]


def days(*dates: date) -> np.ndarray:
    return np.array(dates, "datetime64[D]").astype(np.int64)


def parts(interval: str, rows: list[tuple], tickers: tuple[str, ...] = ("A", "B")) -> Batch:
    """Rows of symbol, opening, session, the four prices, volume, state and receipt."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 10
    kinds = [np.int64, np.int64, "datetime64[D]", *[np.float64] * 4, *[np.int64] * 3]
    arrays = [np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    arrays[2] = arrays[2].astype(np.int64)
    return Batch(interval, "test", tickers, *arrays)


def daily(*rows: tuple) -> Batch:
    """Final days of one symbol: a date, and a volume and a state where they are told."""
    return parts("1d", [_day(*row) for row in rows])


def _day(session: date, volume: int = 10, state: int = FINAL) -> tuple:
    opened = int(datetime(session.year, session.month, session.day, tzinfo=UTC).timestamp())
    return (0, opened, session, 1.0, 2.0, 0.5, 1.5, volume, state, 7)


def settled(batch: Batch, interval: str = "1wk", known: resampling.Known | None = None, today: date | None = None):
    asked = intervals.named(interval)
    made, clock = resampling.made(batch, asked), None if today is None else int(days(today)[0])
    return resampling.settle(made, batch, asked, known or resampling.Known(hours=HOURS), clock).bars.state.tolist()


def plainly(batch: Batch, interval: intervals.Interval) -> list[tuple]:
    """The rule as one says it: bar after bar, part after part."""
    found: dict[tuple, list[int]] = {}
    for place in range(len(batch)):
        at = datetime.fromtimestamp(int(batch.opened[place]), UTC)
        if interval.is_whole:
            dated = interval.dated(batch.session[place].astype("datetime64[D]").item())
            opened = datetime(dated.year, dated.month, dated.day, tzinfo=UTC)
        else:
            opened = interval.opening(at, Plain())
        found.setdefault((int(batch.symbol[place]), int(opened.timestamp())), []).append(place)
    return [(*key, *_plain_values(batch, places)) for key, places in found.items()]


def _plain_values(batch: Batch, places: list[int]) -> tuple:
    volumes = [int(batch.volume[place]) for place in places]
    total = UNKNOWN if UNKNOWN in volumes or sum(volumes) > LARGEST_VOLUME else sum(volumes)
    return (
        batch.open[places[0]],
        max(batch.high[place] for place in places),
        min(batch.low[place] for place in places),
        batch.close[places[-1]],
        total,
        min(int(batch.state[place]) for place in places),
        max(int(batch.received[place]) for place in places),
    )


def rows_of(batch: Batch) -> list[tuple]:
    columns = (batch.symbol, batch.opened, *(getattr(batch, name) for name in PRICES), batch.volume, batch.state)
    return list(zip(*(column.tolist() for column in (*columns, batch.received)), strict=True))


def trades(seed: int) -> list[tuple]:
    """Five minutes of two symbols in some sessions, with holes, in the break and at the close too."""
    random, found = np.random.default_rng(seed), []
    for symbol in (0, 1):
        for session in SESSIONS:
            slots = np.arange(0, session.closes - session.opens + 1, 300)
            for slot in slots[random.random(len(slots)) < random.choice([0.0, 0.1, 0.9, 1.0])].tolist():
                volume = int(
                    random.choice([7, random.integers(0, 1000), UNKNOWN, LARGEST_VOLUME], p=[0.8, 0.1, 0.05, 0.05])
                )
                told = *random.uniform(1e-3, 1e6, 4).tolist(), volume, int(random.integers(FORMING, FINAL + 1))
                found.append((symbol, session.opens + slot, session.date, *told, int(random.integers(10))))
    return found


@settings(deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["15m", "30m", "1h", "1d", "1wk", "1mo"]))
def test_many_bars_at_once_are_what_the_plain_rule_makes_one_by_one(seed, name):
    batch, interval = parts("5m", trades(seed)), intervals.named(name)
    assert rows_of(resampling.made(batch, interval, HOURS).bars) == plainly(batch, interval)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["15m", "30m", "1h"]))
def test_each_part_is_in_one_bar_and_its_session_is_the_bars(seed, name):
    batch = parts("5m", trades(seed))
    made = resampling.made(batch, intervals.named(name), HOURS)
    assert np.concatenate([made.begins, [len(batch)]]).tolist() == [0, *made.ends.tolist()]
    for place, (begin, end) in enumerate(zip(made.begins, made.ends, strict=True)):
        assert set(batch.session[begin:end]) == {made.bars.session[place]} == {made.last_session[place]}


@pytest.mark.parametrize("mic", ["XNYS", "XTKS", "XHKG", "XSHG", "CCY"])
@pytest.mark.parametrize("name", ["5m", "15m", "30m", "1h"])
def test_a_real_calendars_minutes_fall_into_the_bars_that_an_interval_names(mic, name):
    calendar, interval = Calendar(mic), intervals.named(name)
    table = hours_of(mic)
    sessions = [each for each in table.sessions if date(2024, 6, 28) <= each.date <= date(2024, 7, 5)]
    minutes = [(each.date, at) for each in sessions for start, end in each.spans for at in range(start, end, 60)]
    batch = parts("1m", [(0, at, session, 1.0, 1.0, 1.0, 1.0, 1, FINAL, 0) for session, at in minutes])
    made = resampling.made(batch, interval, hours.of(table))
    told = np.repeat(made.bars.opened, made.ends - made.begins).tolist()
    plain = [interval.opening(datetime.fromtimestamp(at, UTC), calendar) for _, at in minutes]
    assert told == [int(at.timestamp()) for at in plain]
    assert made.bars.volume.sum() == len(minutes)


def hours_of(mic: str) -> Table:
    return calendars.of(mic, 2024)


def test_of_a_session_that_no_calendar_knows_bars_are_counted_from_its_first_part():
    rows = [(0, 600 + 300 * each, date(1970, 1, 1), 1.0, 1.0, 1.0, 1.0, 1, FINAL, 0) for each in range(5)]
    made = resampling.made(parts("5m", rows), intervals.named("15m"))
    assert made.bars.opened.tolist() == [600, 1500]
    assert made.bars.volume.tolist() == [3, 2]


def test_a_part_before_the_opening_is_in_a_bar_that_ends_with_it():
    opens = SESSIONS[0].opens
    rows = [
        (0, opens - 300, MONDAY, 1.0, 1.0, 1.0, 1.0, 1, FINAL, 0),
        (0, opens, MONDAY, 1.0, 1.0, 1.0, 1.0, 1, FINAL, 0),
    ]
    assert resampling.made(parts("5m", rows), intervals.named("15m"), HOURS).bars.opened.tolist() == [
        opens - 900,
        opens,
    ]


def test_a_week_is_keyed_by_its_monday_and_a_month_by_its_first_also_where_those_have_no_session():
    batch = daily((date(2024, 2, 27),), (date(2024, 3, 5),), (date(2024, 3, 8),))
    weeks, months = (resampling.made(batch, intervals.named(name)).bars for name in ("1wk", "1mo"))
    assert weeks.session.astype("datetime64[D]").tolist() == [date(2024, 2, 26), date(2024, 3, 4)]
    assert months.session.astype("datetime64[D]").tolist() == [date(2024, 2, 1), date(2024, 3, 1)]
    assert (weeks.opened == weeks.session * 86_400).all()


def test_volumes_that_are_too_large_together_are_not_known():
    batch = daily((MONDAY, LARGEST_VOLUME), (date(2024, 7, 2), 1), (date(2024, 7, 8), LARGEST_VOLUME))
    assert resampling.made(batch, intervals.WEEK).bars.volume.tolist() == [UNKNOWN, LARGEST_VOLUME]


WHOLE = [(session.date,) for session in SESSIONS]


def test_a_week_whose_last_session_is_settled_is_final_before_another_begins():
    assert settled(daily(*WHOLE)) == [FINAL]


def test_a_week_forms_until_its_last_session_is_there():
    assert settled(daily(*WHOLE[:3])) == [FORMING]
    assert settled(daily(*WHOLE[:3], (date(2024, 7, 5), 10, FORMING))) == [FORMING]


def test_a_week_that_lacks_a_session_is_closed_and_never_final():
    assert settled(daily(WHOLE[0], *WHOLE[2:])) == [CLOSED]
    assert settled(daily(*WHOLE[:3]), today=date(2024, 7, 8)) == [CLOSED]
    assert settled(daily(*WHOLE[:3]), today=date(2024, 7, 7)) == [FORMING]


def test_a_week_is_no_further_than_its_days():
    assert settled(daily(*WHOLE[:3], (date(2024, 7, 5), 10, CLOSED))) == [CLOSED]
    assert settled(daily(WHOLE[0], (date(2024, 7, 2), 10, CLOSED), *WHOLE[2:])) == [CLOSED]


def test_what_a_symbols_first_week_lacks_is_not_missing_once_all_is_loaded():
    first = int(days(date(2024, 7, 3))[0])
    listed = resampling.Known(wanted=0, first=first, hours=HOURS)
    assert settled(daily(*WHOLE[2:]), known=listed) == [FINAL]
    assert settled(daily(*WHOLE[2:])) == [CLOSED]
    assert settled(daily(*WHOLE[3:]), known=listed) == [CLOSED]
    cut = replace(listed, wanted=first - 1)  # nobody asked for the Monday
    assert settled(daily(*WHOLE[2:]), known=cut) == [CLOSED]
    assert settled(daily(*WHOLE), known=replace(listed, first=int(days(MONDAY)[0]))) == [FINAL]


def test_where_no_calendar_tells_a_week_is_over_when_a_later_one_begins():
    unknown = resampling.Known()
    assert settled(daily(*WHOLE, (date(2024, 7, 8),)), known=unknown) == [FINAL, FORMING]
    assert settled(daily(*WHOLE[:2], (date(2024, 7, 9),)), known=unknown, today=date(2024, 7, 15)) == [FINAL, FINAL]


def test_a_session_that_the_calendar_does_not_have_stands_for_none_that_it_has():
    assert settled(daily(*WHOLE[:2], (date(2024, 7, 4),), WHOLE[3])) == [CLOSED]
    assert settled(daily(*WHOLE[:3], (date(2024, 7, 4),), WHOLE[3])) == [FINAL]


@pytest.mark.parametrize("name", ["15m", "1h", "1wk", "1mo"])
def test_nothing_makes_nothing(name):
    assert settled(daily()) == []
    assert rows_of(resampling.made(parts("5m", []), intervals.named(name), HOURS).bars) == []


@settings(deadline=None)
@given(st.lists(st.dates(date(2000, 1, 1), date(2030, 1, 1)), unique=True, max_size=60))
def test_only_the_newest_week_may_form(sessions):
    states = settled(daily(*((each,) for each in sorted(sessions))), known=resampling.Known())
    assert states[:-1] == [FINAL] * len(states[:-1])
    assert states[-1:] in ([], [FORMING])


def test_a_month_of_a_real_calendar_is_final_with_its_last_session():
    known = resampling.Known(hours=hours.of(hours_of("XNYS")))
    march = Calendar("XNYS").between(date(2024, 3, 1), date(2024, 3, 31))
    assert march[-1] == date(2024, 3, 28)  # Good Friday was the 29th
    batch = daily(*((each,) for each in march))
    assert settled(batch, "1mo", known) == [FINAL]
    assert settled(batch.take(np.arange(len(march) - 1)), "1mo", known) == [FORMING]
    assert settled(batch, "1mo", known, today=march[-1] + timedelta(days=1)) == [FINAL]
