"""Request bodies, read whole and within limits before anything looks at them."""

import asyncio

from finstage.answers import Receive, Refused

TYPES = frozenset({b"accept", b"content-type"})
MAX_TYPE_BYTES = 1024


async def read(scope: dict, receive: Receive, *, limit: int, seconds: float) -> bytes:
    """The complete body. Raises Refused where it is too large, too slow, or shorter than it promised."""
    _refuse_long_types(scope)
    promised = _promised(scope)
    if promised is not None and promised > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            body = await _collect(receive, limit)
    except TimeoutError:
        raise Refused(408, "body_timeout", f"The request's body did not arrive within {seconds:g} s.") from None
    if promised is not None and len(body) != promised:
        raise Refused(400, "short_body", f"Content-Length is {promised}, and {len(body)} bytes arrived.")
    return body


def _refuse_long_types(scope: dict) -> None:
    """Django and DRF parse these in a time that grows with the square of their length."""
    for name, value in scope["headers"]:
        if name in TYPES and len(value) > MAX_TYPE_BYTES:
            detail = f"The header {name.decode()} may have {MAX_TYPE_BYTES} bytes."
            raise Refused(431, "header_too_large", detail)


def _promised(scope: dict) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            if not value.isdigit():
                raise Refused(400, "invalid_content_length", "Content-Length must be a whole number.")
            return int(value)
    return None


async def _collect(receive: Receive, limit: int) -> bytes:
    pieces, size = [], 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise Refused(400, "short_body", "The connection ended before the request's body.")
        pieces.append(event.get("body", b""))
        size += len(pieces[-1])
        if size > limit:
            raise _too_large(limit)
        if not event.get("more_body", False):
            return b"".join(pieces)


def _too_large(limit: int) -> Refused:
    return Refused(413, "body_too_large", f"A request's body may have {limit} bytes.")
