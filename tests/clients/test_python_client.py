"""The Python client against the real server, by way of a wire that breaks; and what it must hold of the protocol."""

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from clients.python.finstage_client import AsyncStream, Ended, Refused, Stream
from clients.python.finstage_client.protocol import MAX_FRAME_BYTES
from clients.python.finstage_client.session import LONGEST_PAUSE, NotNow, Session
from finstage.access import keys
from finstage.management.commands.stream import Shown, worded
from finstage.models import ApiKey
from market.models import Symbol
from market.prices import Bar
from realtime import messages, protocol_py, streams
from realtime.kinds import SYSTEM
from realtime.streams import Position
from tests.conftest import LiveWeb, shared_database

STREAM = SYSTEM.name
online = pytest.mark.django_db(transaction=True)


def test_its_types_are_those_of_the_schema():
    assert protocol_py.PATH.read_text() == protocol_py.text()


def test_what_is_replayed_says_nothing_of_where_a_stream_is():
    session = Session("prices", ["AAPL"])
    state = {"streams": {"prices:AAPL": {"epoch": "e", "seq": 5, "recovered": False}}}
    list(session.hear(json.dumps({"type": "subscribed", "id": 1, "snapshot": [], **state})))
    price = {"type": "price_update", "symbol": "AAPL"}
    for seq, more in ((1, {"replay": True}), (99, {"replay": True}), (6, {})):
        told = {**price, "seq": seq, **more}
        assert list(session.hear(json.dumps(told))) == [told]


def tell(number: int) -> int:
    """A message that must not be lost."""
    return streams.publish([messages.system(f"number {number}", datetime.now(UTC))]).numbers[0]


class Wire:
    """Between a client and the server, on a port of its own. It breaks when it is told to."""

    def __init__(self, web: LiveWeb) -> None:
        self._web, self._ends = web, []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._web.port))
                self._ends += [client, server]
                for here, there in ((client, server), (server, client)):
                    threading.Thread(target=_carry, args=(here, there), daemon=True).start()

    def cut(self) -> None:
        while self._ends:
            with suppress(OSError):
                self._ends.pop().shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
        self.cut()


def _carry(here: socket.socket, there: socket.socket) -> None:
    with suppress(OSError):
        while piece := here.recv(4096):
            there.sendall(piece)
    for end in (here, there):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def wire_to(web: LiveWeb) -> Iterator[Wire]:
    wire = Wire(web)
    try:
        yield wire
    finally:
        wire.close()


@online
def test_it_goes_on_by_itself_after_every_break_and_misses_nothing(live_web, apple):
    chance, heard, most = random.Random(7), [], 60
    first = last = tell(0)
    with wire_to(live_web) as wire:
        for message in Stream(wire.url, "system"):
            if message["type"] == "subscribed":
                assert message["id"] >= 1
                heard or heard.append(first)
                if heard[-1] < first + most:
                    last = [tell(number) for number in range(10)][-1]
            assert message["type"] != "gap"
            if message["type"] == "system_status":
                heard.append(message["seq"])
                if len(heard) > most:
                    break
                if chance.random() < 0.2 or heard[-1] == last:
                    wire.cut()
    assert heard == list(range(first, first + len(heard)))


@online
def test_a_gap_is_handed_to_the_caller_also_by_asyncio(live_web, apple):
    tell(0)

    async def reasons(wire: Wire) -> list[str]:
        async for message in AsyncStream(wire.url, "system"):
            if message["type"] == "subscribed" and message["id"] == 1:
                wire.cut()
                await asyncio.to_thread(streams.renew, [STREAM])
                await asyncio.to_thread(tell, 1)
            if message["type"] == "gap":
                return [message["reason"]]
        return []

    with wire_to(live_web) as wire:
        assert asyncio.run(reasons(wire)) == ["epoch_changed"]


