"""The market's clock: what quotes say of it, and what pages read."""

from datetime import UTC, date, datetime, timedelta

from market.calendars import clock
from market.calendars.clock import Clock
from market.sources.yahoo.source import Yahoo

MONDAY, TUESDAY = date(2024, 7, 1), date(2024, 7, 2)


def test_an_exchange_is_open_while_one_of_its_symbols_trades_in_the_newest_session(quote):
    trading = quote("AAPL", 1.0, session_date=TUESDAY)
    closed = quote("MSFT", 1.0, session_date=TUESDAY, market_state="closed")
    assert clock.by_quotes("XNAS", [trading, closed, None]) == Clock("XNAS", "open", TUESDAY)
    assert clock.by_quotes("XNAS", [closed]) == Clock("XNAS", "closed", TUESDAY)


def test_a_symbol_that_stays_in_an_older_session_says_nothing(quote):
    halted, closed = quote("AAPL", 1.0, session_date=MONDAY), quote("MSFT", 1.0, session_date=TUESDAY)
    assert clock.by_quotes("XNAS", [halted, closed]) == Clock("XNAS", "open", TUESDAY)
    assert clock.by_quotes("XNAS", [None]) is None


def test_what_is_told_is_read_until_nobody_tells_it_any_more(redis):
    opens, closes = (datetime(2024, 7, 2, hour, 30, tzinfo=UTC) for hour in (13, 20))
    clock.keep(Clock("XNAS", "pre", TUESDAY, opens, closes))
    assert clock.latest() == {
        "exchange": "XNAS", "state": "pre", "session": "2024-07-02",
        "opens_at": "2024-07-02T13:30:00Z", "closes_at": "2024-07-02T20:30:00Z",
    }  # fmt: skip
    assert 0 < redis.ttl("finstage:clock") <= clock.TOLD_SECONDS
    clock.keep(Clock("XNAS", "open", TUESDAY))
    assert "opens_at" not in clock.latest()


def test_the_clocks_of_all_exchanges_are_read_by_name_each_for_as_long_as_it_is_told(redis):
    seoul = Clock("XKRX", "closed", MONDAY)
    clock.keep(Clock("XNAS", "open", TUESDAY))
    clock.keep(seoul, is_market=False)
    now = datetime.now(UTC)
    assert clock.all_latest(now) == [seoul, Clock("XNAS", "open", TUESDAY)]
    assert clock.latest()["exchange"] == "XNAS"
    assert clock.all_latest(now + timedelta(seconds=clock.TOLD_SECONDS + 1)) == []


def test_yahoo_knows_the_hours_of_an_exchange_and_without_a_calendar_its_quotes(quote, monkeypatch, redis):
    monkeypatch.setattr(Yahoo, "now", lambda self: datetime(2024, 7, 2, 13, tzinfo=UTC))
    told = Yahoo().clock("XNAS", ["AAPL"])
    assert (told.state, told.opens_at) == ("pre", datetime(2024, 7, 2, 13, 30, tzinfo=UTC))
    assert Yahoo().clock("NOPE", ["AAPL"]) is None
