"""Whole HTTP answers, and how one reaches its reader through ASGI."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from secrets import token_urlsafe
from typing import BinaryIO

import orjson

PROBLEM = "application/problem+json"
CHUNK_BYTES = 128 * 1024  # a page of 250 bars goes out at once
READING = ("GET", "HEAD")
_ID_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:")
_ID_LENGTH = 64
_BODILESS = frozenset({204, 304})

Headers = list[tuple[bytes, bytes]]
Receive = Callable[[], Awaitable[dict]]
Send = Callable[[dict], Awaitable[None]]


@dataclass(frozen=True)
class Answer:
    """A complete answer. `body` stands at its start; None where the status has none."""

    status: int
    headers: Headers
    body: BinaryIO | None = None


class Refused(Exception):
    """A request that no view shall see, with the problem to answer."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        retry_after: int | None = None,
        allow: str = "",
        headers: dict[str, str] | None = None,
    ):
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.retry_after, self.allow, self.headers = retry_after, allow, encoded(headers or {})


def request_id(given: str | None) -> str:
    """The id a client or proxy gave its request if it is harmless, else a new one."""
    if given and len(given) <= _ID_LENGTH and _ID_CHARACTERS.issuperset(given):
        return given
    return token_urlsafe(15)  # 20 characters; Django's way draws each by itself


def problem(status: int, code: str, detail: str, *, request_id: str, errors: dict | None = None) -> dict:
    """The body of every error we answer, after RFC 9457."""
    body = {
        "type": f"urn:finstage:error:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
    }
    return {**body, "errors": errors} if errors else body


def refusal(refused: Refused, request_id: str) -> Answer:
    """The answer to a refused request. The connection closes, as a rest of the request may still be under way."""
    body = orjson.dumps(problem(refused.status, refused.code, refused.detail, request_id=request_id))
    headers = [(b"cache-control", b"no-store"), (b"connection", b"close")]
    if refused.retry_after is not None:
        headers.append((b"retry-after", str(refused.retry_after).encode()))
    if refused.allow:
        headers.append((b"allow", refused.allow.encode()))
    return plain(refused.status, body, PROBLEM, request_id, headers + refused.headers)


def require_reading(method: str) -> None:
    """What is only there to be read. Raises Refused for every other method."""
    if method not in READING:
        raise Refused(405, "method_not_allowed", f"Method {method[:20]!r} not allowed.", allow=", ".join(READING))


def encoded(headers: dict[str, str]) -> Headers:
    return [(name.lower().encode(), value.encode("latin1", "replace")) for name, value in headers.items()]


def plain(status: int, body: bytes, content_type: str, request_id: str, headers: Headers | None = None) -> Answer:
    """A small answer made outside Django."""
    own = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id.encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    return Answer(status, own + (headers or []), BytesIO(body))


async def deliver(answer: Answer, send: Send, method: str) -> None:
    """Send the answer in pieces, as fast as its reader takes them, and close its body."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    body = answer.body
    try:
        if body is None or method == "HEAD" or answer.status in _BODILESS:
            await send({"type": "http.response.body", "body": b""})
            return
        piece = body.read(CHUNK_BYTES)
        while True:
            following = body.read(CHUNK_BYTES) if piece else b""
            await send({"type": "http.response.body", "body": piece, "more_body": bool(following)})
            if not following:
                return
            piece = following
    finally:
        if body is not None:
            body.close()
