"""A small ASGI application behind our servers, so that tests see the server alone: `python -m … daphne --port 8100`."""

import asyncio
import gc
import hashlib
import json
import logging
import os
import socket
import struct
import sys
from collections import Counter

from tests import ready  # noqa: F401 - isort: skip - first, as in every process of ours
from monitoring import metrics
from realtime import connection
from realtime.connection import RAW_PORT
from realtime.transports import servers
from realtime.transports.limits import Limits

BIG = 12 * 1024 * 1024
state = {"requests": 0, "received": [], "writes": 0, "goodbye": False}
release = asyncio.Event()


def problem(status: int, code: str, detail: str, request_id: str | None) -> tuple[list, bytes]:
    body = json.dumps({"status": status, "code": code, "request_id": request_id}).encode()
    return [(b"content-length", b"%d" % len(body)), (b"connection", b"close")], body


def objects(*, is_swept: bool = True) -> dict[str, int]:
    """How many there are of each type that a connection needs; those too that only circles keep, if it is not swept."""
    if is_swept:
        gc.collect()
    counted = Counter(type(each).__name__ for each in gc.get_objects())
    return {name: counted[name] for name in OF_A_CONNECTION} | {"files": len(os.listdir("/proc/self/fd"))}


def break_down() -> None:
    """In callbacks of Twisted's, where it is there, and of asyncio's."""
    for _ in range(100):
        if (reactor := sys.modules.get("twisted.internet.reactor")) is not None:
            reactor.callLater(0, lambda: 1 / 0)
        asyncio.get_running_loop().call_soon(lambda: [].pop())


def framed(text: bytes) -> bytes:
    """A text frame as servers send it."""
    head = bytes([0x81, len(text)]) if len(text) < 126 else b"\x81\x7e" + struct.pack("!H", len(text))
    return head + text


async def application(scope: dict, receive, send) -> None:
    await {"http": http, "websocket": websocket, "lifespan": lifespan}[scope["type"]](scope, receive, send)


async def http(scope: dict, receive, send) -> None:
    state["requests"] += 1
    if scope["path"] in ANSWERS:
        await ANSWERS[scope["path"]](scope, receive, send)
        return
    if (act := ACTS.get(scope["path"])) is not None:
        act()
    body = json.dumps(TOLD.get(scope["path"], told)())
    pieces = [b"x" * 65536] * (BIG // 65536) if scope["path"] == "/big" else [body.encode()]
    length = sum(map(len, pieces))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % length)]})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def what_came(scope: dict, receive, send) -> None:
    """The request as the application has it."""
    body, more = b"", True
    while more:
        event = await receive()
        body, more = body + event["body"], event["more_body"]
    headers = [(name.decode(), value.decode("latin1")) for name, value in scope["headers"]]
    told = {"path": scope["path"], "query": scope["query_string"].decode(), "headers": headers, "size": len(body),
            "digest": hashlib.sha256(body).hexdigest()}  # fmt: skip
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})


