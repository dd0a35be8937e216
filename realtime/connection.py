"""The life of one WebSocket, whatever server carries it: how long it may be silent and how long it may last, how much
may wait in either direction, and what is a flood. A server's transport offers the verbs of `Wire` and asks here.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from monitoring import metrics
from realtime import messages
from realtime.buckets import Bucket
from realtime.messages import CLOSE, SILENCE_SECONDS

RAW_PORT = "finstage.raw"  # in a scope's extensions
# Beyond the protocol's own limit, so that its consumer can say so; what is larger still is closed with 1009.
MAX_MESSAGE_BYTES = 256 * 1024
PROTOCOL_ERROR, TOO_LARGE, INTERNAL_ERROR = 1002, 1009, 1011
MAX_REASON_BYTES = 123  # of a close frame
MAX_UNSENT_BYTES = 1 << 20
MAX_UNOPENED_BYTES = 64 * 1024  # what a client may send before its socket is accepted
INBOX_FULL, INBOX_ROOMY = 64, 16
SMALL_FRAMES_A_SECOND, SMALL_FRAMES_AT_ONCE = 50, 100  # pings, pongs and fragments
MAX_FRAGMENTS = 64  # of one message
CLOSE_FRAME, FIRST_CONTROL_FRAME = 0x8, 0x8
CONTROL_FRAME_BYTES = 125
NOTHING_HERE = 4404  # an application's close before it accepts
CLOSE_SECONDS = 1.0  # for the client to take what was sent, and the close
# Those who came together after a restart do not all go together, and are not all asked together.
LIFETIME_SPREAD, PING_SPREAD = 0.05, 0.1


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long a WebSocket may take for what."""

    accept_seconds: float = 20  # until its application says yes or no
    ping_seconds: float = 20  # of silence, before it is asked whether it is there
    silence_seconds: float = SILENCE_SECONDS
    lifetime_seconds: float = 24 * 3600


class Wire(Protocol):
    """One WebSocket as a server has it: bytes, and nothing that decides."""

    def is_connecting(self) -> bool: ...
    def is_established(self) -> bool:
        """Accepted, and no close was sent or received."""

    def unsent(self) -> int:
        """Bytes that the kernel has not taken."""

    def write(self, data: bytes) -> int:
        """Whole frames, ready-made. Bytes that are unsent then."""

    def say(self, text: bytes) -> None:
        """A text frame, if it is open still."""

    def ping(self) -> None: ...
    def close(self, code: int, reason: str) -> None:
        """Behind what was written. Does nothing where it closes already."""

    def reject(self) -> None:
        """Say no to the handshake."""

    def drop(self) -> None:
        """End it at once: a close could not overtake what waits."""

    def pause(self) -> None:
        """Read nothing more."""

    def read_on(self) -> None: ...


