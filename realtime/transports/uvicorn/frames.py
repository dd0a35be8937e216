"""Where WebSocket frames begin and end in what arrived (RFC 6455, 5.2), so that each is weighed before it is opened."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FrameHead:
    """size: of what the frame carries, in bytes; whole: with its head."""

    opcode: int
    is_final: bool
    size: int
    whole: int


def first(data: bytes | bytearray) -> FrameHead | None:
    """The head of the frame that begins the data. None: it has not arrived whole."""
    if len(data) < 2:
        return None
    size, after = data[1] & 0x7F, 2
    if size > 125:
        after = 4 if size == 126 else 10
        if len(data) < after:
            return None
        size = int.from_bytes(data[2:after], "big")
    mask = 4 if data[1] & 0x80 else 0
    return FrameHead(opcode=data[0] & 0x0F, is_final=bool(data[0] & 0x80), size=size, whole=after + mask + size)
