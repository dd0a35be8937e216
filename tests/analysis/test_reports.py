"""A report is of sessions of each exchange's calendar: the real ones of Seoul, London, New York, coins, currencies."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analysis.reports import datasets, spans, tracked
from market import bars, quotes
from market.bars import forming
from market.calendars import hours, sessions
from market.models import Bar as BarRow
from market.models import Symbol
from market.prices import CLOSED_BAR, SECOND, Bar, Quote, midnight
from tests.market.conftest import hold  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db

WEDNESDAY, TUESDAY, MONDAY = date(2026, 6, 10), date(2026, 6, 9), date(2026, 6, 8)
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
EVENING = datetime(2026, 6, 10, 22, tzinfo=UTC)  # New York's session is over
HOMES = {
    "005930.KS": ("XKRX", "Asia/Seoul", "KRW"),
    "BP.L": ("XLON", "Europe/London", "GBp"),
    "BTC-USD": ("CCC", "UTC", "USD"),
    "EURUSD=X": ("CCY", "Europe/London", "USD"),
    "NIIS.BE": ("NOWHERE", "Europe/Belgrade", "EUR"),
}


@pytest.fixture
def at(monkeypatch):
    """at(instant): what the wall's clock shows to who asks the calendars."""

    def set_to(now: datetime) -> None:
        clock = type("Clock", (datetime,), {"now": classmethod(lambda cls, zone=None: now)})
        monkeypatch.setattr(hours, "datetime", clock)

    return set_to


@pytest.fixture(autouse=True)
def by_calendar(hold, at):  # noqa: F811
    hold("yahoo")
    at(EVENING)


def known(ticker: str) -> Symbol:
    exchange, zone, currency = HOMES.get(ticker, ("XNYS", "America/New_York", "USD"))
    facts = {"name": ticker, "exchange": exchange, "time_zone": zone, "currency": currency}
    return Symbol.objects.get_or_create(ticker=ticker, defaults=facts)[0]


def traded(ticker: str, closes: dict[date, float]) -> Symbol:
    symbol = known(ticker)
    bars.upsert(
        [
            Bar(ticker, "1d", midnight(on), close, close, close, close, 1000, True, "yahoo", midnight(on))
            for on, close in closes.items()
        ]
    )
    return symbol


def quoted(ticker: str, price: float, session: date, received_at: datetime, **fields) -> Quote:
    values = {"previous_close": None, "open": price, "high": price, "low": price, "volume": 10, "session_date": session,
              "as_of": midnight(session), "as_of_precision": SECOND, "received_at": received_at, "source": "yahoo",
              "market_state": "closed"}  # fmt: skip
    return Quote(**{"ticker": ticker, "price": price, **values, **fields})


def test_a_day_is_the_last_finished_session_of_each_exchange(at):
    at(NOON)
    for ticker in ("005930.KS", "BP.L", "IBM", "BTC-USD", "EURUSD=X"):
        traded(ticker, {MONDAY: 90, TUESDAY: 100, WEDNESDAY: 110})
    told = tracked.compose("day", None)
    days = {exchange: each["to"] for exchange, each in told["sessions"].items()}
    assert days == {"XKRX": "2026-06-10"} | dict.fromkeys(("CCC", "CCY", "XLON", "XNYS"), "2026-06-09")
    assert {ticker: each["close"] for ticker, each in told["symbols"].items()} == {
        "005930.KS": 110, "BP.L": 100, "BTC-USD": 100, "EURUSD=X": 100, "IBM": 100,
    }  # fmt: skip
    assert (told["from"], told["to"]) == ("2026-06-09", "2026-06-10")


@pytest.mark.parametrize(("minute", "session"), [(19, TUESDAY), (20, WEDNESDAY)])
def test_a_session_is_finished_when_its_prices_have_settled(at, minute, session):
    at(datetime(2026, 6, 10, 20, minute, tzinfo=UTC))
    assert spans.of("XNYS", "day").last == session


def test_who_was_halted_is_no_riser_of_today_and_is_named():
    traded("IBM", {TUESDAY: 100, WEDNESDAY: 101})
    traded("HALT", {date(2026, 2, 12): 10, date(2026, 2, 13): 20})
    quotes.keep([quoted("HALT", 20, date(2026, 2, 13), EVENING)])
    told = tracked.compose("day", None)
    assert (told["risers"], list(told["symbols"])) == (["IBM"], ["IBM"])
    assert told["breadth"]["rising"] == 1
    assert told["without_bar"] == {
        "HALT": {"reason": "halted", "since": "2026-02-13", "text": "it has not traded since 2026-02-13"}
    }


