"""The id of an event: where its reader is in every stream that it holds, in one word that it brings back.

A mark is all that is needed, so that any process answers, also after a restart. It is a version, a dot, and lines of
`stream TAB epoch TAB seq`, deflated, in URL-safe base64.
"""

import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from realtime.messages import Refused
from realtime.streams import Position

VERSION = "1."
MOST_STREAMS = 200  # of one reader: a mark of theirs fits into a request's head
MOST_CHARACTERS, MOST_BYTES = 12_000, 32 * 1024
RAW_DEFLATE = -15
_LINE = re.compile(r"([^\t\n]{1,100})\t([0-9A-Za-z_-]{1,40})\t([0-9]{1,15})", re.ASCII)


def written(places: Mapping[str, Position]) -> str:
    lines = "\n".join(f"{stream}\t{place.epoch}\t{place.seq}" for stream, place in places.items())
    squeezing = zlib.compressobj(1, wbits=RAW_DEFLATE)
    squeezed = squeezing.compress(lines.encode()) + squeezing.flush()
    return VERSION + urlsafe_b64encode(squeezed).rstrip(b"=").decode()


def read(mark: str) -> dict[str, Position]:
    """Where a reader says it is; nowhere where it says nothing. Raises Refused."""
    if not mark:
        return {}
    try:
        if not mark.startswith(VERSION) or len(mark) > MOST_CHARACTERS or not mark.isascii():
            raise ValueError
        return _read(mark.removeprefix(VERSION))
    except (ValueError, zlib.error):
        text = "Last-Event-ID is none of ours, or not whole. Bring the id of the last event as it came, or none."
        raise Refused("invalid", text) from None


def _read(text: str) -> dict[str, Position]:
    squeezed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    opening = zlib.decompressobj(RAW_DEFLATE)
    lines = opening.decompress(squeezed, MOST_BYTES).decode()
    if opening.unconsumed_tail or opening.unused_data or not opening.eof:
        raise ValueError
    found = [_LINE.fullmatch(line) for line in lines.split("\n")]
    if None in found or len(found) > MOST_STREAMS:
        raise ValueError
    return {each[1]: Position(each[2], int(each[3])) for each in found}
