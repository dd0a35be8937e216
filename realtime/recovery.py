"""What somebody missed of a stream: all of it, in order and once, or one gap that says what can't be had."""

from dataclasses import dataclass, replace

from realtime import messages, streams
from realtime.outbox import Encoded
from realtime.streams import Line, Position, Reading

LATEST, EVERY = "latest", "every"
RECOVERY_LIMIT = 1000
RECOVERY_BYTES = 768 * 1024  # of one subscription, below what an outbox holds


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a client gets back of a stream: all that it missed (`follow`), or the reason why not."""

    stream: str
    epoch: str
    first: int
    last: int
    follow: list[bytes]
    reason: str | None

    def messages(self) -> list[Encoded]:
        if self.reason is None:
            return [Encoded(body, streams.seq_of(body)) for body in self.follow]
        lost = messages.gap(public(self.stream), self.epoch, self.first, self.last, self.reason)
        return [Encoded(messages.encode(lost))]


def recover(reading: Reading, since: Position, mode: str) -> Recovery:
    """All that came after a position, or one reason: never a part of it. In mode `latest` a price's newest is all."""
    reason = reading.gap_reason(since, RECOVERY_LIMIT)
    if reason == "epoch_changed":
        return Recovery(reading.stream, reading.epoch, 0, reading.seq, [], reason)
    newest_is_all = mode == LATEST and is_price(reading.stream)
    if reason and not newest_is_all:
        return Recovery(reading.stream, reading.epoch, since.seq + 1, reading.seq, [], reason)
    follow = [] if newest_is_all else list(reading.missed)
    is_newer = reading.latest and streams.seq_of(reading.latest) > since.seq
    if is_newer and is_cache(reading.stream) and reading.latest not in follow:
        follow = sorted([*follow, reading.latest], key=streams.seq_of)  # it may stand before a message aside
    return Recovery(reading.stream, reading.epoch, since.seq + 1, reading.seq, follow, None)


def within_limits(recovery: list[Recovery]) -> list[Recovery]:
    """A stream that would overfill the client gets a gap instead of its messages."""
    room, allowed = RECOVERY_BYTES, []
    for each in recovery:
        size = sum(map(len, each.follow))
        if size > room:
            each = replace(each, follow=[], reason="limit")
        else:
            room -= size
        allowed.append(each)
    return allowed


def public(stream: str) -> str:
    """A stream as a client knows it: its own alerts are `alerts:@me`."""
    return "alerts:@me" if stream.startswith("alerts:@") else stream


def is_price(stream: str) -> bool:
    return stream.startswith("prices:")


def is_cache(stream: str) -> bool:
    """Streams whose newest message says all that counts."""
    return stream.startswith(("prices:", "bars:", "indicators:"))


def newer(reading: Reading, lines: list[Line]) -> list[Line]:
    """Of live messages that came while a stream was read, those that are newer than what was read."""
    began = [place for place, line in enumerate(lines) if streams.EPOCH in line.flags and line.epoch == reading.epoch]
    epoch, found = reading.epoch, []
    for line in lines[began[-1] + 1 if began else 0 :]:
        is_later = epoch != reading.epoch or line.seq > reading.seq
        if streams.EPOCH in line.flags:
            epoch = line.epoch
            found.append(line)
        elif streams.RENAMED in line.flags or (line.epoch == epoch and is_later):
            found.append(line)
    return found
