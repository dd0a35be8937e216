"""Whether the database answers, asked all the time by a thread of its own.

One that is frozen refuses nobody: it keeps the thread of whoever asks, for as long as its driver is patient. So while
the watch's own question hangs, the gate tells everybody at once.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from monitoring.loops import Loop

logger = logging.getLogger(__name__)

EVERY_SECONDS = 0.5
HANGS_SECONDS = 120.0  # a frozen database is told as such; this is for a watch that does not watch
PATIENCE_SECONDS = 2.5  # with the pause before it the longest that a frozen database goes unnoticed


class Watch:
    """ask: returns or raises when the database has answered. A failure is an answer: each view tells it by itself."""

    def __init__(self, ask: Callable[[], object], *, every_seconds: float = EVERY_SECONDS,
                 patience_seconds: float = PATIENCE_SECONDS):  # fmt: skip
        self._ask, self._every, self._patience = ask, every_seconds, patience_seconds
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="watch")
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def silence(self) -> asyncio.Future:
        """Done while the database is silent; whoever waits for something else waits for this too."""
        if self._loop is not asyncio.get_running_loop():
            self._loop = asyncio.get_running_loop()
            self._silence = self._loop.create_future()
            self._asking = self._loop.create_task(self._ask_on())
        return self._silence

    async def _ask_on(self) -> None:
        with Loop("watch", every_seconds=self._every, patience_seconds=HANGS_SECONDS) as loop:
            while True:
                with loop.turn():
                    is_late = await self._ask_once()
                    if self._silence.done() and not is_late:
                        logger.warning("the database answers again")
                        self._silence = self._loop.create_future()
                await asyncio.sleep(self._every)

    async def _ask_once(self) -> bool:
        """Whether the answer took longer than we are patient."""
        asked = self._loop.run_in_executor(self._pool, self._answer)
        is_late = not (await asyncio.wait({asked}, timeout=self._patience))[0]
        if is_late and not self._silence.done():
            logger.error("the database has not answered for %.1f s: requests are told to come back", self._patience)
            self._silence.set_result(None)
        await asked
        return is_late

    def _answer(self) -> None:
        # Caught here: there are exceptions that a future takes for its own and never tells.
        with contextlib.suppress(Exception):
            self._ask()
