"""`make chaos keys`: thousands of keys in use at once, each by a socket and by requests; what changes
about some of them counts within 5 s on both, and about the others nothing does.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.utils import timezone
from websockets.asyncio.client import ClientConnection, connect

from finstage.access import keys
from finstage.models import ApiKey, User
from tests.chaos import stream_ground
from tests.chaos.jobs_ground import report
from tests.chaos.scale import times
from tests.server import Running

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]

KEYS, CHANGED = max(8, times(2000)), max(1, times(100))  # the second: of each change
AT_ONCE = 40
WITHIN, PATIENCE, LEFT_SECONDS = 5.0, 20.0, 1.0
READS, FOR_STAFF = "/api/v2/symbols/", "/ws/clients?limit=1"
JOBS = {"action": "subscribe", "type": "jobs"}


@dataclass
class Holder:
    """A key, and the socket that it opened."""

    key: ApiKey
    text: str
    socket: ClientConnection | None = None
    took: float | None = None  # seconds until the change counted

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.text}"}

    async def open(self, url: str) -> None:
        """It holds what is its owner's alone."""
        self.socket = await connect(url, additional_headers=self.headers, open_timeout=60, proxy=None)
        await self.until("authenticated")
        await self.say({"action": "subscribe", "type": "alerts"})
        assert "alerts:@me" in (await self.until("subscribed"))["subscriptions"]

    async def say(self, action: dict) -> None:
        await self.socket.send(json.dumps(action))

    async def until(self, *kinds: str, seconds: float = 60) -> dict:
        async with asyncio.timeout(seconds):
            while (message := json.loads(await self.socket.recv()))["type"] not in kinds:
                pass
        return message

    async def loses(self, since: float) -> None:
        assert (await self.until("unsubscribed", seconds=PATIENCE))["reason"] == "rights_ended"
        self.took = time.time() - since

    async def gains(self, since: float) -> None:
        while time.time() < since + PATIENCE:
            await self.say(JOBS)
            if (await self.until("subscribed", "error"))["type"] == "subscribed":
                self.took = time.time() - since
                return
            await asyncio.sleep(0.2)

    async def keeps(self) -> None:
        await self.say({"action": "ping"})
        await self.until("pong")  # had it lost something, it would have been told before


def holders(count: int) -> list[Holder]:
    """As many people, each with a key that may read; they are staff, and their keys are not."""
    User.objects.bulk_create([User(username=f"person {number}", is_staff=True) for number in range(count)])
    return [Holder(*keys.make(owner, "chaos", [ApiKey.READ], None)) for owner in User.objects.order_by("id")[:count]]


async def each(found: Sequence[Holder], act: Callable) -> None:
    room = asyncio.Semaphore(AT_ONCE)

    async def one(holder: Holder) -> None:
        async with room:
            await act(holder)

    await asyncio.gather(*map(one, found))


def statuses(server: Running, path: str, found: Sequence[Holder]) -> set[int]:
    with ThreadPoolExecutor(4) as pool:
        return set(pool.map(lambda each: server.get(path, **each.headers)[0], found))


def change(found: Sequence[Holder], **values: object) -> float:
    ApiKey.objects.filter(pk__in=[each.key.pk for each in found]).update(**values)
    return time.time()


async def changed(
    server: Running, revoked: list[Holder], over: list[Holder], wider: list[Holder]
) -> dict[str, set[int]]:
    """All three at once; and what requests are answered once 5 s have passed."""
    ends_at = timezone.now() + timedelta(seconds=LEFT_SECONDS)
    await asyncio.to_thread(change, over, expires_at=ends_at)
    began = await asyncio.to_thread(change, revoked, revoked_at=timezone.now())
    await asyncio.to_thread(change, wider, may_staff=True)
    waiting = [each.loses(began) for each in revoked] + [each.loses(ends_at.timestamp()) for each in over]
    answers = asyncio.create_task(asyncio.to_thread(answered_then, server, ends_at.timestamp(), revoked, over, wider))
    await asyncio.gather(*waiting, *(each.gains(began) for each in wider), return_exceptions=True)
    return await answers


def answered_then(server: Running, began: float, *three: list[Holder]) -> dict[str, set[int]]:
    time.sleep(max(0.0, began + WITHIN - time.time()))
    names = ("revoked", "over", "wider")
    paths = (READS, READS, FOR_STAFF)
    return {name: statuses(server, path, found) for name, path, found in zip(names, paths, three, strict=True)}


async def play(server: Running, everybody: list[Holder]) -> tuple[list[list[Holder]], dict[str, set[int]]]:
    parts = [everybody[start * CHANGED : (start + 1) * CHANGED] for start in range(3)]
    async with AsyncExitStack() as stack:
        for holder in everybody:
            stack.push_async_callback(lambda holder=holder: holder.socket.close())
        await each(everybody, lambda holder: holder.open(stream_ground.url(server)))
        assert await asyncio.to_thread(statuses, server, READS, everybody) == {200}
        assert await asyncio.to_thread(statuses, server, FOR_STAFF, parts[2]) == {403}
        answers = await changed(server, *parts)
        await each(everybody[3 * CHANGED :], Holder.keeps)
    return parts, answers


def slowest(part: list[Holder]) -> float:
    return max(PATIENCE if each.took is None else each.took for each in part)


def test_a_change_counts_within_5_s_where_thousands_of_keys_are_in_use(server):
    everybody = holders(KEYS)
    with stream_ground.web(server) as web:
        parts, answers = asyncio.run(play(web, everybody))
        others = statuses(web, READS, everybody[3 * CHANGED :])
    took = [round(slowest(part), 1) for part in parts]
    report(
        "keys in use at once, each by a socket and by requests",
        f"{KEYS} keys, of which {CHANGED} are revoked, as many run out, as many may more",
        f"each counts within {WITHIN:g} s, on sockets and requests, and the others go on",
        f"sockets {took} s; requests then {answers}, the others {others}",
    )
    assert max(took) <= WITHIN
    assert answers == {"revoked": {401}, "over": {401}, "wider": {200}}
    assert others == {200}


def test_without_looking_again_a_revoked_key_goes_on(server):
    everybody = holders(2)
    with stream_ground.web(server, "looks_at_rights") as web:
        asyncio.run(revoke(web, everybody))
    assert slowest(everybody) > WITHIN


async def revoke(server: Running, found: list[Holder]) -> None:
    await each(found, lambda holder: holder.open(stream_ground.url(server)))
    began = await asyncio.to_thread(change, found, revoked_at=timezone.now())
    await asyncio.gather(*(holder.loses(began) for holder in found), return_exceptions=True)
    await each(found, lambda holder: holder.socket.close())
