"""A browser-like, paced session to Yahoo, and what its answers mean: JSON or a ProviderError."""

import json
import re
import time

import orjson
from curl_cffi import CurlOpt
from curl_cffi.const import CurlECode
from curl_cffi.requests import Response, Session
from curl_cffi.requests.exceptions import RequestException

from market.sources.errors import ProviderError, Unreadable
from market.sources.pace import SLOW_SECONDS, Pace

TIMEOUT_SECONDS = 10
LARGEST_ANSWER_BYTES = 16 << 20
LONGEST_WAIT_SECONDS = 30
FIRST_RETRY_SECONDS = 0.5
LIMITED = "Too Many Requests"
_CRUMB = re.compile(r"[^\s<>{}\"]{1,64}")
# Of what went wrong on the way, what goes wrong in the same way at once again.
_LASTING = (CurlECode.FILESIZE_EXCEEDED, CurlECode.PEER_FAILED_VERIFICATION, CurlECode.SSL_CACERT_BADFILE)


class Refused(ProviderError):
    """It wants to know who asks, and does not like what it is told."""


class Limited(ProviderError):
    """It takes no more requests. seconds: how long it took to say so. of_crumb: it gives no crumbs, without which much
    else is to be had. retry_after: for how many seconds it asks to be left alone; 0: it does not say.
    """

    def __init__(self, response: Response, *, seconds: float, of_crumb: bool) -> None:
        super().__init__("Yahoo: too many requests", code="rate_limited", temporary=True)
        told = response.headers.get("Retry-After") or ""
        self.seconds, self.of_crumb = seconds, of_crumb
        self.retry_after = int(told) if re.fullmatch(r"[0-9]{1,6}", told) else 0


class PacedSession(Session):
    """Impersonates Chrome; every request, also yfinance's own for cookie and crumb, waits for a slot of `pace`.

    socket, ca: a unix socket to send everything to and the authority to trust there, for tests and proxies.
    """

    def __init__(self, pace: Pace | None, *, socket: str, ca: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        options = {CurlOpt.MAXFILESIZE_LARGE: LARGEST_ANSWER_BYTES}
        if socket:
            options[CurlOpt.UNIX_SOCKET_PATH] = socket.encode()
        super().__init__(impersonate="chrome", curl_options=options, verify=ca or True)
        self.pace = pace
        self.timeout_seconds = timeout_seconds

    def request(self, method: str, url: str, **options: object) -> Response:
        """As in curl_cffi. Raises Limited at a 429 at once, so that yfinance does not repeat it."""
        if self.pace:
            self.pace.wait(longest_seconds=LONGEST_WAIT_SECONDS)
        began = time.monotonic()
        try:
            response = super().request(method, url, **{**options, "timeout": self.timeout_seconds})
        finally:
            seconds = time.monotonic() - began
            if self.pace and seconds > SLOW_SECONDS:
                self.pace.slow(seconds)
        of_crumb = url.endswith("/getcrumb")
        # A crumb has been this sentence with a status of 200; yfinance would send it ever after.
        if response.status_code == 429 or (of_crumb and LIMITED in response.text):
            raise Limited(response, seconds=seconds, of_crumb=of_crumb)
        return response


def read(response: Response) -> dict:
    """The answer's JSON object, also where it says no; raises ProviderError where it is none or Yahoo is ill."""
    status, kind = response.status_code, response.headers.get("content-type", "no content type")
    if status in (401, 403):
        raise Refused(f"Yahoo refuses to answer ({status})", code="upstream_down", temporary=True)
    if status >= 500:
        raise ProviderError(f"Yahoo has trouble ({status})", code="upstream_down", temporary=True)
    try:
        answer = _parsed(response.content)
    except ValueError as error:
        text = f"Yahoo's answer ({status}, {kind}, {len(response.content)} bytes) is not JSON or broke off"
        raise ProviderError(text, code="upstream_down", temporary=True) from error
    if not isinstance(answer, dict):
        raise ProviderError(f"Yahoo's answer ({kind}) is no JSON object", code="upstream_down", temporary=True)
    return answer


def _parsed(content: bytes) -> object:
    """As JSON; NaN and numbers beyond 64 bits, which are none of its, are read by the slower way. Raises ValueError."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return json.loads(content)


def chart(answer: dict, ticker: str) -> dict:
    """The one chart of a v8 answer, which has a `meta`. Raises ProviderError."""
    body = answer.get("chart")
    if not isinstance(body, dict):
        raise misshapen(ticker, "it has no chart")
    if error := body.get("error"):
        told = error if isinstance(error, dict) else {}
        if told.get("code") == "Unprocessable Entity":  # as of a span beyond its reach: it may well have bars there
            raise Unreadable(f"{ticker}: Yahoo says {told.get('description')!r}")
        code = "unknown_symbol" if told.get("code") == "Not Found" else "no_data"
        raise ProviderError(f"{ticker}: Yahoo says {told.get('description')!r}", code=code, temporary=False)
    result = body.get("result")
    if not result or result == [None]:
        raise ProviderError(f"{ticker}: Yahoo's answer is empty", code="no_data", temporary=True)
    found = result[0] if isinstance(result, list) else None
    if not isinstance(found, dict) or not isinstance(found.get("meta"), dict):
        raise misshapen(ticker, "it has no meta")
    return found


def summary(answer: dict, ticker: str) -> dict:
    """The one summary of a v10 answer, which has the modules that were asked for. Raises ProviderError."""
    body = answer.get("quoteSummary")
    if not isinstance(body, dict):
        raise misshapen(ticker, "it has no summary")
    if error := body.get("error"):
        told = error.get("description") if isinstance(error, dict) else error
        raise ProviderError(f"{ticker}: Yahoo says {str(told)[:200]!r}", code="no_data", temporary=False)
    result = body.get("result")
    if not isinstance(result, list) or not result or not isinstance(result[0], dict):
        raise misshapen(ticker, "its summary is empty")
    return result[0]


def misshapen(what: str, why: str) -> Unreadable:
    """An answer about one thing that can't be understood."""
    return Unreadable(f"{what}: Yahoo's answer has an unknown shape: {why}")


def mismatch(what: str, why: str) -> Unreadable:
    """An answer that is not what was asked for, and must not be taken for it."""
    return Unreadable(f"{what}: Yahoo's answer is not what was asked for: {why}")


def on_the_way(error: Exception) -> ProviderError:
    """What a library says where no answer came."""
    return ProviderError(f"Yahoo: {error}", code="upstream_down", temporary=True)


def may_pass(error: ProviderError) -> bool:
    """Whether the same question may have an answer at once: what was cut off, took too long or found Yahoo ill."""
    cause = error.__cause__
    if isinstance(cause, RequestException) and cause.code in _LASTING:
        return False
    is_about_yahoo = error.code == "upstream_down" and not isinstance(error, Unreadable | Refused)
    return is_about_yahoo and error.was_asked


def is_crumb(text: object) -> bool:
    """Whether it can be one, and not the text of a page or of an error."""
    return isinstance(text, str) and _CRUMB.fullmatch(text) is not None
