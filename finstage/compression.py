"""Answers in fewer bytes: pages and JSON by gzip here; files once, by Brotli or gzip, by `finstage.assets`.

What is compressed tells its length, and with it whether a guess was right (BREACH). So a name of random length lies in
each (Heal the Breach), Django masks a form's token anew each time, and answers to anything but a read stay plain: only
these show a secret, such as a new key.
"""

import gzip
import re
from collections.abc import Callable
from io import BytesIO
from secrets import randbelow

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

FEWEST_BYTES = 860  # less than that goes out in one packet anyway
MOST_BYTES = 8 << 20  # beyond it, a thread would be held for longer than the line saves
# A page is small and waited for; a series of bars is large, and the fastest level makes it a sixth already.
LEVELS = {"text/html": 6, "application/json": 1, "application/problem+json": 1, "text/csv": 1, "image/svg+xml": 6}
NAME_BYTES = 100
_TAKEN = {form: re.compile(rf"(?:^|,)\s*{form}\s*(?:;\s*q=([\d.]+)\s*)?(?=,|$)") for form in ("gzip", "br")}


class Middleware:
    """Outside of what makes ETags: these are of the plain answer, and weak where it goes out in another form."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        level = LEVELS.get(response.get("Content-Type", "").partition(";")[0])
        if request.method != "GET" or level is None or response.streaming or response.has_header("Content-Encoding"):
            return response
        patch_vary_headers(response, ("Accept-Encoding",))
        if FEWEST_BYTES <= len(response.content) <= MOST_BYTES and accepts(
            request.META.get("HTTP_ACCEPT_ENCODING", "")
        ):
            _compress(response, level)
        return response


def accepts(encodings: str, form: str = "gzip") -> bool:
    """Whether a header Accept-Encoding takes gzip, or br; with `q=0` it says that it does not."""
    found = _TAKEN[form].search(encodings.lower())
    return found is not None and (found[1] or "1").strip("0.") != ""


def _compress(response: HttpResponse, level: int) -> None:
    response.content = padded(response.content, level)
    response["Content-Encoding"] = "gzip"
    response["Content-Length"] = str(len(response.content))
    if (tag := response.get("ETag", "")).startswith('"'):
        response["ETag"] = f"W/{tag}"


def padded(content: bytes, level: int) -> bytes:
    """By gzip, with a file name of random length, which every reader skips."""
    buffer = BytesIO()
    name = "a" * randbelow(NAME_BYTES)
    with gzip.GzipFile(filename=name, mode="wb", compresslevel=level, fileobj=buffer, mtime=0) as file:
        file.write(content)
    return buffer.getvalue()
