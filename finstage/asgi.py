"""The way in: each request and socket to the part that answers it.

Health, metrics and static files never wait behind Django's views, and a socket never waits for a view's thread.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import orjson

from finstage.wsgi import application as wsgi  # isort: skip  (sets Django up for the imports below)

from channels.sessions import CookieMiddleware
from django.conf import settings
from redis.exceptions import RedisError

from finstage import answers, health
from finstage.answers import Answer, Receive, Refused, Send
from finstage.assets import Assets
from finstage.gate import Gate
from finstage.watch import Watch
from monitoring import heartbeats, metrics
from monitoring.loops import Loop
from realtime.consumers import RealtimeConsumer, hub, rights

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
readiness = health.Readiness()
metrics_pool = ThreadPoolExecutor(1, thread_name_prefix="metrics")
sockets = {"/ws/realtime": CookieMiddleware(RealtimeConsumer.as_asgi())}


async def application(scope: dict, receive: Receive, send: Send) -> None:
    """The ASGI application of the web process."""
    await PROTOCOLS[scope["type"]](scope, receive, send)


async def http(scope: dict, receive: Receive, send: Send) -> None:
    scope["request_id"] = answers.request_id(_header(scope, b"x-request-id"))
    is_file = scope["path"].startswith(settings.STATIC_URL)
    respond = assets if is_file else OUTSIDE.get(scope["path"].removesuffix("/"))
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
        await consumer(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.close", "code": 4404})


async def lifespan(scope: dict, receive: Receive, send: Send) -> None:
    await receive()
    beating = asyncio.create_task(beat_on())
    await send({"type": "lifespan.startup.complete"})
    await receive()
    beating.cancel()
    rights.stop()
    await hub.shutdown()
    await send({"type": "lifespan.shutdown.complete"})


async def beat_on() -> None:
    """Show that this process lives and which of its loops turn."""
    with Loop("heartbeat", every_seconds=BEAT_SECONDS, away=(RedisError,)) as loop:
        while True:
            with loop.turn():
                await asyncio.get_running_loop().run_in_executor(metrics_pool, heartbeats.beat, "web")
            await asyncio.sleep(BEAT_SECONDS)


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


NOT_STORED = [(b"cache-control", b"no-store")]
OUTSIDE: dict[str, Callable[[dict], Awaitable[Answer]]] = {
    "/health/live": live,
    "/health/ready": ready,
    "/metrics": exposition,
}
PROTOCOLS = {"http": http, "websocket": websocket, "lifespan": lifespan}
