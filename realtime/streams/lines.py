"""Live messages as they travel between processes."""

from collections.abc import Container, Iterator
from typing import NamedTuple

from monitoring import formats, redis

KEPT, CONFLATED, EPOCH, RENAMED, ASIDE = "k", "c", "e", "r", "a"  # flags of a line
_RENAMED = RENAMED.encode()


class Line(NamedTuple):
    """One live message as it travels between processes.

    That of a new epoch has the last seq of the one before, and its name as the body, which is empty where nobody knows;
    that of a new name has it as its body, and where it is.
    """

    stream: str
    epoch: str
    seq: int
    flags: str
    body: bytes


def channel() -> str:
    """The one publication channel that every hub listens to."""
    return redis.key("live")


def lines(publication: bytes, held: Container[str]) -> Iterator[Line]:
    """The messages of one publication that are of held streams, and of another name of any.

    Columns that another version adds are left out, as is a line that is none: that is a hole in its stream, which the
    hub reads again from the history.
    """
    for text in publication.split(b"\n"):
        try:
            name, epoch, seq, flags, body, *_ = text.split(b"\t")
            stream = name.decode()
            if stream in held or _RENAMED in flags:
                yield Line(stream, epoch.decode(), int(seq), flags.decode(), body)
        except ValueError as error:
            formats.refused("line of the live channel", str(error))
