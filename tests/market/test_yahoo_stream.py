"""The streamer over real sockets and TLS: it comes back, with all its subscriptions, and decodes to the cent."""

import base64
import json
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest

from market.sources.yahoo import asking, stream
from market.sources.yahoo.stream import Streamer
from tests.market.yahoo_charts import recorded

NOW = datetime(2026, 1, 5, tzinfo=UTC)
TICKERS = {"AAPL", "MSFT", "BTC-USD"}


@pytest.fixture
def heard() -> list[dict]:
    return []


@pytest.fixture
def streamer(wire, heard) -> Iterator[Streamer]:
    tls = ssl.create_default_context(cafile=wire.ca)
    made = Streamer(wire.stream_url, decode=asking.decode, hear=heard.append, tls=tls, first_delay_seconds=0.02)
    made.start()
    made.subscribe(TICKERS)
    until(lambda: subscribed(wire) == [TICKERS])
    yield made
    made.stop()


@pytest.mark.parametrize("how", ["drop", "hang_up"])
def test_the_streamer_survives_five_ends_of_its_connection_with_all_subscriptions(wire, streamer, heard, how):
    for round_number in range(1, 6):
        getattr(wire, how)()
        until(lambda: subscribed(wire) == [TICKERS] and wire.connections == round_number + 1)  # noqa: B023
        for ticker in TICKERS:
            wire.tick(ticker, price=round_number, time=1, quote_type=41)
        until(lambda: len(heard) == 3 * round_number)  # noqa: B023
    assert {message["id"] for message in heard[-3:]} == TICKERS


def test_a_message_that_breaks_who_hears_it_costs_neither_the_line_nor_the_next(wire):
    heard = []

    def hear(message: dict) -> None:
        heard.append(message["id"])
        if len(heard) == 1:
            raise KeyError("a bug")

    tls = ssl.create_default_context(cafile=wire.ca)
    made = Streamer(wire.stream_url, decode=asking.decode, hear=hear, tls=tls, first_delay_seconds=0.02)
    made.start()
    made.subscribe(TICKERS)
    until(lambda: subscribed(wire) == [TICKERS])
    for ticker in ("AAPL", "MSFT"):
        wire.tick(ticker, price=1, time=1, quote_type=41)
    until(lambda: heard == ["AAPL", "MSFT"])
    assert wire.connections == 1
    made.stop()


def test_a_server_that_hangs_up_at_once_is_asked_ever_more_seldom(wire, streamer):
    wire.fail("socket", "good bye", times=1000)
    wire.hang_up()
    begun = time.monotonic()
    until(lambda: wire.connections >= 6)
    # Pauses of 10 ms at the least and doubling, where a loop without waiting makes none.
    assert time.monotonic() - begun > 0.1


def test_a_server_that_refuses_is_asked_again(wire, streamer):
    wire.fail("socket", "429", times=2)
    wire.drop()
    until(lambda: wire.connections == 4 and subscribed(wire) == [TICKERS])


def test_symbols_can_come_and_go_while_it_runs(wire, streamer):
    streamer.subscribe({"AAPL", "NVDA"})
    until(lambda: subscribed(wire) == [{"AAPL", "NVDA"}])


def test_a_broken_message_is_skipped_and_the_next_is_heard(wire, streamer, heard):
    for frame in ("no json", "[]", '{"type": "pricing"}', '{"type": "pricing", "message": "%%%"}', '{"type": "x"}'):
        wire.send(frame, "AAPL")
    wire.send(json.dumps({"type": "pricing", "message": base64.b64encode(b"\xff\xff").decode()}), "AAPL")
    wire.tick("AAPL", price=1.5, time=1)
    until(lambda: heard)
    assert [message["price"] for message in heard] == [1.5]


def test_the_recorded_frame_is_decoded_to_the_cent(symbol):
    frame = recorded("stream/yahoo_btc_frame.json")["frames"][0]
    message = asking.decode(frame["envelope"]["message"])
    upstream = {name: value for name, value in frame["upstream_expected"].items() if name in stream.READ}
    assert message == upstream | {name: int(upstream[name]) for name in ("time", "day_volume")}
    found = stream.quote(message, symbol=symbol("BTC-USD"), known=None, now=NOW)
    # Its change counts from a day ago: 93,313.19 was no close.
    assert (found.price, found.previous_close) == (94745.08, None)
    assert (found.open, found.high, found.low, found.volume) == (92529.99, 95227.55, 92517.22, 59712028672)
    assert (found.as_of, found.session_date) == (datetime(2025, 1, 10, 11, 39, tzinfo=UTC), date(2025, 1, 10))


def test_what_a_message_leaves_out_comes_from_the_same_session(symbol, quote):
    known = quote("AAPL", 100.0, previous_close=99.0, open=98.0, high=103.0, low=97.0, volume=10)
    message = {"id": "AAPL", "price": 104.0, "time": _milliseconds(2012, 9, 4), "quote_type": 8, "market_hours": 1}
    found = stream.quote(message, symbol=symbol("AAPL"), known=known, now=NOW)
    assert (found.price, found.previous_close, found.open) == (104.0, 99.0, 98.0)
    assert (found.high, found.low, found.volume) == (104.0, 97.0, 10)


def test_nothing_is_taken_over_from_another_session(symbol, quote):
    known = quote("AAPL", 100.0, previous_close=99.0, open=98.0)
    message = {"price": 104.0, "change": 4.0, "time": _milliseconds(2012, 9, 5), "quote_type": 8, "market_hours": 1}
    found = stream.quote(message, symbol=symbol("AAPL"), known=known, now=NOW)
    assert (found.previous_close, found.open, found.session_date) == (100.0, None, date(2012, 9, 5))


@pytest.mark.parametrize(("minutes", "state"), [(0, "open"), (20, "open"), (31, "closed")])
def test_an_old_price_is_not_told_of_an_open_market(symbol, minutes, state):
    message = {"price": 104.0, "time": _milliseconds(2012, 9, 5), "quote_type": 8, "market_hours": 1}
    now = datetime(2012, 9, 5, 15, minutes, tzinfo=UTC)
    assert stream.quote(message, symbol=symbol("AAPL"), known=None, now=now).market_state == state


@pytest.mark.parametrize("message", [{"market_hours": 2}, {}, {"market_hours": 1, "price": 0.0}])
def test_prices_out_of_hours_and_none_at_all_are_no_quotes(symbol, message):
    given = {"price": 104.0, "time": _milliseconds(2012, 9, 5), "quote_type": 8, **message}
    assert stream.quote(given, symbol=symbol("AAPL"), known=None, now=NOW) is None


@pytest.mark.parametrize(
    ("price", "decimals", "is_exact"),
    [(94745.08, 2, True), (131071.99, 2, True), (131072.01, 2, False), (71_000, 0, True), (1.08421, 6, True)],
)
def test_a_price_too_large_for_float32_is_left_to_polling(price, decimals, is_exact):
    assert stream.is_exact(price, 10**-decimals) is is_exact


def subscribed(wire) -> list[set[str]]:
    return list(wire.sockets.values())


def until(holds: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def _milliseconds(*day: int) -> str:
    return str(int(datetime(*day, 15, tzinfo=UTC).timestamp() * 1000))