@online
def test_a_key_that_lets_nobody_in_ends_it(live_web, apple):
    with pytest.raises(Ended, match="4501"):
        list(Stream(live_web.url, "prices", ["AAPL"], key="wrong"))


def test_it_asks_again_with_growing_patience_until_something_is_told():
    session = Session("prices", ["AAPL"])
    pauses = [session.pause() for _ in range(12)]
    assert pauses[0] <= 0.25 < pauses[4]
    assert LONGEST_PAUSE / 2 <= pauses[-1] <= LONGEST_PAUSE
    subscribed(session, {"system": Position("e", 0)})
    assert session.pause() > 0.25
    list(session.hear('{"type": "system_status", "message": "x", "stream": "system", "seq": 1}'))
    assert session.pause() <= 0.25
    list(session.hear('{"type": "server_shutdown", "retry_after": 9}'))
    assert session.pause() > 9


@pytest.mark.parametrize("code", ["no_room", "too_many_connections"])
def test_a_refusal_that_says_when_it_may_be_otherwise_is_heeded(code):
    session, said = Session("prices", ["AAPL"]), {"type": "error", "code": code, "message": "x", "retry_after": 60}
    with suppress(NotNow):
        list(session.hear(json.dumps(said)))
    assert session.pause() > 60 > session.pause()


def subscribed(session: Session, places: dict[str, Position]) -> list[dict]:
    states = {name: {"epoch": place.epoch, "seq": place.seq, "recovered": False} for name, place in places.items()}
    return list(session.hear(json.dumps({"type": "subscribed", "streams": states, "snapshot": []})))


def test_positions_that_no_frame_holds_are_told_as_gaps_where_something_was_missed():
    session = Session("bars", ["*"])
    names = [f"bars:T{number:04}.KS" for number in range(2000)]
    subscribed(session, {name: Position("0" * 12, 5) for name in names})
    [frame, _] = session.opening()
    since = messages.read(frame)["since"]
    assert len(frame) <= MAX_FRAME_BYTES
    told = subscribed(session, {name: Position("0" * 12, 7 if number % 2 else 5) for number, name in enumerate(names)})
    gaps = {each["stream"]: (each["from"], each["to"]) for each in told if each["type"] == "gap"}
    assert gaps == {name: (6, 7) for name in names[1::2] if name not in since}


@online
def test_the_command_shows_what_comes_and_says_aside_what_does_not(live_web, apple, quote):
    with command(live_web, "AAPL", "NOPE", "--json") as shown:
        told = map(json.loads, shown.stdout)
        assert next(each for each in told if each["type"] == "subscribed")["subscriptions"] == ["prices:AAPL"]
        streams.publish([messages.price(quote("AAPL", 123.25))])
        assert next(each for each in told if each["type"] == "price_update")["current_price"] == 123.25
        shown.terminate()
        assert shown.stderr.read().startswith("unknown_symbol: Not tracked here: NOPE.")


@online
def test_the_command_begins_with_the_newest_there_is(live_web, apple, quote):
    streams.publish([messages.price(quote("AAPL", 123.25))])
    with command(live_web, "AAPL") as shown:
        assert "current_price=123.25" in shown.stdout.readline()
        streams.publish([messages.price(quote("AAPL", 124.5))])
        assert "current_price=124.5" in shown.stdout.readline()


def test_what_an_answer_repeats_after_a_break_is_not_shown_again_and_what_is_told_twice_is():
    price = {"type": "price_update", "symbol": "AAPL", "current_price": 187.32}
    newer, shown = {**price, "current_price": 190.0}, Shown()
    again = [{"type": "subscribed", "snapshot": [price]}, price, {"type": "subscribed", "snapshot": [price]}]
    assert [len(list(shown.lines(each))) for each in again] == [1, 1, 0]
    assert len(list(shown.lines({"type": "subscribed", "snapshot": [newer]}))) == 1


