"""The live channel: one subscription a process, followed for ever."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from monitoring.loops import Loop
from realtime import streams, visitors
from realtime.breath import Breath
from realtime.hub.members import Members
from realtime.hub.repair import FIRST_PAUSE, LONGEST_PAUSE, Unreachable
from realtime.hub.subscription import Subscription

logger = logging.getLogger(__name__)

SETTLED_SECONDS = 1.0  # a connection that lived this long was one: the next pause is the first again


class Listening:
    """Hands what comes to the members; after every (re)connection `look` finds what was missed."""

    def __init__(self, members: Members, look: Callable[[], Awaitable[None]]) -> None:
        self._members, self._look = members, look
        self._looking: asyncio.Task | None = None

    async def go_on(self) -> None:
        pause = FIRST_PAUSE
        with Loop("hub: the live channel") as loop:
            while True:
                began = time.monotonic()
                try:
                    await self._follow(loop)
                except Unreachable as error:
                    logger.warning("the live channel is out of reach, next try in %.1f s: %s", pause, error)
                except Exception as error:  # noqa: BLE001 - everybody's prices come through here
                    loop.fail(error)
                pause = FIRST_PAUSE if time.monotonic() - began > SETTLED_SECONDS else pause
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _follow(self, loop: Loop) -> None:
        """Subscribe, and hand on what comes until the connection ends."""
        try:
            async with Subscription(streams.channel()) as subscription:
                breath = Breath()
                while True:
                    publication = await subscription.next()
                    with loop.turn():
                        if publication is None:  # what was is found by a look now
                            self._looking = asyncio.create_task(self._look_once())
                        else:
                            await self._accept(publication, loop, breath)
        finally:
            if self._looking is not None:
                self._looking.cancel()

    async def _accept(self, publication: bytes, loop: Loop, breath: Breath) -> None:
        """Hand on the messages of one publication. What has come is flushed before it is too much: while there is a
        backlog too, clients hear of the newest as it is worked off.
        """
        members, flusher = self._members, self._members.flusher
        for line in streams.lines(publication, members.held):
            if streams.RENAMED in line.flags:
                visitors.forget_names()
            try:  # not `loop.one`, which costs a good part of what a line does
                members.accept(line)
            except Exception as error:  # noqa: BLE001 - everybody's prices come through here
                loop.skip(line.stream, error)
            else:
                loop.done()
            if flusher.is_early:
                await flusher.flush()
            if breath.is_over:
                await breath.taken()

    async def _look_once(self) -> None:
        try:
            await self._look()
        except Unreachable as error:
            logger.warning("the streams can't be read: %s", error)  # the next look at the tops does
