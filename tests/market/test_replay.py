"""The recorded source: real prices alone, in order, and a rewind that leaves nothing of what was played."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from market import bars, prices, quotes, symbols
from market.bars import forming
from market.coverage import held as coverage
from market.coverage import telling
from market.coverage.told import held as covered
from market.models import Bar as BarRow
from market.models import BarRevision, CorporateAction, DataSource, Record, Snapshot, Symbol
from market.prices import Quote
from market.sources import Rewind, Tick
from market.sources.replay import recording
from market.sources.replay.source import Replay
from tests.conftest import shared_database

FIRST, LAST = date(2012, 9, 4), date(2013, 3, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fast(db, settings) -> None:
    settings.REPLAY_START, settings.REPLAY_SESSION_SECONDS = "2012-09-04", 0
    DataSource.objects.create(pk=1, name="replay", reason="a test", chosen_at=NOW)


def played(count: int) -> list[Tick | Rewind]:
    """What a source that was just started tells, each event but the last stored as the feed stores it."""
    source = Replay()
    source.prepare()
    return list(islice(stored(source.batches(threading.Event())), count))


def told(count: int) -> list[Quote]:
    return [event.quotes[0] for event in played(count)]


def stored(events: Iterator[Tick | Rewind]) -> Iterator[Tick | Rewind]:
    for event in events:
        yield event
        if isinstance(event, Tick):
            made = [forming.daily_bar(quote) for quote in quotes.keep(event.quotes)]
            bars.upsert([bar for bar in made if bar.is_final])
            forming.keep(made)


def start(settings, day: str, tickers: str = "AAPL FB GOOG IBM MSFT") -> None:
    """Play from another day on, and only some of the symbols."""
    settings.REPLAY_START = day
    Replay().prepare()
    Symbol.objects.exclude(ticker__in=tickers.split()).update(is_active=False)


def test_history_is_there_up_to_the_start_and_not_beyond():
    Replay().prepare()
    held = coverage.latest(recording.TICKERS)
    assert {ticker: held[ticker]["1d"]["count"] for ticker in held} == {
        ticker: sum(day < FIRST for day in recording.days(ticker)) for ticker in recording.TICKERS
    }
    assert bars.history("IBM", limit=1)[0].session_date == date(2012, 8, 31)


def test_who_gets_a_ticker_that_was_given_up_gets_nothing_of_its_recording(settings):
    start(settings, "2012-09-04", "FB")
    symbols.rename("FB", "META")
    facts = {"exchange": "XNAS", "currency": "USD", "time_zone": "America/New_York"}
    other = Symbol.objects.create(ticker="FB", name="Fibre plc", **facts)
    BarRow.objects.filter(symbol__ticker="META").delete()  # what was loaded before is loaded again
    assert {quote.ticker for quote in told(25)} == {"META"}
    before = BarRow.objects.filter(symbol__ticker="META", opened_at__lt=prices.midnight(FIRST))
    assert before.count() == len([day for day in recording.days("FB") if day < FIRST]) > 50
    assert (Replay().history(other, date(2000, 1, 1))[0], other.bars.exists()) == ([], False)


@pytest.mark.django_db(transaction=True)
def test_the_recording_is_a_whole_history_so_that_what_is_told_of_it_later_is_a_correction(redis):
    Replay().prepare()
    known = covered(recording.TICKERS, "1d")
    assert [ticker for ticker, held in known.items() if held.held and not held.complete] == []
    bar = bars.history("IBM", adjusted="raw", limit=5)[0]
    assert telling.LIST.flush()  # a thread appends to it
    redis.delete(telling.LIST.key)
    bars.upsert([replace(bar, close=bar.low, received_at=datetime.now(UTC))])
    assert telling.LIST.flush()
    [change] = telling.FORMAT.unpack_all(redis.lrange(telling.LIST.key, 0, -1))
    assert (change.span.reason, change.span.first) == (telling.REVISION, bar.session_date)


def test_preparing_again_changes_nothing():
    Replay().prepare()
    before = list(BarRow.objects.values_list())
    Replay().prepare()
    assert list(BarRow.objects.values_list()) == before


def test_every_symbol_has_a_quote_before_the_first_step():
    Replay().prepare()
    for ticker, quote in quotes.latest(recording.TICKERS).items():
        assert (quote.price, quote.is_final) == (recording.days(ticker)[date(2012, 8, 31)].close, True)


def test_a_session_tells_recorded_prices_alone_and_its_volume_with_the_close():
    session = told(20)
    for ticker in recording.TICKERS:
        day = recording.days(ticker)[FIRST]
        mine = [quote for quote in session if quote.ticker == ticker]
        assert [quote.price for quote in mine] == list(day.path)
        assert set(day.path) == {day.open, day.high, day.low, day.close}
        assert [quote.volume for quote in mine] == [None, None, None, day.volume]
        assert [quote.is_final for quote in mine] == [False, False, False, True]
        assert {quote.as_of for quote in mine} == {datetime(2012, 9, 4, tzinfo=UTC)}


@pytest.mark.parametrize(("low", "high", "extremes"), [(9, 12, (9, 12)), (7, 12, (12, 7)), (9, 11, (11, 9))])
def test_the_nearer_of_high_and_low_comes_first(low, high, extremes):
    assert recording.Day(10, high, low, 10.5, 1).path == (10, *extremes, 10.5)


def test_the_forming_bar_grows_to_the_recorded_one():
    day = recording.days("AAPL")[FIRST]
    played(7)  # its open and its low, which was nearer
    bar = forming.latest(["AAPL"])["AAPL"]
    assert (bar.open, bar.high, bar.low, bar.close) == (day.open, day.open, day.low, day.low)
    played(12)
    assert forming.latest(["AAPL"])["AAPL"] is None
    last = bars.history("AAPL", limit=1)[0]
    assert (last.session_date, last.open, last.high, last.low, last.close, last.volume) == (FIRST, *day)


def test_a_symbol_without_a_bar_on_a_session_is_left_out(settings):
    start(settings, "2012-05-17")
    two = told(16 + 20)
    assert {quote.ticker for quote in two[:16]} == {"AAPL", "GOOG", "IBM", "MSFT"}
    assert {quote.ticker for quote in two[16:]} == set(recording.TICKERS)
    assert next(quote for quote in two if quote.ticker == "FB").previous_close is None


@pytest.mark.parametrize(
    ("ticker", "session", "close_before"),
    [("AAPL", "2000-06-21", 50.625), ("AAPL", "2005-02-28", 44.495), ("MSFT", "2003-02-18", 24.15)],
)
def test_the_close_before_a_split_is_restated_and_no_fall_is_seen(settings, ticker, session, close_before):
    start(settings, session, ticker)
    session = told(4)
    assert {quote.previous_close for quote in session} == {close_before}
    assert all(quote.change_percent > -5 for quote in session)
    assert bars.history(ticker, limit=2)[0].close == close_before


def test_a_split_is_not_known_before_its_session(settings):
    start(settings, "2005-02-25", "AAPL")
    splits = CorporateAction.objects.filter(symbol__ticker="AAPL", kind="split", value=2, source="replay")
    played(4)
    assert [split.ex_date for split in splits] == [date(2000, 6, 21)]
    played(2)
    assert [split.ex_date for split in splits.all()] == [date(2000, 6, 21), date(2005, 2, 28)]


def test_apples_fall_of_2000_is_real(settings):
    start(settings, "2000-09-29", "AAPL")
    session = told(4)
    assert [quote.previous_close for quote in session] == [53.5] * 4
    assert session[0].change_percent < -47


def test_a_step_that_was_interrupted_comes_again_as_the_same_quote():
    before = told(8)  # the eighth was told and the ninth not asked for: whether it was stored is not known
    after = told(3)
    assert after[0] == before[7]
    assert [quote.ticker for quote in after] == ["GOOG", "IBM", "MSFT"]


def test_without_redis_the_rows_tell_where_it_stood(redis):
    played(20 + 17)  # of the second session AAPL's close is stored, and FB's was told
    redis.flushall()
    again = told(17)
    second, third = date(2012, 9, 5), date(2012, 9, 6)
    assert {quote.ticker for quote in again[:16]} == {"FB", "GOOG", "IBM", "MSFT"}
    assert {quote.session_date for quote in again[:16]} == {second}
    assert (again[16].ticker, again[16].session_date) == ("AAPL", third)


def test_a_lost_database_is_played_from_the_start_whatever_redis_says():
    played(45)
    BarRow.objects.all().delete()
    assert told(1)[0].session_date == FIRST


def test_a_hole_in_what_was_played_is_filled_at_the_next_start():
    played(61)
    hole = BarRow.objects.filter(symbol__ticker="IBM", opened_at=prices.midnight(date(2012, 9, 5)))
    assert hole.delete()[0] == 1
    Replay().prepare()
    assert hole.exists()


def test_at_the_end_nothing_of_what_was_played_is_left(settings):
    first, before = date(2013, 2, 27), date(2013, 2, 26)
    start(settings, "2013-02-27")
    *ticks, rewind = played(3 * 20 + 1)
    assert sorted({tick.quotes[0].session_date for tick in ticks}) == [first, date(2013, 2, 28), LAST]
    assert (rewind, DataSource.objects.get().epoch) == (Rewind(2, first), 2)
    assert BarRow.objects.latest("opened_at").opened_at == prices.midnight(before)
    assert not Snapshot.objects.filter(session_date__gte=first).exists()
    assert not any(forming.latest(recording.TICKERS).values())
    assert {quote.session_date for quote in quotes.latest(recording.TICKERS).values()} == {before}
    assert set(Record.objects.values_list("as_of", flat=True)) == {before}


def test_a_rewind_takes_back_splits_and_revisions(settings):
    start(settings, "2013-03-01", "AAPL")
    apple = Symbol.objects.get(ticker="AAPL")
    CorporateAction.objects.create(symbol=apple, kind="split", ex_date=LAST, value=2, source="replay", received_at=NOW)
    last = recording.bars("AAPL", date.max, NOW)[-1]
    bars.upsert([last])
    bars.upsert([replace(last, volume=1, received_at=NOW + timedelta(seconds=1))])
    assert BarRevision.objects.count() == 1
    assert isinstance(played(1)[-1], Rewind)
    assert not BarRevision.objects.exists()
    assert not CorporateAction.objects.filter(ex_date=LAST).exists()


def test_a_rewind_that_was_interrupted_is_told_again(settings):
    start(settings, "2013-03-01")
    *_, rewind = played(21)
    again, tick = played(2)
    assert again == rewind
    assert tick.quotes[0].session_date == LAST
    assert DataSource.objects.get().epoch == 2


def test_the_clock_is_that_of_the_session_played():
    played(21)
    assert Replay().now() == datetime(2012, 9, 5, tzinfo=UTC)


def test_it_ends_when_it_is_told_to():
    stop, source = threading.Event(), Replay()
    source.prepare()
    events = source.batches(stop)
    next(events)
    stop.set()
    assert next(events, None) is None


@pytest.mark.parametrize("text", ["soon", "1999-01-01", "2013-03-04"])
def test_a_start_that_is_not_recorded_is_refused_with_what_is(settings, text):
    settings.REPLAY_START = text
    with pytest.raises(ImproperlyConfigured, match="after 2000-03-01 and up to 2013-03-01"):
        Replay()


def killed(seconds: float) -> list[str]:
    """What a process that plays was told until it was killed, a line each; the last may be cut."""
    environment = {**os.environ, **shared_database(), "DJANGO_SETTINGS_MODULE": "finstage.settings"}
    environment["FINSTAGE_REPLAY_SESSION_SECONDS"] = "0.05"
    program = "import django; django.setup(); from tests.market import player; player.play()"
    command = [sys.executable, "-c", program]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    first = process.stdout.readline()
    time.sleep(seconds)
    process.kill()
    watchdog.cancel()
    return [first, *process.communicate()[0].splitlines(keepends=True)]


@pytest.mark.db
@pytest.mark.django_db(transaction=True)
def test_killed_at_any_moment_it_loses_and_doubles_nothing():
    lines = [line for part in range(5) for line in killed(0.1 + part * 0.037) if line.endswith("\n")]
    steps = [line for line, before in zip(lines, ["", *lines], strict=False) if line != before]
    told = [tuple(line.split()[:3]) for line in steps]
    assert told == expected(len(told))
    assert len(lines) - len(steps) <= 4  # only the step of the moment came again, and as the same quote
    assert not BarRevision.objects.exists()
    for ticker in recording.TICKERS:
        found = bars.history(ticker, adjusted="raw", start=prices.midnight(FIRST))
        finals = [(one.session_date, one.close) for one in found if one.is_final]
        days = [(session, day.close) for session, day in recording.days(ticker).items() if session >= FIRST]
        assert finals == days[: len(finals)]


def expected(count: int) -> list[tuple[str, ...]]:
    """The first steps after the start: session, symbol and price."""
    sessions = [session for session in recording.sessions() if session >= FIRST]
    steps = (
        (str(session), ticker, str(recording.days(ticker)[session].path[step]))
        for session in sessions
        for step in range(recording.STEPS)
        for ticker in recording.TICKERS
    )
    return list(islice(steps, count))
