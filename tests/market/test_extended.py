"""Prices of before and after sessions, from Yahoo's wire to what is told beside a close."""

import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from market import quotes
from market.prices import Extended
from market.quotes import extended, newest
from market.quotes import wire as told
from market.sources import inbox
from market.sources.inbox import Inbox
from market.sources.yahoo import asking, charts, reading, source, stream
from market.sources.yahoo.fields import Misshapen
from market.sources.yahoo.stream import Streamer
from monitoring import refusals
from tests.market.test_yahoo_stream import subscribed, until
from tests.market.yahoo_charts import NEW_YORK, made_chart

WEDNESDAY = date(2024, 7, 3)  # a half day; the fourth is none, and Friday is whole
CLOSE_UTC = datetime(2024, 7, 2, 20, tzinfo=UTC)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2024, 7, day, hour, minute, tzinfo=NEW_YORK)


@pytest.fixture
def at(monkeypatch) -> Callable[[datetime], None]:
    """at(moment): what reads the clock on the way of such a price reads this."""

    def begin(moment: datetime) -> None:
        class Clock(datetime):
            @classmethod
            def now(cls, zone=None) -> datetime:
                return moment.astimezone(zone)

        for module in (inbox, extended, newest, reading, source):
            monkeypatch.setattr(module, "datetime", Clock)

    return begin


@pytest.mark.parametrize("exchange", ["XNAS", "XNYS", "ARCX"])
@pytest.mark.parametrize(
    ("said", "made", "beside", "opens"),
    [
        ("pre", (2, 4), 1, (2, 9, 30)),
        ("post", (2, 16), 2, (3, 9, 30)),
        ("post", (2, 19, 59), 2, (3, 9, 30)),
        ("post", (3, 13), 3, (5, 9, 30)),
        ("post", (3, 16, 59), 3, (5, 9, 30)),
        ("pre", (5, 9, 29), 3, (5, 9, 30)),
    ],
)
def test_it_stands_beside_the_last_close_until_the_next_session_opens(symbol, exchange, said, made, beside, opens):
    found = charts.extended(symbol("AAPL", exchange=exchange), said, 101.234, local(*made), local(*made))
    assert (found.session, found.price, found.beside) == (said, 101.23, date(2024, 7, beside))
    assert found.until == local(*opens)


@pytest.mark.parametrize(
    ("exchange", "said", "made"),
    [
        ("XNAS", "pre", (2, 3, 59)),
        ("XNAS", "pre", (2, 9, 30)),
        ("XNAS", "post", (2, 15, 59)),
        ("XNAS", "post", (2, 20)),
        ("XNAS", "post", (3, 17)),
        ("XNAS", "pre", (4, 8)),
        ("XNAS", "pre", (6, 8)),
        ("XNAS", "post", (2, 8)),
        ("XLON", "pre", (2, 2)),
        ("XKRX", "post", (2, 4)),
        ("NONE", "post", (2, 17)),
    ],
)
def test_what_the_calendar_does_not_call_so_is_refused(symbol, exchange, said, made):
    with pytest.raises(Misshapen):
        charts.extended(symbol("AAPL", exchange=exchange), said, 101.0, local(*made), local(*made))


def test_the_streamer_tells_it_beside_the_close_which_stays(wire, symbol, quote, at):
    at(local(2, 17))
    heard = Inbox(stream.told)
    heard.track([symbol("AAPL")])
    close = quote("AAPL", 100.0, session_date=date(2024, 7, 2), as_of=CLOSE_UTC, market_state="post")
    heard.put([close])
    assert heard.take(1) == [close]
    line = Streamer(
        wire.stream_url,
        decode=asking.decode,
        hear=lambda message: heard.hear(message["id"], message),
        tls=ssl.create_default_context(cafile=wire.ca),
    )
    line.start()
    line.subscribe(["AAPL"])
    until(lambda: subscribed(wire) == [{"AAPL"}])
    wire.tick("AAPL", price=101.5, time=_milliseconds(local(2, 16, 30)), quote_type=8, market_hours=2)
    assert heard.take(60) == []
    line.stop()
    [[found], over] = heard.take_extended(local(2, 17))
    assert (found.session, found.price, found.as_of, over) == ("post", 101.5, local(2, 16, 30), [])
    assert heard.newest("AAPL") == close


@pytest.mark.parametrize(
    ("exchange", "fields"),
    [("XLON", {}), ("XNAS", {"market_hours": 4}), ("XNAS", {"market_hours": 2}), ("XNAS", {"currency": "EUR"})],
)
def test_what_the_streamer_tells_of_no_such_hours_is_counted_and_told_to_nobody(symbol, redis, at, exchange, fields):
    at(local(2, 9))
    heard = Inbox(stream.told)
    heard.track([symbol("AAPL", exchange=exchange)])
    heard.hear("AAPL", {"price": 9.0, "time": _milliseconds(local(2, 8)), "quote_type": 8, **fields})
    assert heard.take_extended(local(2, 9)) == ([], [])
    assert refusals.counts() == {"stream": 1}


def test_an_older_one_an_equal_one_and_one_of_tomorrow_change_nothing(symbol, redis, at):
    at(local(2, 8, 30))
    heard = Inbox(stream.told)
    heard.track([symbol("AAPL")])
    for minute, price in ((20, 9.0), (10, 8.0), (20, 9.0), (59, 7.0)):
        heard.hear("AAPL", _message(local(2, 8, minute), price))
    assert [each.price for each in heard.take_extended(local(2, 8, 30))[0]] == [9.0]
    assert refusals.counts() == {"extended hours": 1}


