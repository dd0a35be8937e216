"""Bars within a session as its prices form them: by the calendar's spans, and what is told late or in part."""

from datetime import UTC, date, datetime, timedelta

import pytest

from market.bars.forming import Within
from market.bars.forming.within import INTERVALS, LATE
from market.calendars.sessions import Calendar
from market.prices import Bar, Quote

NEW_YORK = Calendar("XNAS")


def at(text: str, day: str = "2024-07-02") -> datetime:
    return datetime.fromisoformat(f"{day}T{text}").replace(tzinfo=UTC)


def quote(when: datetime, price: float, volume: int | None = None, **facts: object) -> Quote:
    told = {
        "ticker": "AAPL", "previous_close": None, "open": None, "high": None, "low": None, "session_date": when.date(),
        "as_of": when, "as_of_precision": "second", "received_at": when, "source": "yahoo", "market_state": "open",
    }  # fmt: skip
    return Quote(price=price, volume=volume, **(told | facts))


@pytest.fixture
def forming() -> Within:
    """One that has heard of the symbol before its session."""
    made = Within()
    made.take(quote(at("00:30", "2024-07-01"), 9.0, market_state="closed"), NEW_YORK)
    return made


def hear(forming: Within, since: datetime, until: datetime, calendar: Calendar) -> None:
    """A price each minute."""
    for number in range(int((until - since).total_seconds()) // 60 + 1):
        forming.take(quote(since + timedelta(minutes=number), 10.0), calendar)


def told(bars: list[Bar], interval: str) -> list[tuple]:
    return [
        (f"{bar.opened_at:%H:%M}", bar.state, bar.open, bar.high, bar.low, bar.close, bar.volume)
        for bar in bars
        if bar.interval == interval
    ]


def test_prices_form_a_bar_of_each_interval_and_the_next_ends_it(forming):
    first = forming.take(quote(at("13:30:05"), 10.0, 100), NEW_YORK)
    assert [bar.interval for bar in first] == ["1m", "5m", "15m", "30m", "1h"]
    forming.take(quote(at("13:30:20"), 12.0, 150), NEW_YORK)
    forming.take(quote(at("13:30:40"), 9.0, 180), NEW_YORK)
    found = forming.take(quote(at("13:31:10"), 11.0, 200), NEW_YORK)
    assert told(found, "1m") == [
        ("13:30", "closed", 10.0, 12.0, 9.0, 9.0, 180),
        ("13:31", "forming", 11.0, 11.0, 11.0, 11.0, 20),
    ]
    assert told(found, "1h") == [("13:30", "forming", 10.0, 12.0, 9.0, 11.0, 200)]


def test_what_waited_while_its_bar_ended_makes_none_in_its_place(forming):
    forming.take(quote(at("13:30:05"), 10.0, 100), NEW_YORK)
    over = forming.over(at("13:31:00") + LATE)
    waited = forming.take(quote(at("13:30:50"), 12.0, 150, received_at=at("13:30:51")), NEW_YORK)
    assert (told(over, "1m")[0][1], told(waited, "1m")) == ("closed", [])
    following = forming.take(quote(at("13:31:30"), 11.0, 200), NEW_YORK)
    assert [state for _, state, *_ in told(following, "1m")] == ["forming"]


def test_what_says_nothing_new_is_not_told_again(forming):
    forming.take(quote(at("13:30:05"), 10.0, 100), NEW_YORK)
    assert forming.take(quote(at("13:30:05"), 10.0, 100, received_at=at("13:30:15")), NEW_YORK) == []


def test_one_that_nobody_goes_on_with_is_closed_a_little_after_its_end(forming):
    forming.take(quote(at("13:30:05"), 10.0), NEW_YORK)
    assert forming.over(at("13:31:00") + LATE - timedelta(seconds=1)) == []
    over = forming.over(at("13:31:00") + LATE)
    assert told(over, "1m") == [("13:30", "closed", 10.0, 10.0, 10.0, 10.0, None)]
    late = quote(at("13:30:59"), 11.0, received_at=at("13:31:20"))
    assert told(forming.take(late, NEW_YORK), "1m") == []


def test_of_one_in_which_prices_were_missed_nothing_is_told_as_if_it_were_whole(forming):
    forming.take(quote(at("13:31:00"), 10.0, 100), NEW_YORK)
    later = [bar.interval for bar in forming.take(quote(at("13:41:00"), 14.0, 900), NEW_YORK)]
    assert later == ["1m"]  # it begins with that price
    assert sorted(bar.interval for bar in forming.lost()) == sorted(each.name for each in INTERVALS)
    assert forming.lost() == []
    following = forming.take(quote(at("13:42:00"), 13.0, 950), NEW_YORK)
    assert told(following, "1m")[-1] == ("13:42", "forming", 13.0, 13.0, 13.0, 13.0, 50)


def test_one_whose_end_nobody_heard_is_not_closed_as_if_it_were_whole(forming):
    forming.take(quote(at("13:31:00"), 10.0, 100), NEW_YORK)
    over = forming.over(at("13:35:00") + LATE)
    assert [bar.interval for bar in over] == ["1m"]
    assert [bar.interval for bar in forming.lost()] == ["5m"]


def test_what_is_not_asked_for_while_its_exchange_is_closed_was_not_missed(forming):
    forming.take(quote(at("13:25:00"), 9.5, market_state="pre"), NEW_YORK)
    found = forming.take(quote(at("13:31:30"), 10.0, 100), NEW_YORK)
    assert told(found, "5m") == [("13:30", "forming", 10.0, 10.0, 10.0, 10.0, 100)]
    assert forming.lost() == []


def test_the_volume_of_a_bar_before_which_none_was_told_is_known_of_the_first_alone(forming):
    forming.take(quote(at("13:30:10"), 9.5, market_state="pre"), NEW_YORK)
    forming.take(quote(at("13:31:50"), 9.5, market_state="pre", session_date=date(2024, 7, 1)), NEW_YORK)
    found = forming.take(quote(at("13:32:20"), 10.0, 700), NEW_YORK)
    assert [(bar.interval, bar.volume) for bar in found] == [
        ("1m", None), ("5m", 700), ("15m", 700), ("30m", 700), ("1h", 700)
    ]  # fmt: skip


def test_one_that_was_not_heard_from_its_opening_on_is_none():
    forming = Within()
    hear(forming, at("13:30:05"), at("13:34:05"), NEW_YORK)
    found = forming.take(quote(at("13:35:05"), 10.0), NEW_YORK)
    assert [bar.interval for bar in found if bar.state == "forming"] == ["1m", "5m"]


@pytest.mark.parametrize(
    "facts",
    [{"market_state": "pre"}, {"market_state": "closed"}, {"as_of_precision": "day"},
     {"received_at": at("18:00")}],
)  # fmt: skip
def test_what_is_no_price_of_the_running_session_forms_nothing(forming, facts):
    assert forming.take(quote(at("13:30:05"), 10.0, **facts), NEW_YORK) == []


def test_the_last_of_a_half_day_ends_with_it(forming):
    hear(forming, at("13:29", "2024-07-03"), at("16:59", "2024-07-03"), NEW_YORK)
    over = forming.over(at("17:00", "2024-07-03") + LATE)
    assert sorted(bar.interval for bar in over) == sorted(each.name for each in INTERVALS)


@pytest.mark.parametrize(
    ("exchange", "before", "after", "opened"),
    [("XTKS", "02:29", "03:30", "03:30"), ("XHKG", "03:59", "05:00", "05:00")],
)
def test_a_lunch_break_ends_an_hour_and_begins_another(forming, exchange, before, after, opened):
    calendar = Calendar(exchange)
    hear(forming, at("00:00"), at(before), calendar)
    found = told(forming.take(quote(at(after), 11.0), calendar), "1h")
    assert [(each[0], each[1]) for each in found][-1] == (after, "forming")
    assert found[0][1] == "closed"


def test_over_a_change_of_the_clocks_hours_begin_with_the_session():
    forming = Within()
    forming.take(quote(at("00:30", "2024-03-08"), 9.0, market_state="closed"), NEW_YORK)
    friday = forming.take(quote(at("14:31", "2024-03-08"), 10.0), NEW_YORK)
    monday = forming.take(quote(at("13:31", "2024-03-11"), 10.0), NEW_YORK)
    assert (told(friday, "1h")[0][0], told(monday, "1h")[-1][0]) == ("14:30", "13:30")
    assert monday[-1].session_date == date(2024, 3, 11)
