"""Request bodies, read whole and within limits before anything looks at them."""

import asyncio

from finstage.answers import Receive, Refused

TYPES = frozenset({b"accept", b"content-type"})
MAX_TYPE_BYTES = 1024
# To read a form costs many times what its bytes do, the more so in parts; and who has no login may send one to a page.
# None of our pages sends parts. The interface for programs looks who asks before it reads.
API = "/api/"
URLENCODED = "application/x-www-form-urlencoded"


async def read(scope: dict, receive: Receive, *, limit: int, form_limit: int, seconds: float) -> bytes:
    """The complete body. Raises Refused where it is too large, too slow, shorter than it promised, or a wrong form."""
    _refuse_long_types(scope)
    if (kinds := _kinds_of_form(scope)) and not scope["path"].startswith(API) and kinds != {URLENCODED}:
        raise Refused(415, "unsupported_media_type", f"A form for a page comes as {URLENCODED}.")
    limit = min(limit, form_limit) if kinds else limit
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


def _kinds_of_form(scope: dict) -> set[str]:
    """What the body says it is, if that is a form to Django or DRF: to some readers `*` is one too."""
    given = (value.decode("latin1") for name, value in scope["headers"] if name == b"content-type")
    kinds = {each.partition(";")[0].strip().lower() for each in given}
    return {each for each in kinds if each.startswith(("multipart/", "*/")) or each == URLENCODED}


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
