"""When bytes leave: prices at once after a quiet time, else a while after the last flush, and longer the more the
process has to do; what must not wait at the loop's next turn. One write a client.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

from django.conf import settings

from monitoring import metrics
from realtime import messages
from realtime.breath import Breath
from realtime.clients import Client
from realtime.delays import Delays
from realtime.frames import Encoded, Part
from realtime.places import Place

logger = logging.getLogger(__name__)

EARLY_BYTES = 512 * 1024  # of prices that wait: more are flushed without waiting for the time
IDLE_LOAD, BUSY_LOAD = 0.2, 0.8  # shares of one core between which the wait grows


class Flusher:
    """What goes out with the next flush: what each stream has brought since the last, and what waits for each client.

    in_step: the clients of a stream that get it. leave: takes a client out when it can't be written to.
    """

    def __init__(self, in_step: Callable[[str], Place | None], leave: Callable[[Client], None]) -> None:
        self._in_step, self._leave = in_step, leave
        self._waiting: dict[str, list[Encoded]] = {}
        self._waiting_bytes = 0
        self._touched: set[Client] = set()
        self._urgent: set[Client] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task | None = None
        self._serving: asyncio.Task | None = None
        self._closing: set[asyncio.Task] = set()
        self._flushed_at = self._worked = 0.0
        self._wait = 0.0
        self._delays = Delays()

    def add(self, stream: str, message: Encoded, *, newest_only: bool) -> None:
        """This is a stream's newest now; with `newest_only` nobody asked for what it had before the flush."""
        waiting = self._waiting.get(stream)
        if waiting is None:
            self._waiting[stream] = [message]
            self._schedule()
        elif newest_only:
            # Order across streams follows the newest.
            del self._waiting[stream]
            self._waiting[stream] = [message]
            return
        else:
            waiting.append(message)
        self._waiting_bytes += len(message.body)

    def hand_out(self, stream: str, *, is_over: bool = False) -> None:
        """Let what a stream has brought wait for its clients now: what follows must not overtake it.

        is_over: for who asked for the newest only, what follows replaces it.
        """
        if (waiting := self._waiting.pop(stream, None)) is None or (place := self._in_step(stream)) is None:
            return
        if place.every:
            self._ready(Part(stream, waiting, is_newest=False), place.every)
        if place.latest and not is_over:
            self._ready(Part(stream, waiting[-1:], is_newest=True), place.latest)

    def touch(self, client: Client) -> None:
        """Something waits in this client's outbox."""
        self._touched.add(client)
        self._schedule()

    def urge(self, client: Client) -> None:
        """Something waits in this client's outbox that must not wait for the flush."""
        self._urgent.add(client)
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve_urgent())

    def forget(self, client: Client) -> None:
        self._touched.discard(client)
        self._urgent.discard(client)

    @property
    def is_early(self) -> bool:
        """So much waits that it had better leave before more comes."""
        return self._waiting_bytes > EARLY_BYTES

    async def flush(self) -> None:
        """Let all that waits leave, as far as it is taken."""
        if self._timer is not None:
            self._timer.cancel()
            self._start()
        if self._flushing is not None:
            await self._flushing

    def _ready(self, part: Part, clients: Iterable[Client]) -> None:
        touch = self._touched.add
        for client in clients:
            if not client.ready:
                touch(client)
            client.ready.append(part)

    def _schedule(self) -> None:
        if self._timer is None and (self._flushing is None or self._flushing.done()):
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, self._flushed_at + self._wait - loop.time()), self._start)

    def _start(self) -> None:
        self._timer = None
        self._measure()
        self._flushing = asyncio.create_task(self._flush())

    def _measure(self) -> None:
        """How long to wait after this flush: by the share of a core that this thread has used since the last."""
        now, worked = asyncio.get_running_loop().time(), time.thread_time()
        load = (worked - self._worked) / max(now - self._flushed_at, 1e-3)
        self._flushed_at, self._worked = now, worked
        share = min(max((load - IDLE_LOAD) / (BUSY_LOAD - IDLE_LOAD), 0.0), 1.0)
        shortest, longest = settings.STREAM_FLUSH_IDLE_SECONDS, settings.STREAM_FLUSH_BUSY_SECONDS
        self._wait = shortest + share * (longest - shortest)

    async def _flush(self) -> None:
        breath = Breath()
        self._waiting_bytes = 0
        told = self._delays.begin(self._waiting.items())
        try:
            for stream in list(self._waiting):
                self.hand_out(stream)
                await breath.taken()
            touched, self._touched = self._touched, set()
            await self._serve(touched, breath)
            self._delays.end(told)
        finally:
            self._flushing = None
            if self._touched or self._waiting:
                self._schedule()

    async def _serve_urgent(self) -> None:
        breath = Breath()
        while self._urgent:
            urgent, self._urgent = self._urgent, set()
            await self._serve(urgent, breath)

    async def _serve(self, clients: Iterable[Client], breath: Breath) -> None:
        for client in clients:
            try:
                self._serve_one(client)
            except Exception:  # the last line of defence: one socket must not stop the others
                logger.exception("client %s could not be written to", client.client_id)
                self._leave(client)
            await breath.taken()

    def _serve_one(self, client: Client) -> None:
        if client.flush():
            return
        if not client.is_slow:
            self.touch(client)
            return
        logger.info("client %s does not read what it is sent: closed", client.client_id)
        metrics.WEBSOCKETS_SLOW.inc()
        self._leave(client)
        # A task: a client that does not read must not hold up the others.
        closing = asyncio.create_task(client.close(messages.CLOSE["slow_client"]))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
