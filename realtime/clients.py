"""One connected client as the hub sees it: what it holds, what waits for it, and how bytes leave."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from realtime import messages
from realtime.outbox import Encoded, Outbox, bodies, frames
from realtime.people import Person

HIGH_WATER_BYTES = 64 * 1024
SLOW_SECONDS = 15.0


class RawPort(Protocol):
    """A server's socket that takes ready frames: one system call a flush instead of one a message."""

    def write(self, data: bytes) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    def is_closing(self) -> bool: ...


class Client:
    """A socket. `port` is the server's raw port, or None: then `send` sends one text frame the ASGI way."""

    __slots__ = (
        "_busy_since", "_sending", "batch", "client_id", "close", "connected_at", "floors", "held", "joining",
        "message_count", "outbox", "person", "port", "send", "session",
    )  # fmt: skip

    def __init__(
        self,
        client_id: str,
        send: Callable[[str], Awaitable[None]],
        close: Callable[[int], Awaitable[None]],
        port: RawPort | None = None,
        session: str | None = None,
    ) -> None:
        self.client_id = client_id
        self.send = send
        self.close = close
        self.port = port
        self.outbox = Outbox()
        self.held: dict[str, str] = {}  # stream -> mode
        self.joining: dict[str, list[Any]] = {}  # stream -> what came while its history was read
        self.floors: dict[str, int] = {}  # stream -> the seq it has already, where the hub is still behind that
        self.batch = False
        self.session = session  # the key that its cookie names, whoever that is
        self.person: Person | None = None  # who it is, where it asked for what needs a login; `rights` keeps it true
        self.connected_at = time.time()
        self.message_count = 0
        self._busy_since: float | None = None
        self._sending: asyncio.Task | None = None

    @property
    def is_busy(self) -> bool:
        """It has not taken what it was given: more would only pile up."""
        if self.port is not None:
            return self.port.get_write_buffer_size() > HIGH_WATER_BYTES
        return self._sending is not None and not self._sending.done()

    def has(self, stream: str, seq: int | None) -> bool:
        """Whether it got this message with its subscription, before the hub came to it."""
        floor = self.floors.get(stream)
        if floor is None or seq is None:
            return False
        if seq > floor:
            del self.floors[stream]
        return seq <= floor

    def say(self, message: dict[str, Any]) -> None:
        """Put an answer at the end of what waits."""
        self.outbox.add(Encoded(messages.encode(message)))

    def flush(self) -> bool:
        """Send what waits if the client takes it. False: it is behind, try again at the next flush."""
        if not self.outbox.waiting:
            return True
        if self.is_busy:
            self._busy_since = self._busy_since or time.monotonic()
            return False
        self._busy_since = None
        taken = self.outbox.take()
        self.message_count += len(taken)
        if self.port is None:
            self._sending = asyncio.ensure_future(self._send_each(taken))
        elif not self.port.is_closing():
            self.port.write(frames(taken, batch=self.batch))
        return True

    @property
    def is_slow(self) -> bool:
        """Behind for so long, or by so much, that it is better off to connect again."""
        if self.outbox.is_full:
            return True
        return self._busy_since is not None and time.monotonic() - self._busy_since > SLOW_SECONDS

    async def _send_each(self, taken: list[Encoded]) -> None:
        for body in bodies(taken, batch=self.batch):
            await self.send(body.decode())
