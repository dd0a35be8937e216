"""One question to an address that somebody wrote: within a time and a size, to what was judged, nothing followed."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from curl_cffi import CurlOpt
from curl_cffi.const import CurlECode
from curl_cffi.curl import CURL_WRITEFUNC_ERROR
from curl_cffi.requests import Response, Session
from curl_cffi.requests.exceptions import RequestException
from django.conf import settings

from monitoring.outbound import addresses, places
from monitoring.outbound.places import Place

SECONDS = 5.0
BYTES = 64 << 10
_AGENT = "Finstage"


class Unreached(RuntimeError):
    """No answer came, which may be otherwise the next time. The text names the host and never the address' path."""

    temporary = True

    def __init__(self, code: str, detail: str, seconds: float) -> None:
        super().__init__(detail)
        self.code, self.seconds = code, seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """body: as far as it was wanted; is_cut: there was more. location: where a redirect points, which is not followed.

    retry_after: as it was said; empty where it was not.
    """

    status: int
    body: bytes
    is_cut: bool
    seconds: float
    address: str
    location: str = ""
    retry_after: str = ""
    kind: str = ""

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


def ask(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
    most_bytes: int = BYTES,
) -> Answer:
    """The answer, whatever its status: 3xx too. seconds: for all of it, the name's lookup and a dripping body among it.

    Raises places.Refused of what is never asked, and Unreached.
    """
    began = time.monotonic()
    place = _found(url, began)
    left = seconds - (time.monotonic() - began)
    if left <= 0:
        raise _unreached("timeout", f"{place.host} was not found within {seconds:g} s.", began)
    options = {
        # To the address that was judged, whatever its name leads to by now; a certificate is still that of the name.
        CurlOpt.RESOLVE: [_pinned(place)],
        CurlOpt.NOPROXY: "*",
        CurlOpt.PROTOCOLS_STR: "https,http",
        CurlOpt.MAXAGE_CONN: 0,
    }
    taken = _Taken(most_bytes)
    said = {"User-Agent": _AGENT, "Accept-Encoding": "identity", **(headers or {})}
    try:
        with Session(trust_env=False, curl_options=options, verify=settings.DELIVERY_CA or True) as session:
            response = session.request(
                method, url, data=body, headers=said, timeout=left, allow_redirects=False, content_callback=taken.take,
                default_headers=False, accept_encoding=None, discard_cookies=True,
            )  # fmt: skip
    except RequestException as error:
        response = error.response
        if taken.is_cut and error.code == CurlECode.WRITE_ERROR:
            return _answer(response, taken, place, began)
        if error.code == CurlECode.OPERATION_TIMEDOUT:
            raise _unreached("timeout", f"{place.host} did not answer within {seconds:g} s.", began) from error
        raise _unreached("unreachable", f"{place.host}: {_why(error)}.", began) from error
    return _answer(response, taken, place, began)


def _answer(response: Response, taken: "_Taken", place: Place, began: float) -> Answer:
    """Raises Unreached."""
    if response.primary_ip and addresses.read(response.primary_ip) != place.address:
        raise _unreached("unreachable", f"{place.host} was reached at another address than was judged.", began)
    return Answer(
        status=response.status_code,
        body=bytes(taken.body[: taken.most]),
        is_cut=taken.is_cut,
        seconds=time.monotonic() - began,
        address=str(place.address),
        location=response.headers.get("Location", "")[: places.LONGEST],
        retry_after=response.headers.get("Retry-After", "")[:64],
        kind=response.headers.get("Content-Type", "")[:100],
    )


def _found(url: str, began: float) -> Place:
    try:
        return places.find(url)
    except OSError as error:
        raise _unreached("unknown_host", "The name of the host leads nowhere.", began) from error


def _pinned(place: Place) -> str:
    told = f"[{place.address}]" if place.address.version == 6 else str(place.address)
    host = f"[{place.host}]" if ":" in place.host else place.host
    return f"{host}:{place.port}:{told}"


class _Taken:
    """As much of a body as is wanted; the rest is not waited for."""

    def __init__(self, most: int) -> None:
        self.most, self.body = most, bytearray()

    @property
    def is_cut(self) -> bool:
        return len(self.body) > self.most

    def take(self, part: bytes) -> int | None:
        self.body += part
        return CURL_WRITEFUNC_ERROR if self.is_cut else None


def _unreached(code: str, detail: str, began: float) -> Unreached:
    return Unreached(code, detail, time.monotonic() - began)


def _why(error: RequestException) -> str:
    """Without the address, which may hold a secret."""
    return f"no answer ({CurlECode(error.code).name.lower().replace('_', ' ')})" if error.code else "no answer"