async def half(scope: dict, receive, send) -> None:
    """Breaks down in the middle of its answer."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
    await send({"type": "http.response.body", "body": b"begin", "more_body": True})
    raise ValueError("in the middle")


async def fail(scope: dict, receive, send) -> None:
    raise ValueError("before any answer")


async def stay(scope: dict, receive, send) -> None:
    await stay_on()


async def read_and_stay(scope: dict, receive, send) -> None:
    while (await receive())["more_body"]:
        pass
    await stay_on()


async def stay_on() -> None:
    """Whoever leaves, until it is ended."""
    try:
        await asyncio.sleep(600)
    finally:
        state["ended"] = state.get("ended", 0) + 1


def told() -> dict:
    counted = {name: metric.collect()[0].samples[0].value for name, metric in METRICS.items()}
    samples = metrics.GATE_REFUSED.collect()[0].samples
    refused = {sample.labels["code"]: sample.value for sample in samples if sample.name.endswith("_total")}
    return {**state, **counted, "refused": refused}


async def websocket(scope: dict, receive, send) -> None:
    await receive()
    raw = scope["extensions"][RAW_PORT]
    try:
        raw.write(framed(b"too early"))
    except RuntimeError:
        state["refused_early"] = True
    if scope["path"] in WAITS:
        await asyncio.sleep(WAITS[scope["path"]])
    await send({"type": "websocket.accept"})
    await PATHS[scope["path"]](raw, receive, send)


async def echo(raw, receive, send) -> None:
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": str(len(event["text"]))})


async def mixed(raw, receive, send) -> None:
    """Numbered messages, raw and ordinary, larger than any buffer; then a close."""
    for number in range(600):
        text = str(number).ljust(4000)
        if number % 3:
            raw.write(framed(text.encode()))
        else:
            await send({"type": "websocket.send", "text": text})
        while raw.get_write_buffer_size() > 200_000:
            await asyncio.sleep(0.001)
    await send({"type": "websocket.close", "code": 4000})
    state["closing"] = raw.is_closing()


async def with_reason(raw, receive, send) -> None:
    await send({"type": "websocket.close", "code": 4013, "reason": "too many"})


async def closing(raw, receive, send) -> None:
    await send({"type": "websocket.close", "code": 4000})
    raw.write(framed(b"too late"))


async def flood(raw, receive, send) -> None:
    for _ in range(BIG // 4000):
        raw.write(framed(b"x" * 4000))
        state["writes"] += 1
        await asyncio.sleep(0)
    await receive()


async def flood_plainly(raw, receive, send) -> None:
    for _ in range(BIG // 4000):
        await send({"type": "websocket.send", "text": "x" * 4000})
        await asyncio.sleep(0)
    await receive()


async def slow(raw, receive, send) -> None:
    """Takes nothing until it is released, then everything."""
    await release.wait()
    state["inbox"] = receive.__self__.qsize()
    while (event := await receive())["type"] == "websocket.receive":
        state["received"].append(int(event["text"]))


async def lifespan(scope: dict, receive, send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    print("goodbye", flush=True)  # noqa: T201
    await send({"type": "lifespan.shutdown.complete"})


async def stopping() -> None:
    print("stopping", flush=True)  # noqa: T201


async def broken(raw, receive, send) -> None:
    """A connection that can't be looked at."""
    raw.connection.wire.check = lambda now: 1 / 0
    await stay_on()


async def gone(raw, receive, send) -> None:
    """An application that ends before its client does."""


METRICS = {
    "slow": metrics.WEBSOCKETS_SLOW,
    "open": metrics.WEBSOCKETS,
    "flooding": metrics.WEBSOCKETS_FLOODING,
    "connections": metrics.CONNECTIONS,
}
OF_A_CONNECTION = (
    *("BoundedChannel", "BoundedRequest", "BoundedSocket", "Server", "Life", "SpooledTemporaryFile", "Inbox"),
    *("Headers", "Task", "Bucket", "RawPort", "TrafficStats", "Connection", "Exchange", "Body", "Head", "Future"),
)
WAITS = {"/late": 1, "/never": 600}  # seconds before a socket is accepted
ANSWERS = {"/what-came": what_came, "/half": half, "/fail": fail, "/stay": stay, "/read-and-stay": read_and_stay}
ACTS = {"/release": release.set, "/break-down": break_down, "/keep-circles": gc.disable}
TOLD = {"/objects": objects, "/unswept": lambda: objects(is_swept=False)}
PATHS = {
    "/broken": broken,
    "/gone": gone,
    "/echo": echo,
    "/late": echo,
    "/never": echo,
    "/closing": closing,
    "/with-reason": with_reason,
    "/mixed": mixed,
    "/flood": flood,
    "/flood-plainly": flood_plainly,
    "/slow": slow,
}

if __name__ == "__main__":
    logging.basicConfig(level="INFO")
    sockets = connection.Limits(
        accept_seconds=float(os.environ.get("TEST_ACCEPT_SECONDS", 20)),
        silence_seconds=6,
        ping_seconds=2.5,
        lifetime_seconds=float(os.environ.get("TEST_LIFETIME", 600)),
    )
    limits = Limits(
        body_bytes=100_000,
        arrival_seconds=2,
        unread_seconds=3,
        answer_seconds=float(os.environ.get("TEST_ANSWER_SECONDS", 120)),
        idle_seconds=float(os.environ.get("TEST_IDLE_SECONDS", 60)),
        left_seconds=1,
        max_files=int(os.environ.get("TEST_FILES", 20_000)),
        sockets=sockets,
    )
    listener = socket.create_server(("127.0.0.1", int(sys.argv[-1])))
    serve = servers.named(sys.argv[1])
    serve(application, listener, problem=problem, limits=limits, stopping=stopping).run()
