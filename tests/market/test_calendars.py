"""The exchanges' sessions, by their own dates and hours."""

from datetime import UTC, date, datetime

import exchange_calendars
import pytest

from market.calendars import exchanges, facts, library, sessions
from market.prices import MARKET_STATES


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("mic", "now", "state"),
    [
        ("XNYS", "2024-07-02T13:29:59", "pre"),
        ("XNYS", "2024-07-02T13:30:00", "open"),
        ("XNAS", "2024-07-02T19:59:59", "open"),
        ("XNAS", "2024-07-02T20:00:00", "post"),
        ("XNAS", "2024-07-03T00:00:00", "closed"),
        ("XNAS", "2024-07-02T07:59:59", "closed"),
        ("XNYS", "2024-07-03T17:30:00", "post"),  # closed at 13:00 on the eve of a holiday
        ("XNYS", "2024-07-04T15:00:00", "closed"),
        ("XNYS", "2024-11-04T14:00:00", "pre"),  # winter time
        ("XKRX", "2024-07-02T00:00:00", "open"),
        ("XKRX", "2024-07-02T06:30:00", "closed"),
        ("CCC", "2024-07-06T03:00:00", "open"),
        ("CCY", "2024-07-06T03:00:00", "closed"),
        ("CCY", "2024-07-05T20:59:59", "open"),  # Friday, before five in New York
        ("CCY", "2024-07-05T21:00:00", "closed"),
        ("CCY", "2024-07-07T21:00:00", "open"),  # Sunday, at five in New York
        ("XNYS", "2024-07-03T20:59:59", "post"),  # after a half day to five
        ("XNYS", "2024-07-03T21:00:00", "closed"),
        ("XKRX", "2026-06-03T03:00:00", "closed"),  # local elections
        ("XKRX", "2024-11-14T00:30:00", "closed"),  # the exam: an hour later
        ("XKRX", "2024-11-14T07:29:59", "open"),
        ("XKRX", "2025-11-13T00:59:59", "closed"),
        ("XKRX", "2026-11-19T07:00:00", "open"),
        ("CMX", "2024-07-02T23:00:00", "open"),
    ],
)
def test_an_exchange_keeps_its_own_hours(mic, now, state):
    assert sessions.state(mic, at(now)) == state


@pytest.mark.parametrize(
    ("mic", "now", "is_one"),
    [
        ("XNYS", "2024-07-03T03:59:59", True),  # still the second in New York
        ("XNYS", "2024-07-04T15:00:00", False),
        ("XNYS", "2024-07-07T03:00:00", False),
        ("XKRX", "2024-07-07T15:00:00", True),  # Monday in Seoul
        ("CCC", "2024-07-07T12:00:00", True),
    ],
)
def test_whether_a_day_is_a_trading_day_is_asked_by_the_exchanges_date(mic, now, is_one):
    assert sessions.has_session(mic, at(now)) is is_one


def test_seouls_session_has_seouls_date():
    assert sessions.session_date("XKRX", at("2024-07-01T23:59:00")) == date(2024, 7, 1)
    assert sessions.session_date("XKRX", at("2024-07-02T00:00:00")) == date(2024, 7, 2)


def test_on_a_weekend_the_last_session_is_fridays():
    assert sessions.session_date("XNYS", at("2024-07-07T12:00:00")) == date(2024, 7, 5)


def test_over_new_year_the_next_opening_is_found():
    clock = sessions.clock("XNYS", at("2023-12-31T12:00:00"))
    assert (clock.state, clock.session_date) == ("closed", date(2023, 12, 29))
    assert (clock.opens_at, clock.closes_at) == (at("2024-01-02T14:30:00"), at("2024-01-02T21:00:00"))


def test_currencies_close_on_fridays_and_coins_never():
    wednesday = at("2024-07-03T12:00:00")
    assert sessions.next_close("CCY", wednesday) == at("2024-07-05T21:00:00")
    assert sessions.next_open("CCY", wednesday) == at("2024-07-07T21:00:00")
    assert (sessions.next_open("CCC", wednesday), sessions.next_close("CCC", wednesday)) == (None, None)


def test_after_lunch_it_opens_again():
    lunch = at("2024-07-03T02:50:00")
    assert (sessions.state("XTKS", lunch), sessions.next_open("XTKS", lunch)) == ("closed", at("2024-07-03T03:30:00"))


def test_sessions_leave_out_weekends_and_holidays():
    found = sessions.between("XNYS", date(2012, 12, 28), date(2013, 1, 3))
    assert found == [date(2012, 12, 28), date(2012, 12, 31), date(2013, 1, 2), date(2013, 1, 3)]


def test_an_exchange_without_a_calendar_is_named():
    with pytest.raises(sessions.UnknownExchange, match="NOPE"):
        sessions.state("NOPE", at("2024-07-02T13:30:00"))


EXCHANGES = exchange_calendars.get_calendar_names(include_aliases=False)


@pytest.mark.parametrize("mic", EXCHANGES)
def test_every_exchange_has_a_state_or_says_that_it_has_no_calendar(mic):
    for year in sorted({2025, 2026, 2027, datetime.now(UTC).year}):
        for day in ("-01-01T00:30:00", "-12-31T23:30:00"):
            try:
                told = sessions.clock(mic, at(f"{year}{day}"))
                assert told.state in MARKET_STATES
                assert isinstance(sessions.has_session(mic, at(f"{year}{day}")), bool)
            except sessions.UnknownExchange as error:
                assert mic in str(error)  # noqa: PT017 - either answer will do


