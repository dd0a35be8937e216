"""What waits for one client: bounded, in order, the newest price only where the client asked for the newest."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from realtime import messages

MAX_BYTES = 1 << 20
MAX_LOSSLESS = 5000


class Encoded:
    """An encoded message, its number in its stream if it has one, and its frame, made once for all who get it."""

    __slots__ = ("_frame", "body", "seq")

    def __init__(self, body: bytes, seq: int | None = None) -> None:
        self.body = body
        self.seq = seq
        self._frame: bytes | None = None

    @property
    def frame(self) -> bytes:
        if self._frame is None:
            self._frame = text_frame(self.body)
        return self._frame


def text_frame(body: bytes) -> bytes:
    """An unmasked RFC 6455 text frame, as a server sends it."""
    size = len(body)
    if size < 126:
        return b"\x81" + bytes((size,)) + body
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + body
    return b"\x81\x7f" + size.to_bytes(8, "big") + body


@dataclass(slots=True)
class Outbox:
    """Messages in the order they go out. Keys are streams for what conflates, with a number for what does not."""

    waiting: dict[str | tuple[str, int], Encoded] = field(default_factory=dict)
    bytes: int = 0
    lossless: int = 0
    counter: int = 0

    def add(self, message: Encoded, stream: str = "") -> None:
        self.counter += 1
        self.lossless += 1
        self.bytes += len(message.body)
        self.waiting[stream, self.counter] = message

    def conflate(self, stream: str, message: Encoded) -> None:
        """Keep only the newest of a stream, at the end, so that order across streams follows the newest too."""
        self.drop(stream)
        self.waiting[stream] = message

    def drop(self, stream: str) -> None:
        self.waiting.pop(stream, None)

    def forget(self, streams: Collection[str]) -> None:
        """Nothing of these streams goes out any more."""
        for stream in streams:
            self.drop(stream)
        for key in [key for key in self.waiting if isinstance(key, tuple) and key[0] in streams]:
            self.lossless -= 1
            self.bytes -= len(self.waiting.pop(key).body)

    @property
    def is_full(self) -> bool:
        """Too far behind. What conflates has at most one message a stream and so its own bound."""
        return self.bytes > MAX_BYTES or self.lossless > MAX_LOSSLESS

    def take(self) -> list[Encoded]:
        taken = list(self.waiting.values())
        self.waiting.clear()
        self.bytes = self.lossless = 0
        return taken


def frames(taken: list[Encoded], *, batch: bool) -> bytes:
    """One write for one client: a frame a message, or with `batch` its price updates together in one frame."""
    if not batch:
        return b"".join(message.frame for message in taken)
    return b"".join(text_frame(body) for body in bodies(taken, batch=True))


def bodies(taken: list[Encoded], *, batch: bool) -> Iterator[bytes]:
    """The text of each frame, for a server that frames by itself."""
    updates: list[bytes] = []
    for message in taken:
        if batch and message.body.startswith(b'{"type":"price_update"'):
            updates.append(message.body)
            continue
        if updates:
            yield messages.merged(updates)
            updates = []
        yield message.body
    if updates:
        yield messages.merged(updates)
