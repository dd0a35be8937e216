"""A browser-like, paced session to Yahoo, and what its answers mean: JSON or a ProviderError."""

import json

from curl_cffi import CurlOpt
from curl_cffi.requests import Response, Session

from market.sources.errors import ProviderError
from market.sources.pace import Pace

TIMEOUT_SECONDS = 10
LARGEST_ANSWER_BYTES = 16 << 20
LONGEST_WAIT_SECONDS = 30
FAILURES = ("rate_limited", "upstream_down")  # of Yahoo itself; the other codes are answers
LIMITED = "Too Many Requests"


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
        """As in curl_cffi. Raises ProviderError at a 429 at once, so that yfinance does not repeat it."""
        if self.pace:
            self.pace.wait(longest_seconds=LONGEST_WAIT_SECONDS)
        response = super().request(method, url, **{**options, "timeout": self.timeout_seconds})
        if response.status_code == 429 or _is_limited_crumb(response):
            raise ProviderError("Yahoo: too many requests", code="rate_limited", temporary=True)
        return response


def read(response: Response) -> dict:
    """The answer's JSON object, also where it says no; raises ProviderError where it is none or Yahoo is ill."""
    status, kind = response.status_code, response.headers.get("content-type", "no content type")
    if status in (401, 403):
        raise ProviderError(f"Yahoo refuses to answer ({status})", code="upstream_down", temporary=True)
    if status >= 500:
        raise ProviderError(f"Yahoo has trouble ({status})", code="upstream_down", temporary=True)
    try:
        answer = json.loads(response.content)
    except ValueError as error:
        text = f"Yahoo's answer ({status}, {kind}, {len(response.content)} bytes) is not JSON or broke off"
        raise ProviderError(text, code="upstream_down", temporary=True) from error
    if not isinstance(answer, dict):
        raise ProviderError(f"Yahoo's answer ({kind}) is no JSON object", code="upstream_down", temporary=True)
    return answer


def chart(answer: dict, ticker: str) -> dict:
    """The one chart of a v8 answer, which has a `meta`. Raises ProviderError."""
    body = answer.get("chart")
    if not isinstance(body, dict):
        raise misshapen(ticker, "it has no chart")
    if error := body.get("error"):
        told = error if isinstance(error, dict) else {}
        code = "unknown_symbol" if told.get("code") == "Not Found" else "no_data"
        raise ProviderError(f"{ticker}: Yahoo says {told.get('description')!r}", code=code, temporary=False)
    result = body.get("result")
    if not result or result == [None]:
        raise ProviderError(f"{ticker}: Yahoo's answer is empty", code="no_data", temporary=True)
    found = result[0] if isinstance(result, list) else None
    if not isinstance(found, dict) or not isinstance(found.get("meta"), dict):
        raise misshapen(ticker, "it has no meta")
    return found


def misshapen(what: str, why: str) -> ProviderError:
    """An answer about one thing that can't be understood: asking again at once does not help."""
    return ProviderError(f"{what}: Yahoo's answer has an unknown shape: {why}", code="misshapen", temporary=False)


def mismatch(what: str, why: str) -> ProviderError:
    """An answer that is not what was asked for, and must not be taken for it."""
    return ProviderError(f"{what}: Yahoo's answer is not what was asked for: {why}", code="mismatch", temporary=False)


def _is_limited_crumb(response: Response) -> bool:
    """Whether the crumb is this sentence, as it has been with a status of 200; yfinance would send it ever after."""
    return response.url.endswith("/getcrumb") and LIMITED in response.text
