"""What somebody missed of a stream: all of it, in order and once, or one gap that says what can't be had."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from realtime import kinds, messages, streams
from realtime.frames import Encoded
from realtime.kinds import ALL, NONE
from realtime.places import EVERY, LATEST
from realtime.streams import Position, Reading

RECOVERY_LIMIT = 1000
RECOVERY_BYTES = 768 * 1024  # that wait for one client at once, below what an outbox holds


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a client gets back of a stream: all that it missed (`follow`) since a position, or the reason why not."""

    stream: str
    since: Position
    epoch: str
    first: int
    last: int
    follow: list[bytes]
    reason: str | None

    @property
    def size(self) -> int:
        return sum(map(len, self.follow))

    def messages(self) -> list[Encoded]:
        if self.reason is None:
            return [Encoded(body) for body in self.follow]
        stream, had = kinds.public(self.stream), self.since
        lost = messages.gap(stream, self.epoch, self.first, self.last, self.reason, had=had)
        return [Encoded(messages.encode(lost))]

    def within(self, room: int) -> "Recovery":
        """A gap instead of messages that would overfill a client; what brings none overfills nobody."""
        return self if self.size <= max(room, 0) else replace(self, follow=[], reason="limit")


def recover(reading: Reading, since: Position, mode: str) -> Recovery:
    """All that was kept after a position, or one reason; never a part. In mode `latest` a price's newest is all."""
    reason = reading.gap_reason(since, RECOVERY_LIMIT)
    if reason == "epoch_changed":
        return Recovery(reading.stream, since, reading.epoch, 0, reading.seq, [], reason)
    newest_is_all = mode == LATEST and kinds.of(reading.stream).conflated == ALL
    if reason and not newest_is_all:
        return Recovery(reading.stream, since, reading.epoch, since.seq + 1, reading.seq, [], reason)
    follow = [] if newest_is_all else reading.after(since)
    is_newer = reading.latest and streams.seq_of(reading.latest) > since.seq
    if is_newer and kinds.of(reading.stream).is_cache and reading.latest not in follow:
        follow = sorted([*follow, reading.latest], key=streams.seq_of)  # it may stand before a message aside
    if mode == EVERY and kinds.of(reading.stream).dropped != NONE:
        follow = list(_with_holes(reading, since.seq, follow))
    return Recovery(reading.stream, since, reading.epoch, since.seq + 1, reading.seq, follow, None)


def _with_holes(reading: Reading, had: int, follow: Sequence[bytes]) -> Iterator[bytes]:
    """What was kept and the newest, with a gap for what was told between them and is not kept, as a bar that forms."""
    name = kinds.public(reading.stream)
    for text in follow:
        if (seq := streams.seq_of(text)) > had + 1:
            yield messages.encode(messages.gap(name, reading.epoch, had + 1, seq - 1, "not_kept"))
        yield text
        had = seq


def within_limits(recovery: list[Recovery], room: int = RECOVERY_BYTES) -> list[Recovery]:
    """A stream that would overfill the client gets a gap instead of its messages."""
    allowed = []
    for each in recovery:
        allowed.append(each.within(room))
        room -= allowed[-1].size
    return allowed
