"""Many at once: they share what is read and what is looked up, and nothing of who has gone stays."""

import asyncio
import gc
import json

import pytest

from market import symbols
from market.models import Symbol
from realtime import consumers, messages, process, visitors
from realtime.clients import Client
from realtime.hub import Hub
from realtime.messages import Refused
from realtime.places import EVERY, LATEST
from realtime.sse import Events
from tests.realtime.store import Door
from tests.realtime.test_hub import connect, publish, tick, until
from tests.realtime.test_hub_joining import play  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("redis")
PRICES, HERE = "prices:AAPL", "203.0.113.1"


def test_three_hundred_subscriptions_at_once_are_all_answered_over_one_connection(play):  # noqa: F811
    async def scenario(hub: Hub, door: Door) -> None:
        names = [f"prices:S{number}" for number in range(100)]
        await publish(*map(tick, names))
        joined = [connect(hub) for _ in range(300)]
        asked = [dict.fromkeys(names[number % 75 : number % 75 + 25], LATEST) for number in range(300)]
        both = zip(joined, asked, strict=True)
        await asyncio.gather(*(hub.subscribe(client, streams, {}) for (client, _), streams in both))
        for (_, socket), streams in zip(joined, asked, strict=True):
            assert socket.said("subscribed")["streams"].keys() == streams.keys()
        assert door.most_connections <= 3  # the live channel, the readings, and the feed's sign of life
        assert door.readings.passed <= 5

    play(scenario)


def test_more_than_one_answer_holds_is_read_in_several(play, monkeypatch):  # noqa: F811
    monkeypatch.setattr("realtime.hub.reading.BYTES_A_CALL", 2000)
    monkeypatch.setattr("realtime.hub.reading.STREAMS_A_CALL", 7)

    async def scenario(hub: Hub, door: Door) -> None:
        names = [f"prices:S{number}" for number in range(40)]
        await publish(
            *[messages.Message(name, messages.encode({"n": name, "x": "x" * 600}), True, True) for name in names]
        )
        client, socket = connect(hub)
        await hub.subscribe(client, dict.fromkeys(names, EVERY), {})
        assert [each["n"] for each in socket.said("subscribed")["snapshot"]] == names
        assert door.readings.passed >= 10

    play(scenario)


def test_nothing_is_handed_out_to_who_still_joins(play):  # noqa: F811
    async def scenario(hub: Hub, door: Door) -> None:
        elder, heard = connect(hub)
        await hub.subscribe(elder, {PRICES: LATEST}, {})
        await publish(tick())
        await until(lambda: heard.seqs(PRICES) == [1] and hub.members.held[PRICES].main)
        client, socket = connect(hub)
        door.readings.close()
        joining = asyncio.create_task(hub.subscribe(client, {PRICES: LATEST}, {}))
        await door.readings.stands()
        await publish(tick(), tick())
        await until(lambda: heard.seqs(PRICES)[-1:] == [3])
        assert socket.seqs(PRICES) == []
        door.readings.open()
        await joining
        await until(lambda: socket.seqs(PRICES) == [3])
        kinds = [each.get("type", "price") for each in socket.heard]
        assert kinds.index("subscribed") < kinds.index("price")

    play(scenario)


@pytest.mark.django_db(transaction=True)
def test_those_who_need_the_tracked_symbols_at_once_share_one_look(monkeypatch):
    Symbol.objects.create(ticker="AAPL", name="x", exchange="XNAS", currency="USD", time_zone="America/New_York")
    looks, look = [], symbols.tracked_words

    def counted():
        looks.append(1)
        return look()

    monkeypatch.setattr(symbols, "tracked_words", counted)
    visitors.forget_names()

    async def scenario() -> None:
        found = await asyncio.gather(*(visitors.tracked() for _ in range(300)))
        assert all(each == ["AAPL"] for each in found)

    asyncio.run(scenario())
    assert len(looks) == 1


