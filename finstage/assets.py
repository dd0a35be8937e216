"""Static files, served beside Django's threads and never by them; texts compressed, each once.

A first visit asks for some fifty of them, so that a head has what is needed and no more, and comments stay at home.
"""

import asyncio
import gzip
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from wsgiref.headers import Headers

import brotli
from django.conf import settings
from django.contrib.staticfiles import finders
from whitenoise import WhiteNoise
from whitenoise.responders import MissingFileError

from finstage import compression
from finstage.answers import Answer, Refused

# Names carry no digest, so a browser asks each time and gets 304 where nothing changed.
CACHED = "no-cache"
TEXTS = frozenset({".css", ".js", ".json", ".map", ".mjs", ".svg", ".txt", ".webmanifest"})
TYPES = {".webmanifest": "application/manifest+json"}
# What browsers, and notices written for the original, ask for at the root.
AT_ROOT = {"/icon.png": "icon.png", "/favicon.ico": "icon.png"}
CLIENT = f"{settings.STATIC_URL}stream/"  # the stream's client: pages of any origin import it, and it holds no secret


class Assets:
    """The files that Django's finders know, by their path in the URL."""

    def __init__(self) -> None:
        self._noise = WhiteNoise(None, max_age=None, allow_all_origins=False, mimetypes=TYPES)
        self._paths = dict(_found())
        self._paths |= {path: self._paths[settings.STATIC_URL + name] for path, name in AT_ROOT.items()}
        # By path and form, with the ETag of its source: who asks while it is made waits for the same.
        self._compressed: dict[tuple[str, str], tuple[str, asyncio.Future[bytes]]] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="assets")

    def __contains__(self, path: str) -> bool:
        return path.startswith(settings.STATIC_URL) or path in AT_ROOT

    async def __call__(self, scope: dict) -> Answer:
        """The file at the scope's path. Raises Refused where there is none."""
        asked = _environ(scope)
        try:
            path = self._paths[scope["path"]]
            # Looked up anew each time: a file that was edited must not get its old length and ETag.
            file = self._noise.get_static_file(path, scope["path"])
        except (KeyError, MissingFileError):
            raise Refused(404, "not_found", "There is no such file.") from None
        is_text = Path(path).suffix in TEXTS
        form = _form(asked) if is_text else None
        if form:
            asked["HTTP_IF_NONE_MATCH"] = asked.get("HTTP_IF_NONE_MATCH", "").replace(f'-{form}"', '"')
        response = file.get_response(scope["method"], asked)
        headers, body = Headers(list(response.headers)), response.file
        headers["Cache-Control"] = CACHED
        headers["X-Content-Type-Options"] = "nosniff"
        del headers["Last-Modified"]  # the ETag says more
        if is_text:
            headers["Vary"] = "Accept-Encoding"
        if scope["path"].startswith(CLIENT):
            headers["Access-Control-Allow-Origin"] = "*"
        if response.file is None and response.status not in (200, 304):
            headers["Content-Length"] = "0"
        if form:
            body = await self._smaller(path, form, file.etag, headers, body)
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        return Answer(int(response.status), encoded, body)

    async def _smaller(self, path: str, form: str, tag: str, headers: Headers, body: BytesIO | None) -> BytesIO | None:
        """The file by gzip or Brotli. Each form has an ETag of its own, so that parts of two are never joined."""
        headers["ETag"] = f'{tag[:-1]}-{form}"'
        if "Content-Length" not in headers:  # nothing has changed
            return body
        if body is not None:
            body.close()
        known = self._compressed.get((path, form))
        if known is None or known[0] != tag or (known[1].done() and known[1].exception()):
            loop = asyncio.get_running_loop()
            self._compressed[path, form] = known = tag, loop.run_in_executor(self._pool, _compress, path, form)
        content = await asyncio.shield(known[1])  # one who leaves takes it from nobody
        headers["Content-Encoding"] = form
        headers["Content-Length"] = str(len(content))
        return BytesIO(content)


# The smallest first. Browsers take Brotli over TLS and from this machine alone.
FORMS = {"br": brotli.compress, "gzip": lambda content: gzip.compress(content, 9, mtime=0)}


def _form(asked: dict[str, str]) -> str | None:
    """What a whole file is compressed by for whoever asks so; None: it goes out as it is, as parts of it do."""
    taken = asked.get("HTTP_ACCEPT_ENCODING", "")
    return next((form for form in FORMS if "HTTP_RANGE" not in asked and compression.accepts(taken, form)), None)


COMMENTED = frozenset({".css", ".js"})
OURS = settings.BASE_DIR / "static"
OTHERS = OURS / "vendor"  # whose comments are their licences
_COMMENT = re.compile(rb"^[ \t]*(?://[^\n]*|/\*.*?\*/[ \t]*)$", re.MULTILINE | re.DOTALL)


def _compress(path: str, form: str) -> bytes:
    content, file = Path(path).read_bytes(), Path(path)
    if file.suffix in COMMENTED and file.is_relative_to(OURS) and not file.is_relative_to(OTHERS):
        content = uncommented(content)
    return FORMS[form](content)


def uncommented(text: bytes) -> bytes:
    """A script or style without the comments that stand on lines of their own; each line keeps its number."""
    return _COMMENT.sub(lambda comment: b"\n" * comment[0].count(b"\n"), text)


def _found() -> Iterator[tuple[str, str]]:
    """Every file that the finders list, the first of a name last, so that it wins in a dict."""
    for finder in reversed(list(finders.get_finders())):
        for path, storage in finder.list(None):
            prefix = getattr(storage, "prefix", None)
            yield settings.STATIC_URL + (f"{prefix}/" if prefix else "") + path, storage.path(path)


def _environ(scope: dict) -> dict[str, str]:
    return {
        "HTTP_" + name.decode("latin1").upper().replace("-", "_"): value.decode("latin1")
        for name, value in scope["headers"]
    }
