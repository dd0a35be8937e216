"""The way in: each request and socket to the part that answers it.

Health, metrics and static files never wait behind Django's views, and neither a socket nor a stream of events waits for
a view's thread.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import orjson

from finstage.wsgi import application as wsgi  # isort: skip  (sets Django up for the imports below)

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from redis.exceptions import RedisError

from finstage import answers, events, health
from finstage.access import sockets as access
from finstage.access import uses
from finstage.answers import Answer, Receive, Refused, Send
from finstage.assets import Assets
from finstage.gate import Gate
from finstage.watch import Watch
from market import sources
from market.sources.pace.measured import Measured
from monitoring import heartbeats, metrics
from monitoring.loops import Loop
from realtime import process
from realtime.administration.answering import Administration
from realtime.consumers import RealtimeConsumer

JSON = "application/json"
BEAT_SECONDS = 5.0

gate = Gate(
    wsgi,
    Watch(health.database),
    workers=settings.GATE_WORKERS,
    queue=settings.GATE_QUEUE,
    body_bytes=settings.GATE_BODY_BYTES,
    form_bytes=settings.GATE_FORM_BYTES,
    body_seconds=settings.GATE_BODY_SECONDS,
    answer_bytes=settings.GATE_ANSWER_BYTES,
    answer_seconds=settings.GATE_ANSWER_SECONDS,
)
assets = Assets()
administration = Administration(process.hub.members)
readiness = health.Readiness()
metrics.REGISTRY.register(Measured(each.pace for each in sources.SOURCES.values()))
metrics_pool = ThreadPoolExecutor(1, thread_name_prefix="metrics")
uses_pool = ThreadPoolExecutor(1, thread_name_prefix="uses")
sockets = {"/ws/realtime": RealtimeConsumer.as_asgi()}


async def application(scope: dict, receive: Receive, send: Send) -> None:
    """The ASGI application of the web process."""
    await PROTOCOLS[scope["type"]](scope, receive, send)


async def http(scope: dict, receive: Receive, send: Send) -> None:
    scope["request_id"] = answers.request_id(_header(scope, b"x-request-id"))
    is_file = scope["path"] in assets
    path = scope["path"].removesuffix("/")
    if path == EVENTS:
        await events.respond(scope, receive, send)
        return
    respond = assets if is_file else OUTSIDE.get(path)
    if respond is None:
        await gate(scope, receive, send)
        return
    try:
        answers.require_reading(scope["method"])
        answer = await respond(scope)
    except Refused as refused:
        metrics.GATE_REFUSED.labels(refused.code).inc()
        answer = answers.refusal(refused, scope["request_id"])
    await answers.deliver(answer, send, scope["method"])


async def websocket(scope: dict, receive: Receive, send: Send) -> None:
    if (consumer := sockets.get(scope["path"].rstrip("/"))) is not None:
        await consumer({**scope, **access.scope(scope)}, receive, send)
        return
    await receive()
    await send({"type": "websocket.close", "code": 4404})


async def lifespan(scope: dict, receive: Receive, send: Send) -> None:
    await receive()
    turning = [asyncio.create_task(beat_on()), asyncio.create_task(write_uses())]
    administration.start()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    for each in turning:
        each.cancel()
    await stopping()
    await send({"type": "lifespan.shutdown.complete"})


async def stopping() -> None:
    """Tell every client of the end. Our servers call it before they close anything; others at least say goodbye."""
    process.rights.stop()
    process.starting.stop()
    await asyncio.gather(process.hub.shutdown(), administration.stop())


async def beat_on() -> None:
    """Show that this process lives and which of its loops turn."""
    with Loop("heartbeat", every_seconds=BEAT_SECONDS, away=(RedisError,)) as loop:
        while True:
            with loop.turn():
                await asyncio.get_running_loop().run_in_executor(metrics_pool, heartbeats.beat, "web")
            await asyncio.sleep(BEAT_SECONDS)


async def write_uses() -> None:
    """Write when keys were last used, beside the requests."""
    with Loop("key uses", every_seconds=uses.WRITE_SECONDS, away=(DatabaseError,)) as loop:
        while True:
            await asyncio.sleep(uses.WRITE_SECONDS)
            with loop.turn():
                await asyncio.get_running_loop().run_in_executor(uses_pool, _write_uses)


def _write_uses() -> None:
    close_old_connections()
    try:
        uses.write()
    finally:
        close_old_connections()


async def live(scope: dict) -> Answer:
    return answers.plain(200, b'{"status":"live"}', JSON, scope["request_id"], NOT_STORED)


async def ready(scope: dict) -> Answer:
    status, report = await readiness.report()
    return answers.plain(status, orjson.dumps(report), JSON, scope["request_id"], NOT_STORED)


async def exposition(scope: dict) -> Answer:
    text = await asyncio.get_running_loop().run_in_executor(metrics_pool, metrics.exposition)
    return answers.plain(200, text, metrics.CONTENT_TYPE, scope["request_id"], NOT_STORED)


def _header(scope: dict, name: bytes) -> str | None:
    return next((value.decode("latin1") for given, value in scope["headers"] if given == name), None)


EVENTS = "/api/v2/stream"
NOT_STORED = [(b"cache-control", b"no-store")]
OUTSIDE: dict[str, Callable[[dict], Awaitable[Answer]]] = {
    "/health/live": live,
    "/health/ready": ready,
    "/metrics": exposition,
}
PROTOCOLS = {"http": http, "websocket": websocket, "lifespan": lifespan}