class Server:
    """Plays the part of a server for one consumer: what it hears comes from a queue, and it may be ended."""

    def __init__(self) -> None:
        self.said: list[dict] = []
        self.inbox: asyncio.Queue = asyncio.Queue()
        scope = {"type": "websocket", "path": "/ws/realtime", "headers": [(b"host", b"127.0.0.1")]}
        scope["finstage.address"] = HERE
        application = consumers.RealtimeConsumer.as_asgi()
        self.running = asyncio.create_task(application(scope, self.inbox.get, self._send))

    async def _send(self, message: dict) -> None:
        if message["type"] == "websocket.send" and '"boom"' in message["text"]:
            raise ConnectionResetError
        self.said.append(message)

    async def open(self) -> "Server":
        await self.inbox.put({"type": "websocket.connect"})
        await until(lambda: any(b'"connected"' in str(each).encode() for each in self.said))
        return self

    def ask(self, action: dict) -> None:
        self.inbox.put_nowait({"type": "websocket.receive", "text": json.dumps(action)})


@pytest.fixture
def hub(monkeypatch) -> Hub:
    """The consumers' hub, for one event loop."""
    made = Hub()
    monkeypatch.setattr(process, "hub", made)
    return made


@pytest.mark.parametrize("end", ["cancel", "exception", "close"])
def test_however_a_consumer_ends_nothing_of_it_stays(hub, settings, end):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    settings.CONNECTIONS_PER_ADDRESS = 1

    async def scenario() -> None:
        try:
            server = await Server().open()
            server.ask({"action": "subscribe", "type": "system"})
            await until(lambda: hub.members.held)
            if end == "cancel":
                server.running.cancel()
            elif end == "exception":
                server.inbox.put_nowait({"type": "websocket.unheard_of"})
            else:
                server.inbox.put_nowait({"type": "websocket.disconnect", "code": 1006})
            await until(server.running.done)
            assert not hub.members.clients
            assert not hub.members.held
            await Server().open()  # there is room for it
            server.running.cancelled() or server.running.exception()
        finally:
            await hub.shutdown()

    asyncio.run(scenario())


def test_a_stream_of_events_takes_its_room_for_as_long_as_it_is_there(hub, settings):
    settings.CONNECTIONS_PER_ADDRESS = 1
    sent: list[dict] = []

    async def send(message: dict) -> None:
        sent.append(message)

    async def opened() -> Events:
        events = Events(asyncio.Event().wait, send, address=HERE, login=None, key=None, may_write=False)
        await events.open(b"types=system", "")
        return events

    async def scenario() -> None:
        try:
            running = asyncio.create_task((await opened()).run([]))
            with pytest.raises(Refused, match="of one address"):
                await opened()
            await until(lambda: sent)
            running.cancel()
            await until(running.done)
            await opened()
        finally:
            await hub.shutdown()

    asyncio.run(scenario())


def test_a_client_that_has_gone_is_not_kept_in_a_circle(hub, settings):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]

    async def scenario() -> None:
        try:
            before = clients()
            server = await Server().open()
            assert clients() == before + 1
            server.inbox.put_nowait({"type": "websocket.disconnect", "code": 1006})
            await until(server.running.done)
            assert clients() == before
        finally:
            await hub.shutdown()

    gc.collect()
    gc.disable()
    try:
        asyncio.run(scenario())
    finally:
        gc.enable()


def clients() -> int:
    return sum(type(each) is Client for each in gc.get_objects())  # what is weakly known is asked nothing


def test_a_client_that_is_closed_as_slow_while_it_subscribes_is_gone(play):  # noqa: F811
    async def scenario(hub: Hub, door: Door) -> None:
        client, socket = connect(hub)
        door.readings.close()
        joining = asyncio.create_task(hub.subscribe(client, {PRICES: LATEST, "alerts:AAPL": LATEST}, {}))
        await door.readings.stands()
        hub.detach(client)
        door.readings.open()
        await joining
        await hub.subscribe(client, {PRICES: LATEST}, {})  # what it asked for behind that
        assert not hub.members.held
        assert not [each for each in socket.heard if each.get("type") == "subscribed"]

    play(scenario)
