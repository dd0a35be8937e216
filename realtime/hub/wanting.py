"""Asks that streams be told which are told only while somebody holds them."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from django.conf import settings
from redis.asyncio import Redis

from monitoring import metrics
from realtime import kinds, naming, wanted
from realtime.hub.members import Members
from realtime.messages import Refused

PATIENCE_SECONDS = 1.0  # for a feed to tell the newest of what it begins to tell
FIRST_PAUSE_SECONDS = 0.005


class Wanting:
    """is_fed: whether a feed plays that hears at once what is wanted."""

    def __init__(self, members: Members, redis: Redis, is_fed: Callable[[], bool]) -> None:
        self._members, self._redis, self._is_fed = members, redis, is_fed

    async def want(self, names: Iterable[str]) -> None:
        """What is new is said before it is held: nothing that comes from now on is lost of it. Where a feed plays, its
        newest is told by then, so that the first answer has it.

        Raises Refused where there is no room for what is new, and redis' errors.
        """
        new = [name for name in names if is_told(name) and name not in self._members.held]
        if not new:
            return
        if not await wanted.admit(self._redis, new):
            metrics.INDICATORS_REFUSED.inc()
            limit = f"This server makes {settings.LIVE_INDICATORS} indicators at once beyond those that everybody gets"
            raise Refused(
                "no_room",
                f"{limit}, and they are held. Try again in a minute, or read them over HTTP.",
                retry_after=wanted.CLOSE_SECONDS,
            )
        await self._until_told(new)

    async def _until_told(self, names: Sequence[str]) -> None:
        clock, pause = asyncio.get_running_loop(), FIRST_PAUSE_SECONDS
        until = clock.time() + PATIENCE_SECONDS
        while self._is_fed() and clock.time() < until and not await wanted.are_told(self._redis, names):
            await asyncio.sleep(pause)
            pause *= 2


def is_told(stream: str) -> bool:
    return kinds.is_while_held(stream) and naming.is_published(stream)
