"""The gate before Django: a bounded number of requests, whole bodies in, whole answers out.

Django's views run in a pool of threads which own the database connections. A thread only ever computes: the gate reads
the request's body before it gives the request a thread, and takes the answer to its last byte before it sends the
first, so that a slow client waits for nobody and nobody waits for a slow client. What exceeds the threads and the queue
is refused at once. One route may hold half of the threads: many who ask for what is dear leave room for the rest.
While the database is silent everybody is told so, also those whose thread hangs in it.
"""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from tempfile import SpooledTemporaryFile
from time import perf_counter

from a2wsgi.wsgi import build_environ
from django.urls import Resolver404

from finstage import answers, bodies, errors, routes
from finstage.answers import Answer, Receive, Refused, Send
from finstage.watch import Watch
from monitoring import metrics

logger = logging.getLogger(__name__)

MEMORY_BYTES = 256 * 1024  # an answer beyond this waits for its reader in a temporary file
RETRY_SECONDS = 2
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

WSGI = Callable[[dict, Callable], Iterable[bytes]]


class Left(Exception):
    """The client went away, and nobody waits for the answer."""


class Gate:
    """An ASGI application that runs a WSGI application behind an admission limit."""

    def __init__(self, app: WSGI, watch: Watch, *, workers: int, queue: int, body_bytes: int, form_bytes: int,
                 body_seconds: float, answer_bytes: int, answer_seconds: float):  # fmt: skip
        self._app, self._watch, self._workers, self._queue = app, watch, workers, queue
        self._read = partial(bodies.read, limit=body_bytes, form_limit=form_bytes, seconds=body_seconds)
        self._answer_bytes, self._answer_seconds = answer_bytes, answer_seconds
        _route("/")  # loads every view: now, and not on the event loop when the first request comes
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="http")
        self._waiting: dict[asyncio.Future, str] = {}  # the route of each, in order of arrival
        self._running: Counter[str] = Counter()
        self._most_of_a_route = max(1, workers // 2)
        metrics.GATE_RUNNING.set_function(self._running.total)
        metrics.GATE_WAITING.set_function(lambda: len(self._waiting))

    async def __call__(self, scope: dict, receive: Receive, send: Send) -> None:
        began, route = perf_counter(), ""
        try:
            answer, route = await self._answer(scope, receive)
        except Refused as refused:
            metrics.GATE_REFUSED.labels(refused.code).inc()
            answer = errors.refusal(refused, scope)
        except Left:
            metrics.GATE_ABANDONED.inc()
            return
        method = scope["method"] if scope["method"] in METHODS else "other"
        metrics.REQUESTS.labels(method, route, str(answer.status)).inc()
        metrics.DURATION.labels(method, route).observe(perf_counter() - began)
        await answers.deliver(answer, send, scope["method"])

    async def _answer(self, scope: dict, receive: Receive) -> tuple[Answer, str]:
        route = _route(scope["path"])
        self._refuse_if_full(route)
        body = await self._read(scope, receive)
        self._refuse_if_full(route)
        environ = build_environ(scope, BytesIO(body))
        environ["HTTP_X_REQUEST_ID"] = scope["request_id"]
        environ["CONTENT_LENGTH"] = str(len(body))
        leaving = asyncio.ensure_future(_leave(receive))
        try:
            async with asyncio.timeout(self._answer_seconds):
                await self._turn(route, leaving)
                answer = await self._visit(environ, route, leaving)
        except TimeoutError:
            raise Refused(503, "timeout", f"There was no answer within {self._answer_seconds:g} s.",
                          retry_after=RETRY_SECONDS) from None  # fmt: skip
        finally:
            leaving.cancel()
        return answer, environ.get("finstage.route", "")

    def _refuse_if_full(self, route: str) -> None:
        if self._watch.silence.done():
            raise _silent()
        if len(self._waiting) >= self._queue and not self._has_room(route):
            raise Refused(503, "busy", "All threads are busy and the queue is full.", retry_after=RETRY_SECONDS)

    async def _turn(self, route: str, leaving: asyncio.Future) -> None:
        """Wait until a thread is free for the route, and hold it."""
        if self._has_room(route):
            self._running[route] += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting[turn] = route
        try:
            await self._first(turn, leaving)
            if leaving.done():
                raise Left
        except BaseException:
            if self._waiting.pop(turn, None) is None:
                self._free(route)
            raise

    def _has_room(self, route: str) -> bool:
        return self._running.total() < self._workers and self._running[route] < self._most_of_a_route

    async def _visit(self, environ: dict, route: str, leaving: asyncio.Future) -> Answer:
        """Run the application in the thread that this request holds. It is free when the application returns."""
        left = threading.Event()
        loop = asyncio.get_running_loop()
        thread = loop.run_in_executor(self._pool, _run, self._app, environ, left, self._answer_bytes)
        thread.add_done_callback(partial(self._finished, route))
        try:
            await self._first(thread, leaving)
            return thread.result()
        except BaseException:
            left.set()
            raise

    async def _first(self, awaited: asyncio.Future, leaving: asyncio.Future) -> None:
        """Wait for it. Raises Left or Refused where nobody waits for the answer any more, or nobody can give it."""
        silence = self._watch.silence
        await asyncio.wait({awaited, leaving, silence}, return_when=asyncio.FIRST_COMPLETED)
        if not awaited.done():
            raise Left if leaving.done() else _silent()

    def _finished(self, route: str, thread: asyncio.Future) -> None:
        self._free(route)
        if not thread.cancelled():
            thread.exception()  # seen: whoever waited for it may be gone

    def _free(self, route: str) -> None:
        """Hand the free thread to the request that waits longest of those whose route has room."""
        self._running[route] -= 1
        if not self._running[route]:
            del self._running[route]
        turn = next((turn for turn, asked in self._waiting.items() if self._has_room(asked)), None)
        if turn is not None:
            self._running[self._waiting.pop(turn)] += 1
            turn.set_result(None)


def _silent() -> Refused:
    detail = "The database does not answer. Try again in a moment."
    return Refused(503, "temporarily_unavailable", detail, retry_after=RETRY_SECONDS)


def _route(path: str) -> str:
    """The pattern that a path resolves to: what asks for the same costs the same."""
    try:
        return routes.match(path).route
    except Resolver404:
        return ""


async def _leave(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _run(app: WSGI, environ: dict, left: threading.Event, limit: int) -> Answer:
    try:
        return _whole_answer(app, environ, left, limit)
    except Left:
        raise
    except Exception as error:
        logger.exception("%s %s failed", environ["REQUEST_METHOD"], environ["PATH_INFO"])
        raise Refused(500, "internal_error", "The server failed to answer.") from error


def _whole_answer(app: WSGI, environ: dict, left: threading.Event, limit: int) -> Answer:
    """The application's answer to its last byte; a half one is an error."""
    started = []
    body = SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115, the answer's reader closes it
    pieces = app(environ, lambda status, headers, exc_info=None: started.append((status, headers)))
    try:
        for piece in pieces:
            if left.is_set():
                raise Left
            if body.tell() + len(piece) > limit:
                raise OverflowError(f"an answer may have {limit} bytes")
            if body.tell() + len(piece) > MEMORY_BYTES:
                body.rollover()  # before a large piece is copied into memory
            body.write(piece)
    except BaseException:
        body.close()
        raise
    finally:
        getattr(pieces, "close", lambda: None)()
    status, headers = started[-1]
    return _checked(int(status.split(" ", 1)[0]), headers, body, environ["REQUEST_METHOD"])


def _checked(status: int, headers: list[tuple[str, str]], body: SpooledTemporaryFile, method: str) -> Answer:
    size = body.tell()
    body.seek(0)
    # Of a cookie Django leaves a space ahead, which HTTP does not allow a value to begin with.
    encoded = [(name.lower().encode("latin1"), value.strip().encode("latin1")) for name, value in headers]
    promised = dict(encoded).get(b"content-length")
    if promised is None and status not in (204, 304):
        encoded.append((b"content-length", str(size).encode()))
    elif promised is not None and method != "HEAD" and status != 304 and int(promised) != size:
        body.close()
        raise ValueError(f"Content-Length is {promised.decode()}, and the body has {size} bytes")
    return Answer(status, encoded, body)
