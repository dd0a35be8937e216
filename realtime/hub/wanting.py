"""Says which streams are held here that are told only while somebody holds them."""

import asyncio
from collections.abc import Iterable

from redis.asyncio import Redis

from monitoring import metrics
from monitoring.loops import Loop
from realtime import kinds, naming, wanted
from realtime.hub.members import Members
from realtime.hub.repair import Unreachable
from realtime.messages import Refused


class Wanting:
    """What is new is said before it is held, and then again every few seconds."""

    def __init__(self, members: Members, redis: Redis) -> None:
        self._members, self._redis = members, redis

    async def want(self, names: Iterable[str]) -> None:
        """Raises Refused where there is no room for what is new, and redis' errors."""
        new = [name for name in names if _is_told(name) and name not in self._members.held]
        if new and not await wanted.admit(self._redis, new):
            metrics.INDICATORS_REFUSED.inc()
            limit = f"This server makes {wanted.MOST} indicators at once beyond those that everybody gets"
            raise Refused(
                "no_room",
                f"{limit}, and they are held. Try again in a minute, or read them over HTTP.",
                retry_after=wanted.CLOSE_SECONDS,
            )

    async def say_on(self) -> None:
        with Loop("hub: what is wanted", every_seconds=wanted.SAY_SECONDS, away=Unreachable) as loop:
            while True:
                with loop.turn():
                    await wanted.say(self._redis, [name for name in self._members.held if _is_told(name)])
                await asyncio.sleep(wanted.SAY_SECONDS)


def _is_told(stream: str) -> bool:
    return kinds.is_extra(stream) and naming.is_published(stream)
