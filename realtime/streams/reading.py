"""Streams as they are read: where each is, its newest message, and what somebody missed."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from monitoring import redis
from realtime.streams import scripts


class Position(NamedTuple):
    """A place in a stream: the last message that somebody has."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A stream as it is at one instant, and what was missed since a position.

    lost: the highest seq that the history has dropped. missed: the kept messages after the position, encoded with
    their seq, oldest first; of too many the newest. Empty when the position was of another epoch. to: the name that the
    stream has now, where it has another; then nothing else is told.
    """

    stream: str
    epoch: str
    seq: int
    lost: int
    latest: bytes
    missed: list[bytes]
    to: str = ""

    def after(self, since: Position) -> list[bytes]:
        """The missed messages after a position, which is not before the one that was read from."""
        return self.missed[bisect_right(self.missed, since.seq, key=seq_of) :]

    def gap_reason(self, since: Position, limit: int) -> str | None:
        """Why not all that came after a position can be given, or None."""
        if since.epoch != self.epoch or since.seq > self.seq:
            return "epoch_changed"
        if since.seq < self.lost:
            return "history_expired"
        return "limit" if len(self.after(since)) > limit else None


def kept(name: str, limit: int) -> list[bytes]:
    """The newest messages that a stream's history holds, encoded with their seq, newest last. Raises redis' errors."""
    entries = redis.client().xrevrange(f"{scripts.prefix()}history:{name}", count=limit)
    return [fields[b"b"] for _, fields in reversed(entries) if b"b" in fields]


def said(name: str, place: Position) -> bytes | None:
    """A message by its place, encoded with its seq; None where the history has it no more. Raises redis' errors."""
    epoch, told = _history(name, start=f"{place.seq}-0", end=f"{place.seq}-0")
    return next((body for _, body in told), None) if epoch == place.epoch else None


def history(name: str) -> tuple[str, list[tuple[int, bytes]]]:
    """A stream's epoch, and all that its history holds by seq. Raises redis' errors."""
    return _history(name, start="-", end="+")


def _history(name: str, *, start: str, end: str) -> tuple[str, list[tuple[int, bytes]]]:
    """Epoch and history of one instant: a stream that begins anew between two questions would mix two epochs."""
    with redis.client().pipeline() as pipe:
        pipe.hget(f"{scripts.prefix()}state:{name}", "epoch")
        pipe.xrange(f"{scripts.prefix()}history:{name}", start, end)
        epoch, entries = pipe.execute()
    told = [(int(key.partition(b"-")[0]), fields[b"b"]) for key, fields in entries if b"b" in fields]
    return (epoch or b"").decode(), told


def reading_script(
    since: Iterable[tuple[str, Position | None]], limit: int, most_bytes: int
) -> tuple[str, list[str | int]]:
    """The Lua text and its arguments that read many streams at one instant; `readings` decodes the answer."""
    arguments: list[str | int] = [scripts.prefix(), scripts.new_epoch(), limit, most_bytes]
    for name, position in since:
        arguments += [name, *(position or ("", 0))]
    return scripts.text("read"), arguments


def readings(names: Iterable[str], answer: list) -> list[Reading | None]:
    """None: the answer was full before this one."""
    return [found and _reading(name, *found) for name, found in zip(names, answer, strict=True)]


def _reading(
    name: str, epoch: bytes, seq: bytes, lost: bytes | None, latest: bytes, missed: list[bytes], to: bytes
) -> Reading:
    """What can't be told from its place is as good as dropped: the gap says so."""
    try:
        for text in (*missed, *filter(None, [latest])):
            seq_of(text)
    except ValueError:
        latest, missed, lost = b"", [], seq
    return Reading(name, epoch.decode(errors="replace"), int(seq), int(lost or 0), latest, missed, to.decode())


def seq_of(text: bytes) -> int:
    """The number of an encoded message: `publish` writes it last."""
    return int(text[text.rindex(b":") + 1 : -1])
