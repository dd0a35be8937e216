"""Static files, served beside Django's threads and never by them."""

from collections.abc import Iterator
from wsgiref.headers import Headers

from django.conf import settings
from django.contrib.staticfiles import finders
from whitenoise import WhiteNoise
from whitenoise.responders import MissingFileError

from finstage.answers import Answer, Refused

# Names carry no digest, so a browser asks each time and gets 304 where nothing changed.
MAX_AGE_SECONDS = 0


class Assets:
    """The files that Django's finders know, by their path in the URL."""

    def __init__(self) -> None:
        self._noise = WhiteNoise(None, max_age=MAX_AGE_SECONDS, allow_all_origins=False)
        self._paths = dict(_found())

    async def __call__(self, scope: dict) -> Answer:
        """The file at the scope's path. Raises Refused where there is none."""
        try:
            # Looked up anew each time: a file that was edited must not get its old length and ETag.
            file = self._noise.get_static_file(self._paths[scope["path"]], scope["path"])
        except (KeyError, MissingFileError):
            raise Refused(404, "not_found", "There is no such file.") from None
        response = file.get_response(scope["method"], _environ(scope))
        headers = Headers(list(response.headers))
        headers["X-Content-Type-Options"] = "nosniff"
        if response.file is None and response.status not in (200, 304):
            headers["Content-Length"] = "0"
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        return Answer(int(response.status), encoded, response.file)


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
