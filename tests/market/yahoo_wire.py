"""Yahoo's wire, played over real sockets and TLS: charts, quote list, cookie and crumb, the streamer, and their faults.

Nothing of yfinance, curl_cffi or our own code is patched. The product is led here by settings, or another process by
environment:

    with Wire() as wire:
        wire.charts["AAPL"] = made_chart("AAPL")
        subprocess.run([..., "manage.py", "feed"], env={**os.environ, **wire.environment})
"""

import asyncio
import base64
import json
import shutil
import ssl
import tempfile
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from pathlib import Path

from aiohttp import WSCloseCode, web
from yfinance.pricing_pb2 import PricingData

from tests import certificates
from tests.market.yahoo_charts import cut, listed

NAMES = ["*.finance.yahoo.com", "*.yahoo.com", "localhost"]
CRUMB = "a.crumb/1"
REFUSAL = {"finance": {"result": None, "error": {"code": "Unauthorized", "description": "Invalid Crumb"}}}
# Days: how far back it tells an interval's bars, and how many one request may span.
REACH = {"1m": (30, 7), "2m": (60, 60), "5m": (60, 60), "15m": (60, 60), "30m": (60, 60), "1h": (730, 730)}
UNKNOWN = {"result": None, "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"}}


class Wire:
    """A context manager. `charts` holds the whole chart of each ticker; what is asked for is cut from it."""

    def __init__(self) -> None:
        self.charts: dict[str, dict] = {}
        self.figures: dict[str, dict] = {}  # what the list says of a ticker beside its price
        self.summaries: dict[str, dict] = {}  # the modules of a ticker's summary
        self.misshapen: dict[str, object] = {}  # by ticker a chart, or an entry of the list, sent as it is
        self.requests: list[str] = []
        self.spans: list[dict[str, str]] = []  # of each chart that was asked for, how
        self.sockets: dict[web.WebSocketResponse, set[str]] = {}
        self.connections = 0
        self.asked_at: list[float] = []  # of each request
        self._faults: dict[str, deque[str]] = defaultdict(deque)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Wire":
        self.folder = Path(tempfile.mkdtemp(prefix="yahoo-"))
        self.ca, self.socket = self.folder / "ca.pem", self.folder / "yahoo.sock"
        self._thread.start()
        self._await(self._start(certificates.made(self.ca, NAMES)))
        return self

    def __exit__(self, *error: object) -> None:
        self._await(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        shutil.rmtree(self.folder)

    @property
    def stream_url(self) -> str:
        return f"wss://localhost:{self.port}/?version=2"

    @property
    def settings(self) -> dict[str, object]:
        """For override_settings or pytest-django's `settings`; the session is made anew after them."""
        return {"YAHOO_SOCKET": str(self.socket), "YAHOO_STREAM": self.stream_url, "YAHOO_CA": str(self.ca)}

    @property
    def environment(self) -> dict[str, str]:
        return {f"FINSTAGE_{name}": str(value) for name, value in self.settings.items()}

    def fail(self, where: str, how: str, times: int = 1) -> None:
        """The next answers of `chart`, `quote`, `summary`, `crumb` or `socket` go wrong: one of FAULTS."""
        self._faults[where].extend([how] * times)

    def answer(self, where: str, ticker: str, how: str, times: int = 1) -> None:
        """The same of `chart` or `summary` about one ticker alone."""
        self.fail(f"{where} {ticker}", how, times)

    def mend(self) -> None:
        """Nothing goes wrong any more."""
        self._faults.clear()

    def tick(self, ticker: str, **fields: object) -> None:
        """Send a price message to each socket that asked for the ticker. Zeros are left out, as on the wire."""
        self.send(frame(ticker, **fields), ticker)

    def send(self, frame: str, ticker: str) -> None:
        self._await(self._send(frame, ticker))

    def drop(self) -> None:
        """Break every streaming connection without a word."""
        self._await(self._abort())

    def hang_up(self) -> None:
        """Close every streaming connection in good order."""
        self._await(self._close())

    def _await(self, coroutine) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _start(self, tls: ssl.SSLContext) -> None:
        application = web.Application()
        application.router.add_get("/v8/finance/chart/{ticker}", self._chart)
        application.router.add_get("/v7/finance/quote", self._quote)
        application.router.add_get("/v10/finance/quoteSummary/{ticker}", self._summary)
        application.router.add_get("/v1/test/getcrumb", self._crumb)
        application.router.add_get("/", self._root)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self.socket), ssl_context=tls).start()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        self.port = self._runner.addresses[-1][1]

    async def _send(self, frame: str, ticker: str) -> None:
        for socket, tickers in list(self.sockets.items()):
            if ticker in tickers:
                await socket.send_str(frame)

    async def _abort(self) -> None:
        for socket in list(self.sockets):
            socket._writer.transport.abort()

    async def _close(self) -> None:
        for socket in list(self.sockets):
            await socket.close(code=WSCloseCode.OK)

    def _fault(self, *places: str) -> Callable | None:
        where = next((place for place in places if self._faults[place]), None)
        return FAULTS[self._faults[where].popleft()] if where else None

    async def _chart(self, request: web.Request) -> web.StreamResponse:
        self._count(f"chart {request.match_info['ticker']}")
        self.spans.append(dict(request.query))
        if refused := _beyond(request.query):
            return web.json_response({"chart": {"result": None, "error": refused}}, status=422)
        if request.match_info["ticker"] in self.misshapen:
            sent = self.misshapen[request.match_info["ticker"]]
            return await self._answer(request, "chart", {"chart": {"result": [sent], "error": None}})
        ticker = request.match_info["ticker"]
        chart = self.charts.get(f"{ticker} {request.query['interval']}", self.charts.get(ticker))
        answer = {"chart": UNKNOWN if chart is None else {"result": [cut(chart, request.query)], "error": None}}
        return await self._answer(request, "chart", answer, status=404 if chart is None else 200)

    async def _quote(self, request: web.Request) -> web.StreamResponse:
        self._count(f"quote {request.query['symbols']}")
        if not _is_crumbed(request):
            return web.json_response(REFUSAL, status=401)
        wanted = [ticker for ticker in request.query["symbols"].split(",") if ticker in self.charts]
        result = [
            self.misshapen.get(ticker) or listed(self.charts[ticker]) | self.figures.get(ticker, {})
            for ticker in wanted
        ]
        return await self._answer(request, "quote", {"quoteResponse": {"result": result, "error": None}})

    async def _summary(self, request: web.Request) -> web.StreamResponse:
        ticker = request.match_info["ticker"]
        self._count(f"summary {ticker}")
        if not _is_crumbed(request):
            return web.json_response(REFUSAL, status=401)
        told, modules = self.summaries.get(ticker), request.query["modules"].split(",")
        answer = {
            "result": None,
            "error": {"code": "Not Found", "description": f"Quote not found for symbol: {ticker}"},
        }
        if told is not None:
            known = {"quoteType": {"symbol": ticker}} | told
            answer = {"result": [{name: known[name] for name in modules if name in known}], "error": None}
        return await self._answer(request, "summary", {"quoteSummary": answer}, status=404 if told is None else 200)

    async def _crumb(self, request: web.Request) -> web.StreamResponse:
        self._count("crumb")
        fault = self._fault("crumb")
        return await fault(request, {}) if fault else web.Response(text=CRUMB)

    async def _root(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._stream(request)
        self._count("cookie")
        answer = web.Response(status=404, text="<html>not here</html>", content_type="text/html")
        answer.set_cookie("A3", "d=x", domain=".yahoo.com", max_age=31_536_000, secure=True, httponly=True)
        return answer

    def _count(self, request: str) -> None:
        self.requests.append(request)
        self.asked_at.append(time.monotonic())

    async def _answer(self, request: web.Request, where: str, answer: dict, status: int = 200) -> web.StreamResponse:
        fault = self._fault(where, f"{where} {request.match_info.get('ticker')}")
        return await fault(request, answer) if fault else web.json_response(answer, status=status)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        self.connections += 1
        if self._faults["socket"]:
            return await self._fault("socket")(request, {})
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets[socket] = set()
        try:
            async for message in socket:
                said = json.loads(message.data)
                self.sockets[socket] |= set(said.get("subscribe", []))
                self.sockets[socket] -= set(said.get("unsubscribe", []))
        finally:
            del self.sockets[socket]
        return socket


def frame(ticker: str, **fields: object) -> str:
    """A price message as it comes over the socket."""
    message = PricingData(id=ticker, **fields).SerializeToString()
    return json.dumps({"type": "pricing", "message": base64.b64encode(message).decode()})


def _is_crumbed(request: web.Request) -> bool:
    return request.query.get("crumb") == CRUMB and "A3" in request.cookies


def _beyond(asked: Mapping[str, str]) -> dict | None:
    """Yahoo's words where a request goes further back, or spans more, than it tells of an interval; None else."""
    back, longest = REACH.get(asked["interval"], (None, None))
    if back is None or "period1" not in asked:
        return None
    first, last, now = int(asked["period1"]), int(asked["period2"]), time.time()
    about = f"{asked['interval']} data not available for startTime={first} and endTime={last}."
    if first < now - back * 86_400:
        why = f"The requested range must be within the last {back} days."
    elif last - first > longest * 86_400:
        why = (
            f"Only {longest} days worth of {asked['interval']} granularity data are allowed to be fetched per request."
        )
    else:
        return None
    return {"code": "Unprocessable Entity", "description": f"{about} {why}"}


async def _limited(request: web.Request, answer: dict) -> web.StreamResponse:
    return web.Response(status=429, text="Edge: Too Many Requests", content_type="text/html")


async def _limited_for_long(request: web.Request, answer: dict) -> web.StreamResponse:
    return web.Response(status=429, text="Edge: Too Many Requests", headers={"Retry-After": "900"})


async def _limited_politely(request: web.Request, answer: dict) -> web.StreamResponse:
    return web.Response(text="Too Many Requests\r\n")


async def _html(request: web.Request, answer: dict) -> web.StreamResponse:
    return web.Response(text="<!DOCTYPE html><html>Will be right back</html>", content_type="text/html")


async def _page(request: web.Request, answer: dict) -> web.StreamResponse:
    """A page without the tag that yfinance looks for."""
    return web.Response(text='<!DOCTYPE html>\n<html lang="en-US">Yahoo is part of a family of brands</html>')


async def _refused(request: web.Request, answer: dict) -> web.StreamResponse:
    return web.json_response(REFUSAL, status=401)


async def _broken(request: web.Request, answer: dict) -> web.StreamResponse:
    return web.Response(status=500, text="Internal Server Error")


async def _slow(request: web.Request, answer: dict) -> web.StreamResponse:
    await asyncio.sleep(3)
    return web.json_response(answer)


async def _truncated(request: web.Request, answer: dict) -> web.StreamResponse:
    """Half of the JSON, and an end as if it were all."""
    text = json.dumps(answer)
    return web.Response(text=text[: len(text) // 2], content_type="application/json")


async def _cut_off(request: web.Request, answer: dict) -> web.StreamResponse:
    """Half of the JSON, then the connection is gone."""
    body = json.dumps(answer).encode()
    response = web.StreamResponse(headers={"Content-Length": str(len(body)), "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    request.transport.close()
    return response


async def _huge(request: web.Request, answer: dict) -> web.StreamResponse:
    """The right answer after twenty megabytes of blanks."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for _ in range(20):
        await response.write(b" " * (1 << 20))
    await response.write(json.dumps(answer).encode())
    return response


async def _null(request: web.Request, answer: dict) -> web.StreamResponse:
    return web.json_response({"chart": {"result": None, "error": None}})


async def _no_entries(request: web.Request, answer: dict) -> web.StreamResponse:
    return web.json_response({"quoteResponse": {"result": [], "error": None}})


async def _shapeless(request: web.Request, answer: dict) -> web.StreamResponse:
    return web.json_response({"chart": {"result": [{"meta": {"symbol": "AAPL"}}], "error": None}})


async def _good_bye(request: web.Request, answer: dict) -> web.StreamResponse:
    """Accept a socket and close it in good order at once."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.close(code=WSCloseCode.OK)
    return socket


FAULTS = {
    "good bye": _good_bye,
    "429": _limited,
    "429 for long": _limited_for_long,
    "200 limited": _limited_politely,
    "html": _html,
    "page": _page,
    "401": _refused,
    "500": _broken,
    "delay": _slow,
    "truncated": _truncated,
    "cut off": _cut_off,
    "huge": _huge,
    "null": _null,
    "no entries": _no_entries,
    "shapeless": _shapeless,
}
