"""The recorded source: real prices alone, in order; its clock is a row, and nothing is read of what is to come."""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from itertools import islice

import numpy as np
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection

from market import actions, bars, prices, quotes, symbols
from market.bars import forming
from market.clock import passes
from market.coverage import held as coverage
from market.coverage import telling
from market.coverage.told import held as covered
from market.models import Bar as BarRow
from market.models import CorporateAction, DataSource, PlayerWish, Record, Snapshot, Symbol
from market.player import steering
from market.prices import Quote
from market.sources import Jump, Tick
from market.sources.replay.source import Replay
from tests import recorded as recording

FIRST, LAST = date(2012, 9, 4), date(2013, 3, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fast(db, settings) -> None:
    settings.REPLAY_START, settings.REPLAY_SESSION_SECONDS = "2012-09-04", 0
    DataSource.objects.create(pk=1, name="replay", reason="a test", chosen_at=NOW)


def played(count: int, source: Replay | None = None) -> list[Tick | Jump]:
    """What a source that was just started tells, each event but the last kept as the feed keeps it."""
    source = source or Replay()
    source.prepare()
    return list(islice(kept(source.batches(threading.Event())), count))


def told(count: int) -> list[Quote]:
    """The prices behind the jump with which it begins."""
    return [event.quotes[0] for event in played(count + 1)[1:]]


def kept(events: Iterator[Tick | Jump]) -> Iterator[Tick | Jump]:
    for event in events:
        yield event
        if isinstance(event, Tick):
            forming.stand([forming.daily_bar(quote) for quote in quotes.keep(event.quotes, are_stored=False)])


def start(settings, day: str, tickers: str = "AAPL FB GOOG IBM MSFT") -> None:
    """Play from another day on, and only some of the symbols."""
    settings.REPLAY_START = day
    Replay().prepare()
    Symbol.objects.exclude(ticker__in=tickers.split()).update(is_active=False)


def here() -> tuple[int, int, date]:
    """Epoch, pass and session as the row says them."""
    return DataSource.objects.values_list("epoch", "pass_number", "session").get()


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
    assert {quote.ticker for quote in told(9)} == {"META"}
    assert BarRow.objects.filter(symbol__ticker="META").count() == len(recording.days("FB")) > 50
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
        assert [quote.price for quote in mine] == list(recording.path(day))
        assert set(recording.path(day)) == {day.open, day.high, day.low, day.close}
        assert [quote.volume for quote in mine] == [None, None, None, day.volume]
        assert [quote.is_final for quote in mine] == [False, False, False, True]
        assert {quote.as_of for quote in mine} == {datetime(2012, 9, 4, tzinfo=UTC)}


@pytest.mark.parametrize(("low", "high", "extremes"), [(9, 12, (9, 12)), (7, 12, (12, 7)), (9, 11, (11, 9))])
def test_the_nearer_of_high_and_low_comes_first(low, high, extremes):
    assert recording.path(recording.Day(10, high, low, 10.5, 1)) == (10, *extremes, 10.5)


def test_the_forming_bar_grows_to_the_recorded_one_and_stands_until_the_next_begins():
    day = recording.days("AAPL")[FIRST]
    played(1 + 7)  # its open and its low, which was nearer
    bar = forming.latest(["AAPL"])["AAPL"]
    assert (bar.open, bar.high, bar.low, bar.close) == (day.open, day.open, day.low, day.low)
    played(1 + 20)
    last = bars.history("AAPL", limit=1)[0]
    assert (last.session_date, last.open, last.high, last.low, last.close, last.volume) == (FIRST, *day)
    assert bars.columns("AAPL")["session_date"][-1] < np.datetime64(FIRST)
    played(1 + 21)  # from the open of the same session, to the first price of the next
    assert bars.columns("AAPL")["session_date"][-1] == np.datetime64(FIRST)


def test_it_writes_no_bar_no_snapshot_and_no_action():
    Replay().prepare()
    models = BarRow, CorporateAction, Snapshot
    before = [list(model.objects.values_list()) for model in models]
    played(1 + 45)
    assert [list(model.objects.values_list()) for model in models] == before


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
    splits = actions.of("AAPL").filter(kind="split", value=2, source="replay")
    played(1 + 4)
    assert [split.ex_date for split in splits] == [date(2000, 6, 21)]
    assert actions.splits(["AAPL"])["AAPL"].at(date(2005, 2, 24)) == (1, 1)
    played(1 + 6)
    assert [split.ex_date for split in splits.all()] == [date(2000, 6, 21), date(2005, 2, 28)]
    assert actions.splits(["AAPL"])["AAPL"].at(date(2005, 2, 24)) == (0.5, 2)


def test_apples_fall_of_2000_is_real(settings):
    start(settings, "2000-09-29", "AAPL")
    session = told(4)
    assert [quote.previous_close for quote in session] == [53.5] * 4
    assert session[0].change_percent < -47


@pytest.mark.parametrize(
    "lost", [lambda redis: None, lambda redis: redis.flushall()], ids=["a restart", "a lost Redis"]
)
def test_who_plays_next_goes_on_at_the_open_of_the_session_that_ran(redis, lost):
    played(1 + 20 + 7)
    lost(redis)
    [jump, tick] = played(2)
    second = date(2012, 9, 5)
    assert (jump.epoch, jump.pass_number, jump.session, jump.text) == (1, 1, second, "")
    assert {close.ticker: (close.session_date, close.price, close.state) for close in jump.closes} == {
        ticker: (FIRST, recording.days(ticker)[FIRST].close, "final") for ticker in recording.TICKERS
    }
    assert (tick.quotes[0].ticker, tick.quotes[0].session_date) == ("AAPL", second)
    assert tick.quotes[0].price == recording.days("AAPL")[second].open


def test_the_session_is_written_before_its_first_price_and_not_before_it_is_due(settings):
    source, stop = Replay(), threading.Event()
    source.prepare()
    events = source.batches(stop)
    seen = [(event.quotes[0].session_date, here()[2]) for event in islice(events, 1, 42)]
    assert all(session == row for session, row in seen)
    settings.REPLAY_SESSION_SECONDS = 60
    stop.set()  # while it waits for the next session
    assert next(events, None) is None
    assert here()[2] == seen[-1][0]


def test_a_lost_recording_is_loaded_again_at_the_next_start():
    Replay().prepare()
    whole = BarRow.objects.count()
    BarRow.objects.filter(opened_at__gte=prices.midnight(FIRST)).delete()
    Replay().prepare()
    assert BarRow.objects.count() == whole


def test_what_an_older_version_played_goes_on_where_it_stood():
    """Of a database that it left: bars up to the session that was played last, and none behind it."""
    Replay().prepare()
    DataSource.objects.update(session=None)
    BarRow.objects.filter(opened_at__gt=prices.midnight(date(2012, 11, 1))).delete()
    [jump, tick] = played(2)
    assert (jump.session, tick.quotes[0].session_date, here()[2]) == (date(2012, 11, 1),) * 3
    assert bars.history("IBM", limit=1)[0].session_date == date(2012, 10, 31)
    assert coverage.latest(["IBM"])["IBM"]["1d"]["last"] == "2012-10-31T00:00:00Z"
    assert BarRow.objects.filter(symbol__ticker="IBM").count() == len(recording.days("IBM"))


def test_after_the_last_session_it_begins_again_in_a_new_pass_and_epoch(settings):
    first, before = date(2013, 2, 27), date(2013, 2, 26)
    start(settings, "2013-02-27")
    _, *ticks, jump = played(1 + 3 * 20 + 1)
    assert sorted({tick.quotes[0].session_date for tick in ticks}) == [first, date(2013, 2, 28), LAST]
    assert (jump.epoch, jump.pass_number, jump.session) == (2, 2, first)
    assert jump.text == "The recorded sessions start again on 2013-02-27."
    assert here() == (2, 2, first)
    assert bars.history("AAPL", limit=1)[0].session_date == before
    assert not any(forming.latest(recording.TICKERS).values())
    assert {quote.session_date for quote in quotes.latest(recording.TICKERS).values()} == {before}
    assert set(Record.objects.running().values_list("as_of", flat=True)) == {before}


def steered(count: int, then: Callable[[], object], after: int) -> list[Tick | Jump]:
    """What is told where `after` events something is wanted."""
    found = []
    source = Replay()
    source.prepare()
    for number, event in enumerate(kept(source.batches(threading.Event()))):
        found.append(event)
        if number + 1 == after:
            then()
        if len(found) == count:
            return found
    raise AssertionError("it ended")


def test_a_seek_forward_jumps_over_the_rest_within_the_pass():
    *_, last, jump, tick = steered(10, lambda: steering.want("ann", date=date(2012, 11, 3)), after=8)
    assert last.quotes[0].session_date == FIRST
    assert (jump.epoch, jump.pass_number, jump.session) == (2, 1, date(2012, 11, 5))  # the 3rd is a Saturday
    assert {close.session_date for close in jump.closes} == {date(2012, 11, 2)}
    assert tick.quotes[0].session_date == date(2012, 11, 5)
    assert PlayerWish.objects.get().date is None


def test_a_seek_beyond_what_is_collected_ends_at_its_last_session():
    *_, jump, _ = steered(10, lambda: PlayerWish.objects.create(pk=1, date=date(2013, 4, 1), by="ann"), after=8)
    assert (jump.pass_number, jump.session) == (1, LAST)


def test_who_is_told_to_end_waits_no_more_for_a_database_that_is_away():
    def away() -> None:
        raise OperationalError("it went away")

    stop = threading.Event()
    stop.set()
    with pytest.raises(OperationalError):
        Replay()._insisted(away, stop)


@pytest.mark.parametrize("to", [date(2012, 8, 1), FIRST], ids=["before", "the same"])
def test_a_seek_back_is_a_new_pass(to):
    *_, jump, tick = steered(10, lambda: steering.want("ann", date=to), after=8)
    assert (jump.epoch, jump.pass_number, jump.session) == (2, 2, to)
    assert tick.quotes[0].session_date == to
    assert bars.history("AAPL", limit=1)[0].session_date < to
    assert set(Record.objects.running().values_list("pass_number", flat=True)) == {2}


def aside(wanted: dict) -> None:
    """Another process wants something."""
    try:
        steering.want("ann", **wanted)
    finally:
        connection.close()


@pytest.mark.db
@pytest.mark.django_db(transaction=True)
def test_paused_it_tells_nothing_until_it_is_played_and_may_be_moved_meanwhile():
    stop, heard = threading.Event(), queue.Queue()
    source = Replay()
    source.prepare()
    steering.want("ann", paused=True)
    events = source.batches(stop)
    assert isinstance(next(events), Jump)
    timer = threading.Timer(0.6, lambda: (heard.put("played"), aside({"paused": False})))
    timer.start()
    next(events)
    assert heard.get_nowait() == "played"
    timer.join()


@pytest.mark.db
@pytest.mark.django_db(transaction=True)
def test_the_speed_may_be_changed_while_a_price_is_waited_for(settings):
    settings.REPLAY_SESSION_SECONDS = 4000
    source = Replay()
    source.prepare()
    events = source.batches(threading.Event())
    opens = list(islice(events, 6))[1:]
    timer = threading.Timer(0.3, partial(aside, {"speed": 100_000}))
    timer.start()
    tick = next(events)  # a thousand seconds later, at the speed of before
    assert {each.quotes[0].ticker for each in opens} == set(recording.TICKERS)
    assert tick.quotes[0].ticker == "AAPL"
    timer.join()


def test_who_was_overtaken_moves_the_clock_no_more():
    source = Replay()
    source.prepare()
    events = source.batches(threading.Event())
    list(islice(events, 21))
    DataSource.objects.update(pass_number=2)  # another feed
    with pytest.raises(passes.Overtaken):
        next(events)
    assert here()[2] == FIRST


def test_the_clock_is_that_of_the_session_played():
    played(1 + 21)
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