def test_it_is_in_the_symbols_own_currency(symbol, redis, at):
    at(local(2, 9))
    heard = Inbox(stream.told)
    heard.track([symbol("AAPL")])
    heard.hear("AAPL", _message(local(2, 8), 10150.0) | {"currency": "USX"})
    assert [each.price for each in heard.take_extended(local(2, 9))[0]] == [101.5]


def test_the_list_tells_it_beside_the_price_and_nonsense_in_it_costs_no_quote(wire, symbol, redis):
    wire.charts |= {ticker: made_chart(ticker) for ticker in ("AAPL", "IBM", "MSFT")}
    plain = {each.ticker: each for each in asking.quotes([symbol(ticker) for ticker in wire.charts])}
    wire.figures["AAPL"] = {"postMarketPrice": 442.5, "postMarketTime": int(local(2, 17).timestamp())}
    wire.figures["IBM"] = {"preMarketPrice": 199.0, "preMarketTime": int(local(4, 8).timestamp())}
    found = {each.ticker: each for each in asking.quotes([symbol(ticker) for ticker in wire.charts])}
    assert (found["AAPL"].extended.session, found["AAPL"].extended.price) == ("post", 442.5)
    assert (found["IBM"].extended, found["MSFT"].extended) == (None, None)
    for ticker, each in found.items():
        assert replace(each, extended=None, received_at=plain[ticker].received_at) == plain[ticker]
    assert refusals.counts() == {"extended hours": 1}


def test_what_a_poll_tells_of_it_is_taken_apart_from_the_quote(symbol, quote, redis, at):
    at(local(2, 17))
    heard, beside = Inbox(stream.told), _extended(symbol)
    heard.track([symbol("AAPL")])
    close = quote("AAPL", 100.0, session_date=date(2024, 7, 2), as_of=CLOSE_UTC)
    heard.put([replace(close, extended=beside)])
    assert heard.take(1) == [close]
    assert heard.take_extended(local(2, 17)) == ([beside], [])


def test_a_source_that_starts_again_says_when_what_was_held_is_over(symbol):
    beside = _extended(symbol)
    heard = Inbox(stream.told, {"AAPL": beside})
    heard.track([symbol("AAPL")])
    assert heard.take_extended(beside.until - timedelta(seconds=1)) == ([], [])
    assert heard.take_extended(beside.until) == ([], ["AAPL"])
    assert heard.take_extended(beside.until) == ([], [])


def test_it_is_kept_for_all_processes_in_order_and_read_with_the_quote_while_it_stands(symbol, quote, redis, at):
    at(local(2, 17))
    quotes.keep([quote("AAPL", 100.0, session_date=date(2024, 7, 2), as_of=CLOSE_UTC, market_state="post")])
    beside = _extended(symbol)
    assert extended.keep([beside]) == [beside]
    assert extended.keep([replace(beside, as_of=beside.as_of - timedelta(minutes=1), price=1.0)]) == []
    assert quotes.latest(["AAPL"])["AAPL"].extended == beside
    assert quotes.latest(["AAPL"])["AAPL"].price == 100.0
    at(beside.until)
    assert quotes.latest(["AAPL"])["AAPL"].extended is None
    assert extended.keep([replace(beside, as_of=beside.as_of + timedelta(minutes=1))]) == []


def test_its_change_is_from_the_close_that_it_stands_beside_in_its_own_shares(symbol, quote):
    close = quote("AAPL", 100.0, previous_close=90.0, session_date=date(2024, 7, 2))
    beside = _extended(symbol)
    fields = told.quote_fields(replace(close, extended=beside))
    assert (fields["change"], fields["current_price"]) == (10.0, 100.0)
    assert fields["extended"] == {
        "session": "post", "price": 101.5, "change": 1.5, "change_percent": 1.5, "timestamp": "2024-07-02T20:30:00Z",
        "received_at": "2024-07-02T20:30:00Z", "until": "2024-07-03T13:30:00Z",
    }  # fmt: skip
    in_halves = told.quote_fields(replace(close, extended=replace(beside, price=50.5, shares=0.5)))["extended"]
    assert (in_halves["change"], in_halves["change_percent"]) == (0.5, 1.0)


def test_beside_another_sessions_close_and_of_unknown_shares_its_change_is_not_known(symbol, quote):
    close = quote("AAPL", 100.0, session_date=date(2024, 7, 1))
    for each in (_extended(symbol), replace(_extended(symbol), beside=date(2024, 7, 1), shares=None)):
        fields = told.quote_fields(replace(close, extended=each))["extended"]
        assert (fields["price"], fields["change"], fields["change_percent"]) == (101.5, None, None)


def _extended(symbol: Callable) -> Extended:
    found = charts.extended(symbol("AAPL"), "post", 101.5, local(2, 16, 30), local(2, 16, 30))
    return replace(found, shares=1.0)


def _message(at: datetime, price: float) -> dict:
    """One of before a session, which is the zero of the streamer and so not written."""
    return {"id": "AAPL", "price": price, "time": _milliseconds(at), "quote_type": 8}


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
