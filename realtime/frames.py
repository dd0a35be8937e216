"""Frames of RFC 6455: made once for all who get them, and many in one write.

They are never compressed, also where they are large and one client's own. A first answer of 950 prices would have 92 KB
instead of 427, once a connection, and cost the event loop 5 ms; one that resumes has no prices in it. What is agreed
for that holds in both directions: a connection would keep 9 KB more (it has 35), and 276 bytes would open to a message
of 256 KB before anybody can refuse it.
"""

from collections.abc import Iterator, Sequence

from realtime import messages
from realtime.kinds import PRICES

_UPDATE = f'{{"type":"{PRICES.message}"'.encode()


class Encoded:
    """An encoded message and its frame."""

    __slots__ = ("_frame", "body")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self._frame: bytes | None = None

    @property
    def frame(self) -> bytes:
        if self._frame is None:
            self._frame = text_frame(self.body)
        return self._frame


class Part:
    """Messages of one stream that go out in the same flush, framed together once for all who get them."""

    __slots__ = ("_frames", "is_newest", "messages", "stream")

    def __init__(self, stream: str, messages: list[Encoded], *, is_newest: bool) -> None:
        self.stream, self.messages, self.is_newest = stream, messages, is_newest
        self._frames: bytes | None = None

    @property
    def frames(self) -> bytes:
        if self._frames is None:
            self._frames = b"".join([message.frame for message in self.messages])
        return self._frames


def text_frame(body: bytes) -> bytes:
    """An unmasked RFC 6455 text frame, as a server sends it."""
    size = len(body)
    if size < 126:
        return b"\x81" + bytes((size,)) + body
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + body
    return b"\x81\x7f" + size.to_bytes(8, "big") + body


def joined(taken: Sequence[Encoded], *, batch: bool) -> bytes:
    """One write for one client: a frame a message, or with `batch` its price updates together in one frame."""
    if not batch:
        return b"".join([message.frame for message in taken])
    return b"".join([text_frame(body) for body in bodies(taken, batch=True)])


def bodies(taken: Sequence[Encoded], *, batch: bool) -> Iterator[bytes]:
    """The text of each frame, for a server that frames by itself."""
    updates: list[bytes] = []
    for message in taken:
        if batch and message.body.startswith(_UPDATE):
            updates.append(message.body)
            continue
        if updates:
            yield messages.merged(updates)
            updates = []
        yield message.body
    if updates:
        yield messages.merged(updates)
