"""The head of a request, line by line, before anything is made of it: what two readers could read differently is
refused, and what can't be read says why. The servers' own checks, which only say 400, stand behind these.
"""

import re

from realtime.transports.refusals import Refusal

VERSION = re.compile(rb"HTTP/\d\.\d")
ABSOLUTE = re.compile(rb"https?://([^/?#]+)", re.IGNORECASE)
MAX_LENGTH_DIGITS = 18
MAX_HEAD_BYTES, MAX_HEADERS = 16_384, 500
FRAMING = frozenset({b"content-length", b"transfer-encoding"})


def check_line(line: bytes) -> None:
    if line[:1] in (b" ", b"\t"):
        raise Refusal(400, "bad_header", "A line of the request's head begins with a space.")


def check_request_line(line: bytes) -> None:
    method, _, rest = line.partition(b" ")
    target, _, version = rest.rpartition(b" ")
    if VERSION.fullmatch(version) and version not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise Refusal(505, "http_version_not_supported", "This server speaks HTTP/1.1.")
    if not (method and target and VERSION.fullmatch(version)):
        raise Refusal(400, "bad_request_line", "A request begins with a method, a path and HTTP/1.1.")
    if not target.isascii():
        raise Refusal(400, "bad_request_line", "A path and a query are ASCII: write other characters as %XX.")


def as_path(target: bytes) -> tuple[bytes, bytes]:
    """The host that a target in absolute form names, else nothing; and path and query."""
    absolute = ABSOLUTE.match(target)
    if absolute is None:
        return b"", target
    rest = target[absolute.end() :]
    return absolute[1], rest if rest.startswith(b"/") else b"/" + rest


def check_header(line: bytes, *, is_framed: bool) -> None:
    """is_framed: whether the body's end is known from a header before."""
    name, colon, value = line.partition(b":")
    if not colon:
        raise Refusal(400, "bad_header", "A line of the request's head has no colon.")
    name, value = name.lower(), value.strip(b" \t")
    if name not in FRAMING:
        return
    if is_framed:
        raise Refusal(400, "ambiguous_length", "Content-Length and Transfer-Encoding: one of them, and once.")
    if name == b"transfer-encoding" and value.lower() != b"chunked":
        raise Refusal(501, "unknown_transfer_encoding", "The only Transfer-Encoding is chunked.")
    if name == b"content-length" and not value.isdigit():
        raise Refusal(400, "invalid_content_length", "Content-Length must be a whole number.")
    if name == b"content-length" and len(value) > MAX_LENGTH_DIGITS:
        raise Refusal(413, "body_too_large", "No body is as large as this Content-Length.")


def check_whole(*, hosts: int, is_chunked: bool, version: bytes) -> None:
    """hosts: how many headers name one."""
    if hosts > 1 or (version == b"HTTP/1.1" and not hosts):
        raise Refusal(400, "bad_host", f"A request names its Host once; this one does {hosts} times.")
    if version == b"HTTP/1.0" and is_chunked:
        raise Refusal(400, "ambiguous_length", "HTTP/1.0 knows no Transfer-Encoding.")


def too_long(*, has_request_line: bool) -> Refusal:
    if has_request_line:
        return Refusal(431, "head_too_large", f"The headers may have {MAX_HEAD_BYTES} bytes together.")
    return Refusal(414, "uri_too_long", f"Path and query may have {MAX_HEAD_BYTES} bytes together.")


def too_many() -> Refusal:
    return Refusal(431, "head_too_large", f"A request may have {MAX_HEADERS} headers.")
