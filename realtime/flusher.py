"""When bytes leave: at once after a quiet time, else 100 ms after the last flush, one write a client."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from realtime import messages
from realtime.clients import Client
from realtime.outbox import Encoded

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.1
WRITES_BEFORE_A_BREATH = 500  # thousands of writes in a row would hold up the event loop


class Flusher:
    """What goes out with the next flush: the newest message of each stream, and what waits for each client.

    wanting: the clients that want a stream's newest only. leave: takes a client out when it can't be written to.
    """

    def __init__(self, wanting: Callable[[str], Iterable[Client]], leave: Callable[[Client], None]) -> None:
        self._wanting, self._leave = wanting, leave
        self._newest: dict[str, Encoded] = {}
        self._touched: set[Client] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task | None = None
        self._flushed_at = 0.0

    def newest(self, stream: str, message: Encoded) -> None:
        """This is a stream's newest now; whatever it had before the flush is not sent."""
        self.drop(stream)
        self._newest[stream] = message
        self._schedule()

    def drop(self, stream: str) -> None:
        self._newest.pop(stream, None)

    def touch(self, client: Client) -> None:
        """Something waits in this client's outbox."""
        self._touched.add(client)
        self._schedule()

    def forget(self, client: Client) -> None:
        self._touched.discard(client)

    def _schedule(self) -> None:
        if self._timer is None and (self._flushing is None or self._flushing.done()):
            loop = asyncio.get_running_loop()
            wait = max(0.0, self._flushed_at + FLUSH_SECONDS - loop.time())
            self._timer = loop.call_later(wait, self._start)

    def _start(self) -> None:
        self._timer = None
        self._flushed_at = asyncio.get_running_loop().time()
        self._flushing = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        for stream in list(self._newest):
            self.hand_out(stream)
        touched, self._touched = self._touched, set()
        for number, client in enumerate(touched, 1):
            try:
                await self._flush_one(client)
            except Exception:  # the last line of defence: one socket must not stop the others
                logger.exception("client %s could not be written to", client.client_id)
                self._leave(client)
            if number % WRITES_BEFORE_A_BREATH == 0:
                await asyncio.sleep(0)
        self._flushing = None
        if self._touched or self._newest:
            self._schedule()

    def hand_out(self, stream: str) -> None:
        """Let a stream's newest wait for its clients now: what follows must not overtake it."""
        if (message := self._newest.pop(stream, None)) is None:
            return
        for client in self._wanting(stream):
            if stream not in client.joining and not client.has(stream, message.seq):
                client.outbox.conflate(stream, message)
                self._touched.add(client)

    async def _flush_one(self, client: Client) -> None:
        if client.is_slow:
            logger.info("client %s does not read what it is sent: closed", client.client_id)
            self._leave(client)
            await client.close(messages.CLOSE["slow_client"])
        elif not client.flush():
            self._touched.add(client)
