"""One connected client as the hub sees it: where it is in its streams, what waits for it, and how bytes leave."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import Any, Protocol

from realtime import frames, messages
from realtime.frames import Encoded, Part
from realtime.outbox import Outbox
from realtime.people import Credential, Person
from realtime.places import Place

HIGH_WATER_BYTES = 64 * 1024
WRITE_BYTES = 64 * 1024  # one write; what is more goes as the client takes it
FLUSH_WRITES = 16  # in a row, for one client
SLOW_SECONDS = 15.0  # a client that takes nothing for so long is better off to connect again
LAST_WORDS_SECONDS = 1.0
FULL_SECONDS = 2.0  # and for so long where too much waits for it


class RawPort(Protocol):
    """A server's socket that takes ready frames: one system call a flush instead of one a message."""

    def write(self, data: bytes) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    def is_closing(self) -> bool: ...


class Client:
    """A socket. `port` is the server's raw port, or None: then `send` sends one text frame the ASGI way."""

    __slots__ = (
        "_busy_since", "_sending", "asked", "batch", "client_id", "close", "connected_at", "credential", "is_plain",
        "message_count", "outbox", "person", "places", "port", "ready", "send",
    )  # fmt: skip

    def __init__(
        self,
        client_id: str,
        send: Callable[[str], Awaitable[None]],
        close: Callable[[int], Awaitable[None]],
        port: RawPort | None = None,
        credential: Credential | None = None,
    ) -> None:
        self.client_id = client_id
        self.send = send
        self.close = close
        self.port = port
        self.outbox = Outbox()
        self.ready: list[Part] = []  # what goes out in the flush that is under way, behind the outbox
        self.places: dict[str, Place] = {}  # by stream, those too that it is about to join
        self.asked: set[str] = set()  # the types of its subscriptions, in its own words
        self.batch = False
        self.is_plain = True  # what is ready may be written as it is: it changed nothing about what it gets
        self.credential = credential  # what it shows, whoever that is
        self.person: Person | None = None  # who it is, where it asked for what needs a login; `rights` keeps it true
        self.connected_at = time.time()
        self.message_count = 0
        self._busy_since: float | None = None
        self._sending: asyncio.Task | None = None

    @property
    def held(self) -> list[str]:
        """The streams that it was told it holds."""
        return [stream for stream, place in self.places.items() if place.epoch]

    @property
    def is_active(self) -> bool:
        """Its socket is open, as far as the server tells."""
        return self.port is None or not self.port.is_closing()

    @property
    def behind_seconds(self) -> float:
        """For how long it has not taken what waits for it."""
        return 0.0 if self._busy_since is None else time.monotonic() - self._busy_since

    @property
    def is_busy(self) -> bool:
        """It has not taken what it was given: more would only pile up."""
        if self.port is not None:
            return self.port.get_write_buffer_size() > HIGH_WATER_BYTES
        return self._sending is not None and not self._sending.done()

    # What waits for it

    def say(self, message: dict[str, Any]) -> None:
        """Put an answer at the end of what waits."""
        self.add(Encoded(messages.encode(message)))

    def add(self, message: Encoded, stream: str = "") -> None:
        self._settle()
        self.outbox.add(message, stream)

    def conflate(self, stream: str, message: Encoded) -> None:
        """Let the newest message of a stream wait in place of the one that does."""
        self._settle()
        self.outbox.conflate(stream, message)

    def drop(self, stream: str) -> None:
        """What waits of a stream and may be replaced is not sent."""
        self._settle()
        self.outbox.drop(stream)

    def forget(self, streams: Collection[str]) -> None:
        """Nothing of these streams is sent any more."""
        self._settle()
        self.outbox.forget(streams)

    def _settle(self) -> None:
        """What was ready takes its place in the queue, ahead of what comes now."""
        if not self.ready:
            return
        ready, self.ready = self.ready, []
        for part in ready:
            for message in part.messages:
                if part.is_newest:
                    self.outbox.conflate(part.stream, message)
                else:
                    self.outbox.add(message, part.stream)

    def configure(self, outbox: Outbox, *, batch: bool) -> None:
        """From now on it gets what waits, and what comes, by way of this outbox."""
        self._settle()
        self.outbox.hand_over(outbox)
        self.outbox, self.batch = outbox, batch
        self.is_plain = not batch and type(outbox) is Outbox

    def end(self) -> None:
        """Nothing is sent to it any more."""
        self.ready, self.outbox = [], Outbox()

    # How it leaves

    def flush(self) -> bool:
        """Send what waits as far as the client takes it. False: it is behind, try again at the next flush."""
        if self.ready and not self.outbox.waiting and self.port is not None and not self.is_busy:
            self._write_ready()
        self._settle()
        for _ in range(FLUSH_WRITES):
            if not self.outbox.waiting:
                self._busy_since = None
                return True
            if self.is_busy:
                self._busy_since = self._busy_since or time.monotonic()
                return False
            self._busy_since = None
            self._send(self.outbox.take(WRITE_BYTES))
        return not self.outbox.waiting

    def say_last(self, message: dict[str, Any]) -> None:
        """A raw port takes it also from one that is behind: ahead of what waits, which it gets when it comes back."""
        self.flush()
        if self.port is None:
            self.say(message)
            self.flush()
            return
        self.end()
        self._write(frames.text_frame(messages.encode(message)))

    @property
    def is_slow(self) -> bool:
        """It takes too little: asked of a client that is behind after it was served."""
        if self._busy_since is None:
            return False
        busy = time.monotonic() - self._busy_since
        return busy > SLOW_SECONDS or self.outbox.is_hopeless or (self.outbox.is_full and busy > FULL_SECONDS)

    def _write_ready(self) -> None:
        """The usual way: one write of what many get, with nothing queued; of more, pieces while it takes them."""
        if not self.is_plain:
            return
        ready, start = [part.frames for part in self.ready], 0
        for end in _pieces(ready):
            if start and self.is_busy:
                break
            self._write(b"".join(ready[start:end]))
            start = end
        self.message_count += sum([len(part.messages) for part in self.ready[:start]])
        self.ready = self.ready[start:]

    def _send(self, taken: list[Encoded]) -> None:
        self.message_count += len(taken)
        if self.port is None:
            self._sending = asyncio.ensure_future(self._send_each(taken))
        else:
            self._write(frames.joined(taken, batch=self.batch))

    def _write(self, data: bytes) -> None:
        if not self.port.is_closing():
            self.port.write(data)

    async def _send_each(self, taken: list[Encoded]) -> None:
        with contextlib.suppress(OSError):  # the client is gone, and its consumer will hear so
            for body in frames.bodies(taken, batch=self.batch):
                await self.send(body.decode())

    async def last_words(self) -> None:
        """What was said goes out ahead of the close. A raw port has written it; any other server sends in turns."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                while self._sending is not None and not self.flush():
                    await asyncio.wait({self._sending})
                if self._sending is not None:
                    await asyncio.wait({self._sending})


def _pieces(found: list[bytes]) -> Iterator[int]:
    """Where to end each write, until one that is too large for any comes."""
    size = 0
    for at, each in enumerate(found):
        if size + len(each) > WRITE_BYTES:
            if size:
                yield at
            if len(each) > WRITE_BYTES:
                return
            size = 0
        size += len(each)
    yield len(found)