def test_whose_bar_has_not_come_is_not_said_to_be_halted():
    traded("IBM", {MONDAY: 99, TUESDAY: 100})
    traded("OLD", {MONDAY: 99})
    known("NEW")
    quotes.keep([
        quoted("IBM", 101, WEDNESDAY, EVENING),
        quoted("OLD", 20, MONDAY, EVENING - timedelta(days=1)),  # told before the session was over
    ])  # fmt: skip
    told = tracked.compose("day", None)["without_bar"]
    assert {ticker: (each["reason"], each["since"]) for ticker, each in told.items()} == {
        "IBM": ("not_held", "2026-06-09"), "OLD": ("not_held", "2026-06-08"), "NEW": ("not_held", None),
    }  # fmt: skip


def test_what_is_not_collected_any_more_is_named_as_such():
    traded("IBM", {TUESDAY: 100, WEDNESDAY: 101})
    traded("GONE", {MONDAY: 5})
    Symbol.objects.filter(ticker="GONE").update(is_active=False)
    told = tracked.compose("day", ["IBM", "GONE"])["without_bar"]
    assert (told["GONE"]["reason"], told["GONE"]["since"]) == ("not_tracked", "2026-06-08")


@pytest.mark.parametrize(("last", "reason"), [(TUESDAY, "delisted"), (WEDNESDAY, "not_held")])
def test_what_is_traded_no_more_is_named_with_its_last_session(last, reason):
    traded("IBM", {TUESDAY: 100, WEDNESDAY: 101})
    traded("TWTR", {MONDAY: 5})
    Symbol.objects.filter(ticker="TWTR").update(last_session=last)
    told = tracked.compose("day", None)["without_bar"]["TWTR"]
    assert (told["reason"], told["since"]) == (reason, {"delisted": "2026-06-09", "not_held": "2026-06-08"}[reason])


def test_the_order_is_total():
    for ticker, closes in {"B": (10, 11), "A": (10, 11), "C": (10, 12), "D": (10, 9), "E": (10, 9), "F": (10, 8),
                           "SAME": (10, 10)}.items():  # fmt: skip
        traded(ticker, dict(zip((TUESDAY, WEDNESDAY), closes, strict=True)))
    traded("FIRST", {WEDNESDAY: 10})  # knows no change, which is none of zero
    told = tracked.compose("day", None)
    assert (told["risers"], told["fallers"]) == (["C", "A", "B"], ["F", "D", "E"])
    assert told["breadth"] == {"rising": 3, "falling": 3, "unchanged": 1}
    assert told["new_high"] == ["A", "B", "C", "FIRST"]


def test_a_change_is_counted_from_the_session_before_by_the_calendar():
    traded("HOLE", {MONDAY: 10, WEDNESDAY: 12})
    told = tracked.compose("day", None)
    assert (told["symbols"]["HOLE"]["previous_close"], told["symbols"]["HOLE"]["change_percent"]) == (None, None)
    assert told["risers"] == []


def test_a_volume_is_measured_by_the_usual_one():
    symbol = traded("IBM", {MONDAY: 99, TUESDAY: 100, WEDNESDAY: 101})
    for on, volume in ((MONDAY, 1000), (TUESDAY, 3000), (WEDNESDAY, 5000)):
        volumed(symbol, on, volume)
    told = tracked.compose("day", None)["symbols"]["IBM"], tracked.compose("week", None)["symbols"]["IBM"]
    assert [(each["volume"], each["volume_ratio"]) for each in told] == [(5000, 2.5), (9000, None)]


def test_a_volume_that_is_not_known_is_none(at):
    symbol = traded("IBM", {TUESDAY: 100, WEDNESDAY: 101})
    volumed(symbol, WEDNESDAY, None)
    told = tracked.compose("day", None)["symbols"]["IBM"]
    assert (told["volume"], told["volume_ratio"]) == (None, None)


def volumed(symbol: Symbol, on: date, volume: int | None) -> None:
    BarRow.objects.filter(symbol=symbol, opened_at=midnight(on)).update(volume=volume)


