"""What a client of ours may cost, the same under every server."""

from dataclasses import dataclass, field

from realtime import connection

LINGER_SECONDS = 2  # so that a refusal is read before the rest of the request breaks the connection
MEMORY_BYTES = 64 * 1024  # of a body; more waits in a temporary file
# Each piece of a chunked body costs some microseconds on the event loop, however small it is.
FREE_CHUNKS, CHUNK_BYTES = 1024, 64
PLAIN_LINE = 20  # bytes of a chunk's line that says no more than a size
# That a connection may need: a WebSocket itself alone, any other one more for what its request or its answer spills.
FILES_OF_A_SOCKET, FILES_OF_A_REQUEST = 1, 2
REFUSED_AT_ONCE = 64  # connections beyond the limit that are told so; what comes on top is closed without a word
CHECK_SECONDS = 1.0
TELL_SECONDS, LEAVE_SECONDS = 2.0, 1.5


def files(*, requests: int, sockets: int) -> int:
    """How many these connections may need."""
    return FILES_OF_A_REQUEST * requests + FILES_OF_A_SOCKET * sockets


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bytes and seconds of one HTTP request, and how many files all connections together may need."""

    body_bytes: int
    arrival_seconds: float
    answer_seconds: float = 120  # until an answer begins
    unread_seconds: float = 60  # with an answer of which the client takes nothing
    idle_seconds: float = 60  # between requests
    left_seconds: float = 5  # for an application whose client has left
    max_files: int = 20_000
    sockets: connection.Limits = field(default_factory=connection.Limits)
