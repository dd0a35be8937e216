"""What prices need, and whether it is there: told to every client when it changes."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from redis.asyncio import Redis

from monitoring import heartbeats
from monitoring.loops import Loop
from realtime import messages, pulse
from realtime.breath import Breath
from realtime.clients import Client
from realtime.frames import Encoded
from realtime.hub.members import Members
from realtime.hub.repair import Unreachable

WATCH_SECONDS = 0.5
STATUS_SECONDS = 2.0  # a store that says nothing for so long is out of reach


class Status:
    """now: None until it is known. is_recorded: whether the feed plays a recording, or last did."""

    def __init__(self, members: Members, redis: Redis, answer: Callable[[Client], None]) -> None:
        self._members, self._redis, self._answer = members, redis, answer
        self.now: messages.Service | None = None
        self.is_recorded = False

    @property
    def is_live(self) -> bool:
        """Whether the feed of a live source plays, as far as is known."""
        return not self.is_recorded and (self.now is None or self.now["feed"])

    def tell(self, client: Client) -> None:
        """Say what can come to this client, as soon as it is known, behind what waits for it."""
        if self.now is not None:
            client.add(self._told())
        self._answer(client)

    async def watch(self) -> None:
        with Loop("hub: the feed's sign of life", every_seconds=WATCH_SECONDS, away=Unreachable) as loop:
            while True:
                with loop.turn():
                    now = await self._ask()
                    if now != self.now:
                        self.now = now
                        await self._tell_all(loop)
                await asyncio.sleep(WATCH_SECONDS)

    async def _tell_all(self, loop: Loop) -> None:
        told, breath = self._told(), Breath()
        for client in list(self._members.clients):
            with loop.one(client.client_id):
                if client in self._members.clients:  # else it has left meanwhile
                    client.add(told)
                    self._answer(client)
            await breath.taken()

    def _told(self) -> Encoded:
        return Encoded(messages.encode(messages.service_status(self.now, datetime.now(UTC))))

    async def _ask(self) -> messages.Service:
        try:
            async with asyncio.timeout(STATUS_SECONDS):
                sign = await self._redis.hget(heartbeats.key(), "feed")
        except Unreachable:
            return {"redis": False, **pulse.service(None)}
        is_recorded = pulse.is_recorded(sign)
        self.is_recorded = self.is_recorded if is_recorded is None else is_recorded
        return {"redis": True, **pulse.service(sign)}
