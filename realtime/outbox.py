"""What waits for one client: bounded, in order, the newest price only where the client asked for the newest."""

from collections.abc import Collection
from dataclasses import dataclass, field

from realtime.frames import Encoded

FULL_BYTES, FULL_MESSAGES = 1 << 20, 5000  # more is too much for a client that takes nothing
MOST_BYTES, MOST_MESSAGES = 8 << 20, 40_000  # more is too much for any


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
            self._left(key, self.waiting.pop(key))

    def hand_over(self, other: "Outbox") -> None:
        """All that waits here waits in another one."""
        other.waiting, other.bytes = self.waiting, self.bytes
        other.lossless, other.counter = self.lossless, self.counter

    def take(self, most_bytes: int) -> list[Encoded]:
        """What goes out first, at most so many bytes of it, but one message at least."""
        keys, size = [], 0
        for key, message in self.waiting.items():
            size += len(message.body)
            if keys and size > most_bytes:
                break
            keys.append(key)
        taken = [self.waiting.pop(key) for key in keys]
        for key, message in zip(keys, taken, strict=True):
            self._left(key, message)
        return taken

    # What conflates has at most one message a stream and so its own bound.

    @property
    def is_full(self) -> bool:
        return self.bytes > FULL_BYTES or self.lossless > FULL_MESSAGES

    @property
    def is_hopeless(self) -> bool:
        return self.bytes > MOST_BYTES or self.lossless > MOST_MESSAGES

    def _left(self, key: str | tuple[str, int], message: Encoded) -> None:
        if isinstance(key, tuple):
            self.lossless -= 1
            self.bytes -= len(message.body)
