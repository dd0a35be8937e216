"""What a change is counted from: the session before by real calendars, in the session's shares, or nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from market import actions, bars, closes, monitor, quotes
from market.closes import Closes
from market.models import DataSource, Symbol
from market.prices import Action, Bar, Named, midnight
from monitoring.models import Job
from tests.market.conftest import hold  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db

MONDAY, TUESDAY, WEDNESDAY = date(2026, 6, 8), date(2026, 6, 9), date(2026, 6, 10)
HOMES = {
    "IBM": ("XNYS", "America/New_York", "equity"),
    "005930.KS": ("XKRX", "Asia/Seoul", "equity"),
    "BTC-USD": ("CCC", "UTC", "crypto"),
    "EURUSD=X": ("CCY", "Europe/London", "currency"),
    "CL=F": ("NYM", "America/New_York", "future"),
}


@pytest.fixture(autouse=True)
def live(hold):  # noqa: F811
    hold("yahoo")


@pytest.fixture
def traded():
    """traded("IBM", {MONDAY: 10}): its bars, and a symbol of its exchange."""

    def traded(ticker: str, closes: dict[date, float], **facts) -> Symbol:
        exchange, zone, kind = HOMES[ticker]
        known = {"name": ticker, "exchange": exchange, "time_zone": zone, "currency": "USD", "asset_type": kind}
        symbol = Symbol.objects.create(ticker=ticker, **known | facts)
        bars.upsert(
            [
                Bar(ticker, "1d", midnight(on), close, close, close, close, 1000, True, "yahoo", midnight(on))
                for on, close in closes.items()
            ]
        )
        return symbol

    return traded


@pytest.fixture
def counted(quote):
    """counted("IBM", 12, told=10): the close that a quote of Wednesday is counted from, and its change in percent."""

    def counted(
        ticker: str, price: float, told: float | None, session: date = WEDNESDAY, seen=None, asks=False, **fields
    ):
        now = quote(ticker, price, previous_close=told, session_date=session, **fields)
        (found,) = Closes(asks=asks).counted([now], {ticker: seen} if seen else {})
        assert replace(found, previous_close=told) == now
        return found.previous_close

    return counted


def test_the_day_after_a_close_below_zero_has_a_change_and_none_in_percent(traded, quote):
    traded("CL=F", {MONDAY: 18.27, TUESDAY: -37.63})  # as oil was on 2020-04-20
    now = quote("CL=F", 10.01, previous_close=None, session_date=WEDNESDAY)
    (found,) = Closes(asks=False).counted([now], {})
    assert (found.previous_close, round(found.change, 2), found.change_percent) == (-37.63, 47.64, None)
    assert quotes.keep([found], negative={"CL=F"}) == [found]


def test_yesterdays_hole_makes_no_older_close_the_one_before(traded, counted):
    traded("IBM", {MONDAY: 10})
    assert counted("IBM", 12, told=10) is None


def test_a_close_that_we_have_not_yet_is_the_sources(traded, counted):
    traded("IBM", {MONDAY: 10})
    assert counted("IBM", 12, told=11.5) == 11.5


def test_a_close_that_the_source_corrects_counts_from_then_on(traded, quote):
    traded("IBM", {MONDAY: 10})
    known = Closes(asks=False)
    for told in (12.0, 12.0, 12.5):
        (found,) = known.counted([quote("IBM", 13, previous_close=told, session_date=WEDNESDAY)], {})
        assert found.previous_close == told


def test_the_close_that_we_hold_of_the_session_before_is_the_one(traded, counted):
    traded("IBM", {MONDAY: 10, TUESDAY: 11.5})
    assert (counted("IBM", 12, told=None), counted("IBM", 12, told=11.52)) == (11.5, 11.5)


@pytest.mark.parametrize(
    ("ticker", "before", "session"),
    [
        ("IBM", date(2026, 5, 22), date(2026, 5, 26)),  # Memorial Day
        ("005930.KS", date(2026, 5, 4), date(2026, 5, 6)),  # Children's Day
        ("IBM", date(2026, 6, 5), MONDAY),
        ("BTC-USD", date(2026, 6, 7), MONDAY),
        ("EURUSD=X", date(2026, 6, 5), MONDAY),
    ],
)
def test_the_session_before_is_the_calendars(traded, counted, ticker, before, session):
    traded(ticker, {before: 100})
    assert counted(ticker, 101, told=None, session=session) == 100


def test_of_what_trades_on_sunday_fridays_close_is_none(traded, counted):
    traded("BTC-USD", {date(2026, 6, 5): 100})
    assert counted("BTC-USD", 101, told=100, session=MONDAY) is None


@pytest.mark.parametrize("told", [1000, 100, 99.9, None])
@pytest.mark.parametrize(("ratio", "close"), [((10, 1), 100), ((11, 10), 909.09), ((10, 11), 1100), ((1, 50), 50_000)])
def test_on_the_day_of_a_known_split_the_close_is_in_its_shares(traded, counted, told, ratio, close):
    symbol = traded("IBM", {TUESDAY: 1000})
    split = Action("IBM", "split", WEDNESDAY, ratio[0] / ratio[1], *map(float, ratio))
    actions.keep(symbol, Named([split]), "yahoo")
    assert counted("IBM", close, told=told, asks=True) == close
    assert not Job.objects.exists()


def test_of_a_close_that_we_have_not_nobody_says_of_which_shares_it_is(traded, counted):
    symbol = traded("IBM", {MONDAY: 990})
    actions.keep(symbol, Named([Action("IBM", "split", WEDNESDAY, 10.0, 10.0, 1.0)]), "yahoo")
    assert counted("IBM", 101, told=1000) is None


@pytest.mark.parametrize(("ex_date", "close"), [(TUESDAY, 100), (WEDNESDAY, None)])
def test_without_bars_only_a_split_of_the_day_itself_makes_it_unknown(traded, counted, ex_date, close):
    symbol = traded("IBM", {})
    actions.keep(symbol, Named([Action("IBM", "split", ex_date, 10.0, 10.0, 1.0)]), "yahoo")
    assert counted("IBM", 101, told=100) == close


def test_a_look_that_failed_is_taken_again(traded, quote, monkeypatch):
    traded("IBM", {MONDAY: 10})
    counting, now = Closes(asks=True), quote("IBM", 12, previous_close=10, session_date=WEDNESDAY)
    with monkeypatch.context() as patched:
        patched.setattr(closes.stored, "closes_before", lambda days: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            counting.counted([now], {})
    assert counting.counted([now], {})[0].previous_close is None


def test_a_split_of_the_day_after_changes_nothing_today(traded, counted):
    symbol = traded("IBM", {TUESDAY: 1000})
    actions.keep(symbol, Named([Action("IBM", "split", date(2026, 6, 11), 10.0, 10.0, 1.0)]), "yahoo")
    assert counted("IBM", 1010, told=1000) == 1000


def test_a_source_that_knows_of_a_split_that_we_do_not_is_believed(traded, counted):
    traded("IBM", {TUESDAY: 1000})
    assert counted("IBM", 101, told=100) == 100


def test_a_gap_that_a_split_would_explain_is_asked_about_before_it_counts(traded, quote):
    symbol = traded("IBM", {TUESDAY: 1000})
    counting, gap = Closes(asks=True), quote("IBM", 101, previous_close=1000, session_date=WEDNESDAY)

    def close() -> float | None:
        return counting.counted([gap], {})[0].previous_close

    assert (close(), close()) == (None, None)
    job = Job.objects.get()
    assert (job.name, job.arguments) == ("market.history_chunk", {"symbols": ["IBM"]})
    actions.keep(symbol, Named([Action("IBM", "split", WEDNESDAY, 10.0, 10.0, 1.0)]), "yahoo")
    Job.objects.update(state="completed", lane=None)
    assert close() == 100


def test_a_gap_that_is_none_of_a_split_counts_as_soon_as_that_is_known(traded, quote):
    traded("IBM", {TUESDAY: 100})
    counting, gap = Closes(asks=True), quote("IBM", 50, previous_close=100, session_date=WEDNESDAY)
    assert counting.counted([gap], {})[0].previous_close is None
    Job.objects.update(state="failed", lane=None)
    assert [counting.counted([gap], {})[0].previous_close for _ in range(2)] == [100, 100]
    assert Job.objects.count() == 1


def test_nobody_waits_for_an_answer_for_ever(traded, quote, monkeypatch):
    traded("IBM", {TUESDAY: 100})
    counting, gap = Closes(asks=True), quote("IBM", 50, previous_close=100, session_date=WEDNESDAY)
    assert counting.counted([gap], {})[0].previous_close is None
    monkeypatch.setattr(closes, "PATIENCE_SECONDS", 0.0)
    assert counting.counted([gap], {})[0].previous_close == 100


@pytest.mark.parametrize(("opened", "close"), [(93, 100), (107, 100), (91, None), (110, None)])
def test_only_a_gap_of_the_open_is_asked_about(traded, counted, opened, close):
    traded("IBM", {TUESDAY: 100})
    assert counted("IBM", 60, told=100, open=opened, asks=True) == close


def test_coins_and_currencies_are_never_split(traded, counted):
    traded("BTC-USD", {TUESDAY: 100})
    assert counted("BTC-USD", 50, told=51, asks=True) == 100


def test_the_last_price_before_midnight_is_a_coins_close(traded, counted, quote):
    traded("BTC-USD", {MONDAY: 90})
    end = datetime(2026, 6, 10, tzinfo=UTC)
    late, early = (quote("BTC-USD", 100, session_date=TUESDAY, as_of=end - timedelta(seconds=s)) for s in (2, 301))
    assert counted("BTC-USD", 101, told=90.5, seen=late) == 100
    assert counted("BTC-USD", 101, told=None, seen=early) is None


def test_what_was_seen_before_midnight_is_known_all_day(traded, quote, monkeypatch):
    traded("BTC-USD", {})
    end = datetime(2026, 6, 10, tzinfo=UTC)
    before = quote("BTC-USD", 100, session_date=TUESDAY, as_of=end - timedelta(seconds=1))
    first, next_one = (quote("BTC-USD", each, previous_close=None, session_date=WEDNESDAY) for each in (101, 102))
    counting = Closes(asks=True)
    monkeypatch.setattr(closes, "LOOK_SECONDS", 0.0)
    assert counting.counted([first], {"BTC-USD": before})[0].previous_close == 100
    assert counting.counted([next_one], {"BTC-USD": first})[0].previous_close == 100


def test_the_last_price_of_a_share_is_not_taken_for_its_close(traded, counted, quote):
    traded("IBM", {MONDAY: 90})
    last = quote("IBM", 100, session_date=TUESDAY, as_of=datetime(2026, 6, 9, 20, tzinfo=UTC))
    assert counted("IBM", 101, told=None, seen=last) is None


def test_what_is_learned_in_a_session_counts_from_then_on(traded, quote, monkeypatch):
    traded("IBM", {MONDAY: 10})
    counting, now = Closes(asks=True), quote("IBM", 12, previous_close=10, session_date=WEDNESDAY)
    assert counting.counted([now], {})[0].previous_close is None
    bars.upsert([Bar("IBM", "1d", midnight(TUESDAY), 11.9, 11.9, 11.9, 11.9, 1, True, "yahoo", midnight(TUESDAY))])
    assert counting.counted([now], {})[0].previous_close is None
    monkeypatch.setattr(closes, "LOOK_SECONDS", 0.0)
    assert counting.counted([now], {})[0].previous_close == 11.9


def test_a_session_is_looked_up_once(traded, quote, django_assert_num_queries):
    for ticker in HOMES:
        traded(ticker, {TUESDAY: 100})
    counting, told = Closes(asks=True), [quote(ticker, 101, session_date=WEDNESDAY) for ticker in HOMES]
    with django_assert_num_queries(4):
        counting.counted(told, {})
    with django_assert_num_queries(0):
        counting.counted(told, {})


def test_a_recording_says_what_it_counts_from(traded, counted, hold):  # noqa: F811
    DataSource.objects.update(name="replay")
    traded("IBM", {MONDAY: 10})
    assert counted("IBM", 12, told=10) == 10


def test_without_a_calendar_the_source_is_believed(traded, counted):
    traded("IBM", {MONDAY: 10}, exchange="NOWHERE")
    assert counted("IBM", 12, told=10) == 10


def test_a_polled_price_has_it_too(traded, quote, monkeypatch):
    traded("IBM", {MONDAY: 10})
    asked = type("Source", (), {"name": "yahoo", "quotes": lambda self, wanted: [
        quote("IBM", 12, previous_close=10, session_date=WEDNESDAY)]})  # fmt: skip
    monkeypatch.setattr(monitor.sources, "source", asked)
    monitor.ask(["IBM"])
    assert quotes.latest(["IBM"])["IBM"].previous_close is None