@pytest.mark.parametrize("mic", ["XSHG", "XBOM", "XSES", "XTAE"])
def test_a_calendar_whose_holidays_end_with_the_year_is_asked_within_it(mic):
    assert sessions.has_session(mic, at("2026-11-30T05:00:00"))
    assert sessions.clock(mic, at("2026-11-28T05:00:00")).state == "closed"


def test_beyond_the_last_day_that_is_known_there_is_no_next_opening():
    last_hour = sessions.clock("XSHG", at("2026-12-31T06:30:00"))
    assert (last_hour.state, last_hour.opens_at, last_hour.closes_at) == ("open", None, at("2026-12-31T07:00:00"))
    with pytest.raises(sessions.UnknownExchange, match="2027"):
        sessions.state("XSHG", at("2027-01-04T03:00:00"))


def test_a_calendar_that_cannot_be_built_is_tried_and_told_once(caplog):
    library._of_year.cache_clear()
    for _ in range(3):
        with pytest.raises(sessions.UnknownExchange, match="XBEL"):
            sessions.state("XBEL", at("2026-11-30T12:00:00"))
    assert [record for record in caplog.records if "XBEL" in record.getMessage()] == caplog.records[-1:]


@pytest.mark.parametrize(
    ("mic", "now", "session"),
    [
        ("CMX", "2024-07-01T21:59:59", "2024-07-01"),
        ("CMX", "2024-07-01T22:00:00", "2024-07-02"),  # the evening belongs to the next trading day
        ("CMX", "2024-07-07T22:30:00", "2024-07-08"),  # Sunday evening is Monday
        ("CCC", "2024-07-01T23:59:59", "2024-07-01"),
        ("CCC", "2024-07-02T00:00:00", "2024-07-02"),
        ("CCY", "2024-07-01T22:59:59", "2024-07-01"),  # London's midnight is an hour before ours in summer
        ("CCY", "2024-07-01T23:00:00", "2024-07-02"),
        ("CCY", "2024-07-07T21:30:00", "2024-07-08"),
        ("CCY", "2024-07-06T12:00:00", "2024-07-05"),
    ],
)
def test_what_trades_through_the_night_has_sessions_of_its_own(mic, now, session):
    assert sessions.session_date(mic, at(now)) == date.fromisoformat(session)


def test_seoul_does_not_trade_on_the_day_of_the_elections():
    found = sessions.between("XKRX", date(2026, 6, 1), date(2026, 6, 5))
    assert [day.day for day in found] == [1, 2, 4, 5]
    assert not sessions.has_session("XKRX", at("2026-06-03T03:00:00"))
    assert sessions.before("XKRX", date(2026, 6, 4)) == date(2026, 6, 2)
    with pytest.raises(sessions.UnknownExchange, match="2026-06-03"):
        sessions.hours("XKRX", date(2026, 6, 3))


def test_on_the_day_of_the_exam_seoul_opens_and_closes_an_hour_later():
    for day in facts.AN_HOUR_LATER["XKRX"]:
        opens, closes = sessions.hours("XKRX", day)
        assert (opens.hour, closes.hour, closes.minute) == (1, 7, 30)


def test_a_calendar_is_built_once_for_all_its_years(monkeypatch):
    library._whole.cache_clear()
    built, build = [], exchange_calendars.get_calendar

    def noted(name: str, **span: str) -> exchange_calendars.ExchangeCalendar:
        built.append(name)
        return build(name, **span)

    monkeypatch.setattr(exchange_calendars, "get_calendar", noted)
    assert len(sessions.between("XNYS", date(2000, 1, 1), date(2026, 11, 27))) == 6767
    assert sessions.state("XNYS", at("2013-03-01T15:00:00")) == "open"
    assert built == ["XNYS"]


def test_the_year_before_the_first_is_asked_for_by_itself():
    assert sessions.between("XNYS", date(1987, 10, 16), date(1987, 10, 19)) == [date(1987, 10, 16), date(1987, 10, 19)]


@pytest.mark.parametrize("name", [*facts.NAMES, *facts.OVER_THE_COUNTER])
def test_an_exchange_that_has_a_calendar_here_can_be_asked_for(name):
    assert name in exchanges.CALENDARS
    assert sessions.hours(name, date(2024, 7, 2))


def test_sessions_as_columns_are_those_that_are_listed():
    start, end = date(2023, 12, 27), date(2025, 2, 5)  # from within a year to within another
    for mic in ("XNAS", "XHKG", "24/7"):
        listed = sessions.listed(mic, start, end)
        days, opens, closes = sessions.columns(mic, start, end).tolist()
        assert [date.fromordinal(date(1970, 1, 1).toordinal() + day) for day in days] == [one.date for one in listed]
        assert list(zip(opens, closes, strict=True)) == [(one.opens, one.closes) for one in listed]
    assert sessions.columns("XNAS", date(2024, 7, 6), date(2024, 7, 7)).shape == (3, 0)  # a weekend
    with pytest.raises(sessions.UnknownExchange):
        sessions.columns("NOPE", start, end)