def test_a_server_that_cannot_be_reached_is_told_while_it_is_asked_again(monkeypatch, caplog):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    monkeypatch.setattr(time, "sleep", Mock(side_effect=[None, KeyboardInterrupt]))
    with pytest.raises(KeyboardInterrupt):
        next(iter(Stream(url)))
    assert [each.name for each in caplog.records] == ["finstage_client"] * 2
    assert f"{url.replace('http', 'ws')}/ws/realtime: " in caplog.text
    assert "Connection refused; asking again in" in caplog.text


@pytest.mark.parametrize("url", ["", "nowhere", "ws://127.0.0.1:1", "http://", "http://127.0.0.1:1/?a=b"])
def test_what_is_no_address_of_a_server_is_refused_at_once(url):
    with pytest.raises(ValueError, match="is no server's address"):
        Stream(url)
    with pytest.raises(CommandError, match="is no server's address"):
        call_command("stream", "AAPL", "--url", url)


@online
def test_the_command_shows_bars_of_the_interval_that_it_asks_for_alone(live_web, apple):
    at = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
    of = {"open": 1.0, "high": 3.0, "low": 1.0, "volume": 7, "is_final": False, "source": "replay", "received_at": at}
    with command(live_web, "AAPL", "--type", "bars", "--interval", "5m", "--json") as shown:
        told = map(json.loads, shown.stdout)
        subscribed = next(each for each in told if each["type"] == "subscribed")
        assert subscribed["subscriptions"] == ["bars:AAPL@5m"]
        for interval, close in (("1d", 2.0), ("15m", 2.25), ("5m", 2.5)):
            streams.publish([messages.bar(Bar("AAPL", interval, at, close=close, session_date=at.date(), **of), "v1")])
        bar = next(told)
        assert (bar["type"], bar["stream"], bar["interval"], bar["close"]) == ("bar", "bars:AAPL@5m", "5m", 2.5)


def test_the_command_words_a_message_in_a_line():
    at, sourced = "2026-03-02T15:04:05Z", {"source": "yahoo", "seq": 7, "open": None}
    price = {"type": "price_update", "symbol": "AAPL", "current_price": 187.32, "volume": 0, "timestamp": at, **sourced}
    assert worded(price).split() == [at, "price_update", "AAPL", "current_price=187.32", "volume=0"]
    gap = {"type": "gap", "stream": "alerts:AAPL", "epoch": "e", "from": 1, "to": 4, "reason": "limit", "rest": "/api"}
    assert worded(gap).split() == ["gap", "alerts:AAPL", "from=1", "to=4", 'reason="limit"', 'rest="/api"']


@online
@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (["nope", "NOPE", "none"], "unknown_symbol"),
        (["--type", "jobs"], "staff_only"),
        (["AAPL", "--interval", "5m"], "invalid"),
    ],
)
def test_the_command_ends_where_nothing_is_left_to_hear(live_web, apple, asked, code):
    with command(live_web, *asked) as shown:
        assert shown.wait(60) == 1
        assert f"CommandError: Nothing to show, {code}: " in shown.stderr.read()


@contextmanager
def command(web: LiveWeb, *asked: str) -> Iterator[subprocess.Popen]:
    assert Symbol.objects.filter(ticker="AAPL").exists()
    root, pipes = Path(__file__).resolve().parents[2], {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    words = [sys.executable, "manage.py", "stream", *asked, "--url", web.url]
    with subprocess.Popen(words, cwd=root, env={**os.environ, **shared_database()}, text=True, **pipes) as shown:
        try:
            yield shown
        finally:
            shown.kill()


@online
def test_a_stream_whose_rights_end_ends(live_web, apple):
    staff = get_user_model().objects.create_user("alice", is_staff=True)
    row, key = keys.make(staff, "a script", [ApiKey.READ, ApiKey.STAFF], None)
    told = iter(Stream(live_web.url, "jobs", key=key))
    while next(told)["type"] != "subscribed":
        pass
    keys.revoke(row.pk)
    with pytest.raises(Refused, match="The rights to jobs have ended"):
        list(told)