class Connection:
    """A WebSocket from its handshake to its end."""

    __slots__ = (
        "_began_at", "_fragments", "_heard_at", "_is_counted", "_limits", "_message_bytes", "_over_at",
        "_ping_seconds", "_pinged_at", "_small_frames", "inbox", "is_cut_off", "is_full", "wire",
    )  # fmt: skip

    def __init__(self, wire: Wire, limits: Limits) -> None:
        self.wire: Wire | None = wire  # until the client is gone
        self._limits = limits
        self._began_at = self._heard_at = self._pinged_at = time.monotonic()
        chance = random.random()
        self._over_at = self._began_at + limits.lifetime_seconds * (1 + chance * LIFETIME_SPREAD)
        self._ping_seconds = limits.ping_seconds * (1 - chance * PING_SPREAD)
        self._small_frames = Bucket(SMALL_FRAMES_A_SECOND, SMALL_FRAMES_AT_ONCE)
        self._fragments = self._message_bytes = 0  # of the message that is arriving
        self._is_counted = False
        self.is_full = self.is_cut_off = False
        self.inbox: Inbox | None = Inbox(self._has_room)

    def opened(self) -> None:
        self._is_counted = True
        metrics.WEBSOCKETS.inc()

    def ended(self) -> None:
        """The client is gone. What still knows of it keeps neither its socket nor, in a circle, itself."""
        if self._is_counted:
            self._is_counted = False
            metrics.WEBSOCKETS.dec()
        self.is_cut_off = True
        self.wire = self.inbox = None

    # In

    @property
    def is_reading(self) -> bool:
        """Whether the next frame may be opened; one read may hold thousands of small ones."""
        return not self.is_full and not self.is_cut_off

    def admits(self, *, opcode: int, is_final: bool, size: int) -> bool:
        """Whether a frame may be taken, before it is. Pings, pongs and fragments reach no consumer that could count
        them, and each costs as much as a message."""
        is_control = opcode >= FIRST_CONTROL_FRAME
        if not is_control:
            begins = opcode != 0
            self._fragments = 1 if begins else self._fragments + 1
            self._message_bytes = size if begins else self._message_bytes + size
        elif size > CONTROL_FRAME_BYTES:  # it would be waited for, and kept
            self._end(PROTOCOL_ERROR, f"a control frame has {CONTROL_FRAME_BYTES} bytes at most")
            return False
        is_small = is_control or not is_final or self._fragments > 1
        if self._message_bytes > MAX_MESSAGE_BYTES:
            self._refuse_size()
        elif self._fragments > MAX_FRAGMENTS:
            self._end_flood(f"a message may have {MAX_FRAGMENTS} fragments")
        elif opcode != CLOSE_FRAME and is_small and not self._small_frames.take():
            self._end_flood(f"{SMALL_FRAMES_A_SECOND} pings, pongs and fragments a second are enough")
        return not self.is_cut_off

    def heard(self) -> None:
        """The client said something, or answered a ping."""
        self._heard_at = time.monotonic()

    def took(self) -> None:
        """A message was put into the inbox."""
        self.heard()
        if not self.is_full and self.inbox.qsize() >= INBOX_FULL:
            self.is_full = True
            self.wire.pause()

    def _has_room(self) -> None:
        """The consumer has caught up."""
        if self.is_full:
            self.is_full = False
            if not self.is_cut_off:
                asyncio.get_running_loop().call_soon(self.wire.read_on)

    def _refuse_size(self) -> None:
        """Too large to be kept: say so in the protocol's words before the close, and let the rest of it go by."""
        self.is_cut_off = True
        said = messages.error("oversized", f"A frame may have {messages.MAX_FRAME_BYTES} bytes at most.")
        self.wire.say(messages.encode(said))
        self.wire.close(TOO_LARGE, "the message is too large")

    def _end_flood(self, reason: str) -> None:
        metrics.WEBSOCKETS_FLOODING.inc()
        self._end(CLOSE["too_many_requests"], reason)

    def _end(self, code: int, reason: str) -> None:
        """Say why, and read nothing more: what is on its way would be as much again."""
        self.is_cut_off = True
        self.wire.close(code, reason)
        self.wire.pause()

    # Out

    def wrote(self) -> None:
        """Drop a client that lets too much wait."""
        if self.wire.unsent() > MAX_UNSENT_BYTES and not self.wire.is_connecting():
            metrics.WEBSOCKETS_SLOW.inc()
            self.wire.drop()

    # Time

    def check(self, now: float) -> float | None:
        """End what takes too long, by a clock that nobody sets. When it must be looked at again; None: it ends."""
        if self.wire.is_connecting():
            if now - self._began_at > self._limits.accept_seconds:
                self.wire.reject()
            return now  # it may be accepted at any time
        if not self.wire.is_established():
            return None
        if now >= self._silent_at:
            metrics.WEBSOCKETS_SILENT.inc()
            self.wire.close(CLOSE["silent"], "silent for too long")
            return None
        if now >= self._over_at:
            self.wire.close(CLOSE["lifetime_over"], "connected for long enough; connect again")
            return None
        if now >= self._quiet_at:
            self._pinged_at = now
            self.wire.ping()
        return min(self._silent_at, self._over_at, self._quiet_at)

    @property
    def _silent_at(self) -> float:
        return self._heard_at + self._limits.silence_seconds

    @property
    def _quiet_at(self) -> float:
        return max(self._heard_at, self._pinged_at) + self._ping_seconds


class Inbox(asyncio.Queue):
    """Messages that the consumer has not taken yet."""

    def __init__(self, on_room: Callable[[], None]) -> None:
        super().__init__()
        self._on_room = on_room

    def _get(self) -> dict:
        item = super()._get()
        if self.qsize() == INBOX_ROOMY:
            self._on_room()
        return item


class RawPort:
    """Writes ready-made frames to a socket, past the layers that would frame them again: one system call for many.

    For the event loop's thread alone, and only between the socket's acceptance and its close.
    """

    __slots__ = ("connection",)

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def write(self, data: bytes) -> None:
        """Send whole frames. Does nothing once the socket closes; raises RuntimeError before it is accepted."""
        if (wire := self.connection.wire) is None:
            return
        if not wire.is_established():
            if wire.is_connecting():
                raise RuntimeError("the socket is not accepted yet")
        elif wire.write(data) > MAX_UNSENT_BYTES:
            self.connection.wrote()

    def get_write_buffer_size(self) -> int:
        """Bytes written that the kernel has not taken."""
        return 0 if (wire := self.connection.wire) is None else wire.unsent()

    def is_closing(self) -> bool:
        """Whether a close was sent or received, or the connection is gone."""
        return (wire := self.connection.wire) is None or not wire.is_established()
