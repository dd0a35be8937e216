"""What the server refuses by itself, before any application: answered in the same shape as every other error, and in
the log and the metrics like them.
"""

import logging
from collections.abc import Callable
from http import HTTPStatus

from monitoring import metrics
from realtime.transports.logs import Sparing

logger = logging.getLogger(__name__)

Headers = list[tuple[bytes, bytes]]
# (status, code, detail, the request's own id) -> headers and body
Problem = Callable[[int, str, str, str | None], tuple[Headers, bytes]]

REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}
_sparing = Sparing()


class Refusal(Exception):
    """A request that ends here. `detail` is a sentence to the client, `code` a constant of ours."""

    def __init__(self, status: int, code: str, detail: str, headers: Headers | None = None):
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers or []


def answer(refusal: Refusal, problem: Problem, *, request_id: str | None, peer: object, is_head: bool = False) -> bytes:
    """The whole answer on the wire. Counts and tells that it was given."""
    metrics.GATE_REFUSED.labels(refusal.code).inc()
    metrics.REQUESTS.labels("other", "", str(refusal.status)).inc()
    _sparing.tell(logger.info, refusal.code, "refused %s: %d %s", getattr(peer, "host", peer), refusal.status,
                  refusal.detail)  # fmt: skip
    headers, body = problem(refusal.status, refusal.code, refusal.detail, request_id)
    lines = [b"HTTP/1.1 %d %s" % (refusal.status, REASONS[refusal.status])]
    lines += [b"%s: %s" % header for header in headers + refusal.headers]
    return b"\r\n".join([*lines, b"", b"" if is_head else body])
