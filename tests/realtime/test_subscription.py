"""The live channel as a process hears it: whole, in order, and never from a dead connection in silence."""

import asyncio

import pytest
from redis.exceptions import RedisError

from monitoring import redis as connection
from realtime.hub import listening, subscription
from realtime.hub.listening import Listening
from realtime.hub.members import Members
from realtime.hub.subscription import Subscription
from tests.realtime.store import Door, door

pytestmark = pytest.mark.usefixtures("redis")
CHANNEL = "test:live"


async def published(client, *texts: bytes) -> None:
    for text in texts:
        await client.publish(CHANNEL, text)


def test_all_that_is_published_after_its_beginning_comes_in_order():
    texts = [b"x" * size for size in (0, 1, 70_000, 3, 3_000_000)] + [b"%d" % number for number in range(2000)]

    async def scenario() -> list[bytes]:
        async with connection.async_client() as client, Subscription(CHANNEL) as live:
            assert await live.next() is None
            publishing = asyncio.create_task(published(client, *texts))
            heard = [await live.next() for _ in texts]
            await publishing
            return heard

    assert asyncio.run(scenario()) == texts


async def behind_a_door(tmp_path, act) -> None:
    async with door(tmp_path) as store, Subscription(CHANNEL) as live:
        assert await live.next() is None
        await act(store, live)


def test_a_connection_that_breaks_is_told(tmp_path):
    async def act(store: Door, live: Subscription) -> None:
        store.shut()
        with pytest.raises(RedisError):
            await asyncio.wait_for(live.next(), 5)

    asyncio.run(behind_a_door(tmp_path, act))


def test_a_server_that_says_nothing_any_more_is_told_and_one_that_is_idle_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(subscription, "SILENT_SECONDS", 0.2)
    monkeypatch.setattr(subscription, "ANSWER_SECONDS", 0.3)

    async def act(store: Door, live: Subscription) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting := asyncio.create_task(live.next())), 1.5)
        store.freeze()
        with pytest.raises(RedisError):
            await asyncio.wait_for(waiting, 5)

    asyncio.run(behind_a_door(tmp_path, act))


def test_a_server_that_is_away_is_tried_again_soon_and_then_less_and_less(settings, monkeypatch, caplog):
    settings.REDIS_URL = "unix:///nowhere"
    monkeypatch.setattr(listening, "SETTLED_SECONDS", 60.0)  # however slow this machine is, none of these was one

    async def scenario() -> list[float]:
        following = asyncio.create_task(Listening(Members(), look=None).go_on())
        async with asyncio.timeout(20):
            while len(caplog.records) < 6:
                await asyncio.sleep(0.01)
        following.cancel()
        return [record.args[0] for record in caplog.records][:6]

    assert asyncio.run(scenario()) == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0]


def test_who_gives_up_while_it_connects_leaves_no_connection_behind(tmp_path):
    async def scenario() -> None:
        async with door(tmp_path) as store, asyncio.timeout(10):
            store.freeze()
            live = Subscription(CHANNEL)
            connecting = asyncio.create_task(live.__aenter__())
            while not store.connections:
                await asyncio.sleep(0.01)
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            while store.connections:
                await asyncio.sleep(0.01)

    asyncio.run(scenario())


def test_a_login_that_is_refused_is_told(settings):
    settings.REDIS_URL = settings.REDIS_URL.replace("unix://", "unix://nobody:wrong@")

    async def scenario() -> None:
        async with Subscription(CHANNEL):
            pass

    with pytest.raises(RedisError, match="invalid username-password"):
        asyncio.run(scenario())
