"""Who waits for a symbol of the clients of one process: nobody who has gone, and all of them as soon as it is there."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from market.models import Symbol
from market.sources.adding import Addition
from realtime import process, visitors
from realtime.consumers import RealtimeConsumer
from realtime.crowd import Crowd
from realtime.hub import Hub
from realtime.rights import Rights
from realtime.sse.events import Events
from realtime.starting import Starting, waiting
from realtime.starting.asking import Answer
from tests.realtime.test_hub import Socket, connect, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]
ACTION = {"action": "subscribe", "type": "prices", "symbols": ["ZZWAIT"], "id": 3}


@pytest.fixture
def play(monkeypatch) -> Callable[[Callable[[Hub, Starting], Awaitable[None]]], None]:
    """Play a scenario with a hub of its own, and who waits beside it, which sockets and readers find too."""

    async def run(scenario: Callable[[Hub, Starting], Awaitable[None]]) -> None:
        hub = Hub()
        starting = Starting(hub, Rights(hub.unsubscribe, Crowd()))
        monkeypatch.setattr(process, "hub", hub)
        monkeypatch.setattr(process, "starting", starting)
        try:
            await scenario(hub, starting)
        finally:
            starting.stop()
            await hub.shutdown()

    return lambda scenario: asyncio.run(run(scenario))


def waits(hub: Hub, starting: Starting, *, job: bool = True) -> tuple:
    client, socket = connect(hub)
    starting.wait(client, ACTION, Answer({"ZZWAIT": Addition("ZZWAIT", uuid4() if job else None)}))
    return client, socket


async def closed(client) -> None:
    socket = RealtimeConsumer()
    socket.client = client

    async def receive() -> dict:
        return {"type": "websocket.disconnect", "code": 1006}

    await socket({"type": "websocket", "path": "/ws/realtime"}, receive, None)


async def broken_off(client) -> None:
    async def receive() -> dict:
        return {"type": "http.disconnect"}

    async def send(_: dict) -> None: ...

    reader = Events(receive, send, address="a test", login=None, key=None, may_write=False)
    reader._client = client
    await reader.run([])


@pytest.mark.parametrize("leave", [closed, broken_off])
def test_who_has_gone_waits_for_nothing(play, leave):
    async def scenario(hub: Hub, starting: Starting) -> None:
        client, _ = waits(hub, starting)
        await leave(client)
        assert starting.forget(client) == set()

    play(scenario)


def test_what_came_since_the_names_were_read_is_joined_at_once(play, apple, monkeypatch):
    """The list of what is tracked may be of a moment ago, and has it not."""
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0.05)

    async def scenario(hub: Hub, starting: Starting) -> None:
        visitors.forget_names()
        assert await visitors.named(["ZZWAIT"]) == {}
        await asyncio.to_thread(_made)
        _, socket = waits(hub, starting, job=False)
        await until(lambda: _said(socket))
        assert (socket.said("subscribed")["id"], list(socket.said("subscribed")["streams"])) == (3, ["prices:ZZWAIT"])

    play(scenario)


def _said(socket: Socket) -> bool:
    return any(each["type"] in ("subscribed", "error") for each in socket.heard)


def _made() -> None:
    Symbol.objects.create(ticker="ZZWAIT", name="Z", exchange="XNAS", currency="USD", time_zone="America/New_York")
