"""Whether an exchange trades, as jobs ask it: of its calendar, or of the recording."""

from datetime import UTC, date, datetime

import pytest

from market import quotes
from market.calendars import hours
from market.calendars.sessions import UnknownExchange
from market.models import Symbol
from market.tasks import exchanges
from monitoring import jobs
from monitoring.jobs import declaration

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("apple")]

TRADING, WEEKEND = datetime(2024, 7, 2, 15, tzinfo=UTC), datetime(2024, 7, 6, 15, tzinfo=UTC)


@pytest.fixture
def at(monkeypatch):
    """at(instant): what the wall's clock shows."""

    def set_to(now: datetime) -> None:
        clock = type("Clock", (datetime,), {"now": classmethod(lambda cls, zone=None: now)})
        monkeypatch.setattr(hours, "datetime", clock)

    return set_to


def test_an_exchange_is_open_by_its_calendar(at, hold):
    hold("yahoo")
    for now, is_open in ((TRADING, True), (WEEKEND, False)):
        at(now)
        assert (exchanges.is_open("XNAS"), exchanges.is_open(), exchanges.had_session("XNYS")) == (is_open,) * 3


def test_where_no_exchange_is_named_any_will_do(at, hold):
    hold("yahoo")
    at(WEEKEND)
    Symbol.objects.create(ticker="BTC-USD", name="Bitcoin", exchange="CCC", currency="USD", time_zone="UTC")
    assert exchanges.is_open()


def test_an_exchange_without_a_calendar_is_named_where_a_day_is_asked_for(at, hold):
    hold("yahoo")
    at(TRADING)
    with pytest.raises(UnknownExchange, match="XXXX"):
        exchanges.had_session("XXXX")


def test_of_a_recording_the_played_quotes_tell(quote, hold):
    hold("replay")
    assert not exchanges.is_open("XNAS")
    assert not exchanges.had_session("XNAS")
    quotes.keep([quote("AAPL", 100, session_date=date(2012, 9, 4))])
    assert exchanges.is_open("XNAS")
    assert exchanges.had_session("XNAS")
    quotes.keep([quote("AAPL", 101, session_date=date(2012, 9, 4), market_state="closed")])
    assert not exchanges.is_open("XNAS")
    assert exchanges.had_session("XNAS")


def test_a_job_can_depend_on_an_open_market(at, hold):
    hold("yahoo")
    asked = {"name": "market.is_open", "arguments": {"exchange": "XNAS"}}
    jobs.submit("market.records", only_if=asked)
    for now, holds in ((TRADING, True), (WEEKEND, False)):
        at(now)
        assert declaration.holds(asked) is holds


def test_an_exchange_whose_calendar_cannot_be_built_is_open_by_its_quotes(at, hold, quote):
    hold("yahoo")
    at(TRADING)
    facts = {"name": "", "currency": "EUR", "time_zone": "Europe/Belgrade"}
    Symbol.objects.create(ticker="NIIS.BE", exchange="XBEL", **facts)
    assert not exchanges.is_open("XBEL")
    quotes.keep([quote("NIIS.BE", 700.0)])
    assert exchanges.is_open("XBEL")
    quotes.keep([quote("NIIS.BE", 700.0, market_state="closed")])
    assert not exchanges.is_open("XBEL")
    assert exchanges.is_open()
