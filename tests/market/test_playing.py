"""The player: what is held of any session comes again, and nothing that was not known in it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from market import actions, bars, player
from market.bars import NoBars
from market.bars.forming import INTERVALS
from market.calendars import kept
from market.calendars.table import Session, Table
from market.models import Snapshot, Symbol
from market.player import Clock, Forming, reading
from market.player.clock import SESSION_SECONDS
from market.prices import CLOSED, OPEN, Action, Bar, Named, Quote, midnight

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = [date(2008, 9, day) for day in (2, 3, 4)]
pytestmark = pytest.mark.django_db


def hold(ticker: str, days: dict[date, tuple[float, float, float, float]], volume: int | None = 1000) -> Symbol:
    facts = {"name": ticker, "exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    symbol, _ = Symbol.objects.get_or_create(ticker=ticker, defaults=facts)
    bars.upsert([Bar(ticker, "1d", midnight(day), *each, volume, True, "replay", NOW) for day, each in days.items()])
    return symbol


def told(*tickers: str, start: date = DAYS[0], end: date = DAYS[-1]) -> list[Quote]:
    sessions = player.read(tickers, start, end, has_hours=True).sessions
    return [step.quote for number in range(len(sessions)) for step in sessions.steps(number, NOW)]


@pytest.mark.parametrize(
    ("day", "way"),
    [
        ((10.0, 11.0, 8.0, 9.0), [10.0, 11.0, 8.0, 9.0]),
        ((10.0, 12.0, 9.0, 11.0), [10.0, 9.0, 12.0, 11.0]),
        ((10.0, 11.0, 9.0, 9.5), [10.0, 11.0, 9.0, 9.5]),  # as near: the high
    ],
)
def test_a_day_is_told_as_open_the_nearer_extreme_the_other_and_close(day, way):
    hold("AAPL", {DAYS[0]: day})
    quotes = told("AAPL")
    assert [quote.price for quote in quotes] == way
    assert [quote.volume for quote in quotes] == [None, None, None, 1000]
    assert [quote.state for quote in quotes] == ["forming"] * 3 + ["final"]
    assert [quote.market_state for quote in quotes] == [OPEN] * 3 + [CLOSED]
    assert all(quote.low <= quote.price <= quote.high for quote in quotes)
    assert (quotes[0].high, quotes[-1].high, quotes[-1].low) == (way[0], max(way), min(way))


def test_the_order_is_by_session_then_time_then_ticker_whatever_order_was_asked_for():
    for ticker in ("MSFT", "AAPL"):
        hold(ticker, {day: (10.0, 11.0, 9.0, 10.5) for day in DAYS[:2]})
    heard = [(quote.session_date, quote.ticker) for quote in told("MSFT", "AAPL")]
    assert heard == [(day, ticker) for day in DAYS[:2] for _ in range(4) for ticker in ("AAPL", "MSFT")]
    assert told("MSFT", "AAPL") == told("AAPL", "MSFT")


def test_a_session_that_one_of_them_lacks_plays_without_it():
    hold("AAPL", {day: (10.0, 11.0, 9.0, 10.5) for day in DAYS})
    hold("MSFT", {DAYS[1]: (20.0, 21.0, 19.0, 20.5)})
    assert [quote.ticker for quote in told("AAPL", "MSFT")] == ["AAPL"] * 4 + ["AAPL", "MSFT"] * 4 + ["AAPL"] * 4


def test_a_split_counts_from_its_day_on_and_no_earlier():
    symbol = hold("AAPL", {DAYS[0]: (40.0, 42.0, 38.0, 40.0), DAYS[1]: (20.0, 22.0, 19.0, 21.0)})
    actions.keep(symbol, Named([Action("AAPL", "split", DAYS[1], 2.0, 2, 1)]), "replay")
    [held] = player.read(["AAPL"], *DAYS[:2], has_hours=True).sessions.held
    assert held.before(1)["close"].tolist() == [20.0]
    assert (held.previous_close(0), held.previous_close(1)) == (None, 20.0)
    assert told("AAPL")[0].price == 40.0  # as traded


def test_of_what_came_later_a_session_knows_nothing():
    symbol = hold("AAPL", {day: (10.0, 11.0, 9.0, 10.5) for day in DAYS})
    actions.keep(symbol, Named([Action("AAPL", "split", DAYS[2], 2.0, 2, 1)]), "replay")
    [held] = player.read(["AAPL"], DAYS[0], DAYS[1], has_hours=True).sessions.held
    assert len(held) == 2
    assert held.before(1)["close"].tolist() == [10.5]


def test_the_first_session_of_a_range_counts_from_the_close_before_the_range():
    hold("AAPL", {DAYS[0]: (10.0, 11.0, 9.0, 10.5), DAYS[1]: (11.0, 12.0, 10.0, 11.5)})
    assert told("AAPL", start=DAYS[1])[0].previous_close == 10.5


def test_a_seek_finds_the_first_session_from_a_day_on():
    hold("AAPL", {DAYS[0]: (10.0, 11.0, 9.0, 10.5), DAYS[2]: (11.0, 12.0, 10.0, 11.5)})
    sessions = player.read(["AAPL"], DAYS[0], DAYS[2], has_hours=True).sessions
    assert [sessions.first(day) for day in DAYS] == [0, 1, 1]
    assert sessions.first(date(2009, 1, 1)) == len(sessions)


def test_what_has_no_bars_in_the_range_is_named_with_what_is_held():
    hold("AAPL", {DAYS[0]: (10.0, 11.0, 9.0, 10.5)})
    hold("MSFT", {DAYS[2]: (10.0, 11.0, 9.0, 10.5)})
    assert player.read(["AAPL", "MSFT"], DAYS[2], DAYS[2], has_hours=True).lacking == {
        "AAPL": "AAPL has bars from 2008-09-02 to 2008-09-02"
    }
    with pytest.raises(NoBars, match="no daily bars from 2009-01-01 to 2009-01-02: AAPL has bars from 2008-09-02"):
        player.read(["AAPL"], date(2009, 1, 1), date(2009, 1, 2), has_hours=True)
    with pytest.raises(player.Backwards, match="ends on 2008-09-02, before it starts on 2008-09-04"):
        player.read(["AAPL"], DAYS[2], DAYS[0], has_hours=True)


def test_a_volume_that_nobody_knows_is_told_as_unknown():
    hold("AAPL", {DAYS[0]: (10.0, 11.0, 9.0, 10.5)}, volume=None)
    assert told("AAPL")[-1].volume is None


def test_the_clock_goes_by_the_time_within_sessions_and_makes_up_for_nothing():
    clock = Clock(SESSION_SECONDS, now=100.0)  # a session a second
    quarter = SESSION_SECONDS / 4
    assert clock.wait(0.0, 100.0) == 0.0
    assert clock.wait(quarter, 100.0) == pytest.approx(0.25)
    assert clock.wait(quarter, 100.25) == 0.0  # another symbol's, of the same moment
    assert clock.wait(3 * quarter, 100.25) == pytest.approx(0.5)
    assert clock.wait(0.0, 100.75) == pytest.approx(0.25)  # the next session
    assert clock.wait(quarter, 200.0) == 0.0
    assert clock.wait(2 * quarter, 200.0) == 0.0
    assert clock.wait(3 * quarter, 200.0) > 0.0  # behind, and yet no burst


def test_a_rate_bounds_what_is_told_and_slows_nothing_below_it():
    unbound = Clock(None, 0.0)
    assert [unbound.wait(n, 0.0, takes=0.125) for n in range(4)] == [0.0, 0.125, 0.25, 0.375]
    assert unbound.wait(5.0, 0.5, takes=0.125) == 0.0
    for takes, waited in ((0.75, 1.0), (1.25, 1.25)):  # a price a second
        clock = Clock(1.0, 0.0)
        assert clock.wait(0.0, 0.0, takes=takes) == 0.0
        assert clock.wait(1.0, 0.0, takes=takes) == waited
        assert clock.wait(2.0, waited, takes=takes) == waited
    assert unbound.wait(6.0, 100.0, takes=0.125) == 0.0
    assert sum(unbound.wait(7.0, 100.0, takes=0.125) == 0 for _ in range(8)) == 4  # half a second of it at once


def test_what_follows_a_session_that_is_not_held_counts_from_nothing():
    hold("AAPL", {DAYS[0]: (10.0, 11.0, 9.0, 10.5), DAYS[2]: (11.0, 12.0, 10.0, 11.5)})
    assert told("AAPL")[-1].previous_close == 10.5  # without a calendar nobody knows better
    days = [Session(day, *(int(midnight(day).timestamp()) + 3600 * hour for hour in (14, 20))) for day in DAYS]
    kept.keep("XNAS", Table(ZoneInfo("America/New_York"), days, date(2008, 1, 1), date(2008, 12, 31)))
    assert told("AAPL")[-1].previous_close is None
    [held] = player.read(["AAPL"], DAYS[0], DAYS[2], has_hours=False).sessions.held
    assert held.previous_close(1) == 10.5  # a recording has every session that it plays
    hold("AAPL", {DAYS[1]: (10.5, 11.0, 10.0, 10.75)})
    assert [quote.previous_close for quote in told("AAPL")[4::4]] == [10.5, 10.75]


def test_what_is_held_is_read_once_and_nobody_writes_into_it():
    hold("AAPL", {DAYS[0]: (10.0, 11.0, 9.0, 10.5)})
    [held] = player.read(["AAPL"], *DAYS[:2], has_hours=True).sessions.held
    with pytest.raises(ValueError, match="read-only"):
        held.columns["close"][0] = np.nan


# Within sessions

DAY, OPENED = DAYS[0], datetime(2008, 9, 2, 13, 30, tzinfo=UTC)


def hold_within(interval: str, *rows: tuple[int, float, float, float, float], volume: int | None = 100) -> None:
    """Rows begin with the minutes since the opening."""
    found = [
        Bar(
            "AAPL",
            interval,
            OPENED + timedelta(minutes=row[0]),
            *row[1:],
            volume,
            True,
            "replay",
            NOW,
            session_date=DAY,
        )
        for row in rows
    ]
    assert not bars.upsert(found).refused


def tell(*prices: tuple[int, float, int | None]) -> None:
    """Prices of the seconds since the opening."""
    for seconds, price, volume in prices:
        at = OPENED + timedelta(seconds=seconds)
        Snapshot.objects.create(
            symbol=Symbol.objects.get(ticker="AAPL"), price=price, volume=volume, session_date=DAY, as_of=at,
            as_of_precision="second", received_at=at, source="replay",
        )  # fmt: skip


def way(quotes: list[Quote]) -> list[tuple[int, float, int | None]]:
    return [(round((quote.as_of - OPENED).total_seconds() / 60), quote.price, quote.volume) for quote in quotes]


def test_where_shorter_bars_are_held_of_a_session_they_are_told_and_the_day_has_the_last_word():
    hold("AAPL", {DAY: (10.0, 12.0, 9.0, 11.0), DAYS[1]: (11.0, 12.0, 10.0, 11.5)}, volume=250)
    hold_within("5m", (0, 10.0, 10.5, 9.0, 10.2), (5, 10.2, 11.5, 10.1, 11.2))
    quotes = told("AAPL", end=DAYS[1])
    assert way(quotes[:9]) == [
        (0, 10.0, 0), (0, 10.5, 0), (0, 9.0, 0), (0, 10.2, 100),
        (5, 10.2, 100), (5, 10.1, 100), (5, 11.5, 100), (5, 11.2, 200),
        (5, 11.0, 250),
    ]  # fmt: skip
    assert [(quote.high, quote.low) for quote in (quotes[2], quotes[7], quotes[8])] == [
        (10.5, 9.0), (11.5, 9.0), (12.0, 9.0),
    ]  # fmt: skip
    assert {quote.as_of_precision for quote in quotes[:9]} == {"second"}
    assert [quote.has_closed for quote in quotes[:9]] == [False] * 8 + [True]
    assert [quote.as_of_precision for quote in quotes[9:]] == ["day"] * 4  # of that one the day alone is held


def test_no_bars_within_form_where_only_the_day_is_held_or_nobody_knows_when_it_trades():
    def formed() -> list[set[str]]:
        sessions, found = player.read(["AAPL"], DAY, DAYS[1], has_hours=True).sessions, []
        for number in range(2):
            forming = Forming(sessions.playing(number), INTERVALS)
            moved = [each for step in sessions.steps(number, NOW) for each in forming.moved(step.quote)]
            rest = [each for _, some in forming.rest() for each in some]
            found.append({each.bar.interval for each in moved + rest})
        return found

    hold("AAPL", {DAY: (10.0, 12.0, 9.0, 11.0), DAYS[1]: (11.0, 12.0, 10.0, 11.5)})
    hold_within("1h", (0, 10.0, 12.0, 9.0, 11.0))
    assert formed() == [set(), set()]
    opens = int(OPENED.timestamp())
    days = [Session(day, opens + 86_400 * n, opens + 86_400 * n + 23_400) for n, day in enumerate(DAYS)]
    kept.keep("XNAS", Table(ZoneInfo("America/New_York"), days, date(2008, 1, 1), date(2008, 12, 31)))
    assert formed() == [{"1h"}, set()]


def test_the_finest_that_is_of_the_whole_session_is_told():
    hold("AAPL", {DAY: (10.0, 12.0, 9.0, 11.0)})
    hold_within("1h", (0, 10.0, 12.0, 9.0, 10.5), (60, 10.5, 11.5, 10.0, 11.0))
    hold_within("5m", (30, 10.0, 10.5, 9.5, 10.2), (60, 10.2, 11.5, 10.1, 11.2))  # begins too late
    assert len(told("AAPL")) == 9
    hold_within("5m", (0, 10.0, 10.5, 9.5, 10.0))  # and ends as late as the longer ones
    assert len(told("AAPL")) == 13
    hold_within("1m", *((minute, 10.0, 10.5, 9.5, 10.0) for minute in (0, 30, 45, 61)))
    assert len(told("AAPL")) == 17


def test_prices_that_were_told_come_before_bars_where_they_are_of_the_whole_session():
    hold("AAPL", {DAY: (10.0, 12.0, 9.0, 11.0)}, volume=700)
    hold_within("5m", (0, 10.0, 10.5, 9.0, 10.2), (5, 10.2, 11.5, 10.1, 11.2))
    tell((400, 10.7, 500))
    assert len(told("AAPL")) == 9  # of the end alone
    tell((30, 10.1, 50), (90, 10.4, None))
    assert [(quote.price, quote.volume) for quote in told("AAPL")] == [
        (10.1, 50), (10.4, None), (10.7, 500), (11.0, 700),
    ]  # fmt: skip


def test_who_has_the_day_alone_plays_beside_who_has_more_in_one_order():
    hold("AAPL", {DAY: (10.0, 12.0, 9.0, 11.0)})
    hold("MSFT", {DAY: (20.0, 21.0, 19.0, 20.5)})
    tell((0, 10.0, 1), (40, 10.1, 2), (80, 10.2, 3))
    sessions = player.read(["MSFT", "AAPL"], DAY, DAY, has_hours=True).sessions
    order = [(step.after, step.quote.ticker) for step in sessions.steps(0, NOW)]
    assert order == [
        (0.0, "AAPL"), (0.0, "MSFT"), (20.0, "MSFT"), (40.0, "AAPL"), (40.0, "MSFT"), (60.0, "MSFT"), (80.0, "AAPL"),
        (80.0, "AAPL"),
    ]  # fmt: skip


def test_what_there_is_no_room_for_is_left_out_the_finest_first(monkeypatch):
    hold("AAPL", {DAY: (10.0, 12.0, 9.0, 11.0)})
    hold_within("5m", (0, 10.0, 10.5, 9.0, 10.2), (5, 10.2, 11.5, 10.1, 11.2))
    tell((0, 10.0, 1), (400, 10.1, 2))
    [held] = player.read(["AAPL"], DAY, DAY, has_hours=True).sessions.held
    assert [each.name for each in held.finer] == ["prices", "5m"]
    monkeypatch.setattr(reading, "MOST_BYTES", held.bytes - 1)
    [held] = player.read(["AAPL"], DAY, DAY, has_hours=True).sessions.held
    assert [each.name for each in held.finer] == ["5m"]
    monkeypatch.setattr(reading, "MOST_BYTES", held.bytes - 1)
    [held] = player.read(["AAPL"], DAY, DAY, has_hours=True).sessions.held
    assert not held.finer


def test_the_clock_of_a_long_session_goes_on_into_the_next():
    clock = Clock(1000.0, now=0.0)
    clock.wait(0.0, 0.0)
    assert clock.wait(80_000.0, 0.0) == pytest.approx(80.0)
    assert clock.wait(0.0, 80.0) == 0.0
    assert clock.wait(500.0, 80.0) == pytest.approx(0.5)
