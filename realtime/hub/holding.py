"""Says what is held here: of which symbols bars or indicators, as the feed tells those at once and of others together,
and which streams that are told only while somebody holds them.
"""

import asyncio
import contextlib
from collections.abc import Iterable

from redis.asyncio import Redis

from monitoring.loops import Loop
from realtime import held, kinds, wanted
from realtime.hub.members import Members
from realtime.hub.repair import Unreachable
from realtime.hub.wanting import is_told
from realtime.kinds import BARS, INDICATORS

PAUSE_SECONDS = 0.02  # of many who come at once it is said together
_WITH_ROWS = BARS.name, INDICATORS.name


class Holding:
    """What is new is said at once, and all of it again every few seconds."""

    def __init__(self, members: Members, redis: Redis) -> None:
        self._members, self._redis = members, redis
        self._new: set[str] = set()
        self._is_new = asyncio.Event()

    def tell(self, streams: Iterable[str]) -> None:
        """These are held, perhaps since now."""
        if new := _with_rows(streams):
            self._new |= new
            self._is_new.set()

    async def say_all(self) -> None:
        """A server that has forgotten what is held hears it before it is asked where that is. Raises redis' errors."""
        await self._say(_with_rows(self._members.held))

    async def say_on(self) -> None:
        clock, due_at = asyncio.get_running_loop(), 0.0
        with Loop("hub: what is held", every_seconds=held.SAY_SECONDS, away=Unreachable) as loop:
            while True:
                with loop.turn():
                    new, self._new = self._new, set()
                    self._is_new.clear()
                    if clock.time() >= due_at:
                        due_at = clock.time() + held.SAY_SECONDS
                        new = _with_rows(self._members.held)
                    await self._say(new)
                await asyncio.sleep(PAUSE_SECONDS)
                # Not wait_for, which loses a cancel that comes with what it waits for.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, due_at - clock.time())):
                        await self._is_new.wait()

    async def _say(self, streams: set[str]) -> None:
        await held.say(self._redis, sorted({kinds.address(stream).ticker for stream in streams}))
        await wanted.say(self._redis, list(filter(is_told, streams)))


def _with_rows(streams: Iterable[str]) -> set[str]:
    return {stream for stream in streams if stream.startswith(_WITH_ROWS)}