def test_a_week_is_the_exchanges_own(at):
    at(datetime(2026, 5, 30, 12, tzinfo=UTC))  # Memorial Day was Monday, the 25th; Seoul kept that day as Buddha's
    week = {date(2026, 5, day): 100.0 + day for day in (21, 22, 26, 27, 28, 29)}
    traded("IBM", week)
    traded("BTC-USD", week | {date(2026, 5, 24): 50.0, date(2026, 5, 25): 60.0})
    told = tracked.compose("week", None)
    assert told["sessions"]["XNYS"] == {
        "from": "2026-05-26", "to": "2026-05-29", "previous": "2026-05-22", "known_by": "calendar"
    }  # fmt: skip
    assert told["symbols"]["IBM"]["previous_close"] == 122
    assert (told["symbols"]["BTC-USD"]["from"], told["symbols"]["BTC-USD"]["previous_close"]) == ("2026-05-25", 50)


def test_where_there_is_no_calendar_the_bars_say_the_session():
    traded("NIIS.BE", {MONDAY: 10, TUESDAY: 11})
    told = tracked.compose("day", None)
    assert told["sessions"]["NOWHERE"] == {
        "from": "2026-06-09", "to": "2026-06-09", "previous": None, "known_by": "bars"
    }  # fmt: skip
    assert told["risers"] == ["NIIS.BE"]


def test_the_state_of_the_market_counts_no_bar_of_another_time():
    traded("IBM", {MONDAY: 99, TUESDAY: 100, WEDNESDAY: 101})
    traded("HALT", {date(2026, 2, 12): 10, date(2026, 2, 13): 20})
    traded("HOLE", {MONDAY: 10, WEDNESDAY: 12})
    told = tracked.technical(None)
    assert told["breadth"]["rising"] == 1
    assert (list(told["symbols"]), list(told["without_bar"])) == (["HOLE", "IBM"], ["HALT"])
    assert told["symbols"]["HOLE"]["change_percent"] is None


def test_what_may_still_be_settled_is_marked_as_closed():
    traded("IBM", {MONDAY: 99, TUESDAY: 100})
    on = midnight(WEDNESDAY)
    bars.upsert([Bar("IBM", "1d", on, 101, 101, 101, 101, 1000, False, "yahoo", on, state=CLOSED_BAR)])
    told = tracked.compose("day", None)["symbols"]["IBM"], tracked.technical(None)["symbols"]["IBM"]
    assert [(each["close"], each["state"]) for each in told] == [(101, "closed")] * 2
    assert datasets.process("IBM", "1d")["state"] == "closed"
    assert tracked.compose("week", ["IBM"])["symbols"]["IBM"]["state"] == "closed"


def test_a_data_set_of_a_day_holds_the_last_finished_session_while_another_runs(at):
    at(datetime(2026, 6, 10, 15, tzinfo=UTC))
    symbol = traded("IBM", {MONDAY: 99, TUESDAY: 100})
    forming.keep([forming.daily_bar(quoted("IBM", 105, WEDNESDAY, NOON, market_state="open"))])
    told = datasets.process("IBM", "1d")
    assert (told["bars"], told["last"], told["as_of"]) == (1, "2026-06-09", "2026-06-09T00:00:00Z")
    assert told["finished"] == {"session": "2026-06-09", "known_by": "calendar", "is_held": True, "lacking": None}
    assert told["missing"] == 0
    assert symbol.exchange == "XNYS"


def test_a_data_set_that_lacks_the_last_finished_session_says_so():
    traded("IBM", {MONDAY: 99})
    told = datasets.process("IBM", "1mo")
    assert (told["finished"]["session"], told["finished"]["is_held"]) == ("2026-06-10", False)
    assert told["finished"]["lacking"]["reason"] == "not_held"
    assert told["missing_sessions"] == ["2026-06-09", "2026-06-10"]


@pytest.mark.parametrize(
    ("ticker", "a_year", "by"), [("BTC-USD", 365, "calendar"), ("IBM", 250, "calendar"), ("NIIS.BE", 252, "convention")]
)
def test_volatility_is_annualised_by_the_exchanges_sessions(ticker, a_year, by):
    traded(ticker, {MONDAY: 100, TUESDAY: 110, WEDNESDAY: 99})
    told = datasets.process(ticker, "1mo")["statistics"]
    assert (told["sessions_a_year"], told["sessions_by"]) == (a_year, by)
    daily = 14.18956  # the deviation of ln(1.1) and ln(0.9), in percent
    assert told["volatility_percent"] == pytest.approx(daily * a_year**0.5, rel=1e-5)


@pytest.mark.parametrize(
    ("mic", "until", "count"),
    [("XNYS", date(2012, 9, 21), 252), ("CCC", date(2026, 6, 10), 365), ("CCY", date(2026, 6, 10), 261)],
)
def test_a_year_is_counted_by_the_calendar(mic, until, count):
    assert sessions.a_year(mic, until) == count
