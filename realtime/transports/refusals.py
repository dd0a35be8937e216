"""What the server refuses by itself, before any application: answered in the same shape as every other error, and in
the log and the metrics like them.
"""

import logging
from collections.abc import Callable
from http import HTTPStatus

from monitoring import metrics
from realtime.transports.limits import CHUNK_BYTES, FREE_CHUNKS
from realtime.transports.logs import sparing

logger = logging.getLogger(__name__)

Headers = list[tuple[bytes, bytes]]
# (status, code, detail, the request's own id) -> headers and body
Problem = Callable[[int, str, str, str | None], tuple[Headers, bytes]]

REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}
HANDSHAKE_CODES = {
    403: "refused", 404: "not_found", 405: "method_not_allowed", 500: "internal_error",
    505: "http_version_not_supported",
}  # fmt: skip


class Refusal(Exception):
    """A request that ends here. `detail` is a sentence to the client, `code` a constant of ours."""

    def __init__(self, status: int, code: str, detail: str, headers: Headers | None = None):
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers or []


def no_request() -> Refusal:
    return Refusal(400, "bad_request", "This is no request of HTTP/1.1.")


def not_read() -> Refusal:
    """Why is in the log."""
    return Refusal(500, "internal_error", "The server failed to read this request.")


def not_answered() -> Refusal:
    return Refusal(500, "internal_error", "The server failed to answer.")


def handshake(status: int, detail: str, headers: Headers | None = None) -> Refusal:
    """Of what asks for a WebSocket."""
    return Refusal(status, HANDSHAKE_CODES.get(status, "bad_handshake"), detail, headers)


def handshake_with_body() -> Refusal:
    return handshake(400, "What asks for a WebSocket has no body.")


def no_stream() -> Refusal:
    return handshake(404, "There is no stream at this address.")


def body_too_large(limit: int) -> Refusal:
    return Refusal(413, "body_too_large", f"A request's body may have {limit} bytes.")


def check_chunks(pieces: int, received: int) -> None:
    """Raises Refusal where so many bytes came in far too many pieces."""
    if pieces > FREE_CHUNKS + received // CHUNK_BYTES:
        raise Refusal(400, "chunks_too_small", f"The chunks of a body have {CHUNK_BYTES} bytes on average, or more.")


def short_body() -> Refusal:
    return Refusal(400, "short_body", "The connection ended before the request's body.")


def arrived_late(seconds: float) -> Refusal:
    return Refusal(408, "body_timeout", f"The request did not arrive within {seconds:g} s.")


def too_many_connections() -> Refusal:
    return Refusal(503, "too_many_connections", "The server has as many connections as it can.")


def answer(refusal: Refusal, problem: Problem, *, request_id: str | None, peer: object, is_head: bool = False) -> bytes:
    """The whole answer on the wire. Counts and tells that it was given."""
    metrics.GATE_REFUSED.labels(refusal.code).inc()
    metrics.REQUESTS.labels("other", "", str(refusal.status)).inc()
    sparing.tell(logger.info, refusal.code, "refused %s: %d %s", getattr(peer, "host", peer), refusal.status,
                  refusal.detail)  # fmt: skip
    headers, body = problem(refusal.status, refusal.code, refusal.detail, request_id)
    lines = [b"HTTP/1.1 %d %s" % (refusal.status, REASONS[refusal.status])]
    lines += [b"%s: %s" % header for header in headers + refusal.headers]
    return b"\r\n".join([*lines, b"", b"" if is_head else body])
