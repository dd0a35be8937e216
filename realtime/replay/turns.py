"""Who makes messages: one replay of a process after the other, so that all of them together leave it time for what is
live, however many there are.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

SLICE_SECONDS = 0.004  # of the processor's, of one's work in one piece
REST = 2  # times as long as a turn took nobody has one, where others wait for theirs


class Turns:
    """Those of the replays of a process, in the order in which they asked."""

    def __init__(self) -> None:
        self._lock, self._asking = asyncio.Lock(), 0

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[float]:
        """A turn; gives until when it lasts, by this thread's processor time: what else the machine does is no work."""
        self._asking += 1
        try:
            async with self._lock:
                began = time.thread_time()
                yield began + SLICE_SECONDS
                took = time.thread_time() - began
                await asyncio.sleep(0)  # what else the loop has to do comes before the next turn, whoever's it is
                if self._asking > 1:
                    await asyncio.sleep(took * REST)
        finally:
            self._asking -= 1
