"""The gate by itself, for servers that hand over a request's body piece by piece."""

import asyncio

import orjson
import pytest

from finstage.gate import Gate


def gate(app=None, **limits) -> Gate:
    usual = {"workers": 1, "queue": 1, "body_bytes": 10, "body_seconds": 0.2, "answer_bytes": 1000, "answer_seconds": 5}
    return Gate(app or echo, **{**usual, **limits})


def echo(environ: dict, start_response) -> list[bytes]:
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


async def ask(gate: Gate, *events: dict, headers=()) -> tuple[int, bytes]:
    """The answer to a request whose body comes as these events; then the client waits."""
    inbox: asyncio.Queue = asyncio.Queue()
    for event in events:
        inbox.put_nowait(event)
    sent = []

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/", "query_string": b"", "http_version": "1.1",
        "headers": list(headers), "request_id": "id",
    }  # fmt: skip
    await gate(scope, inbox.get, send)
    return sent[0]["status"], b"".join(message["body"] for message in sent[1:])


def body(data: bytes, *, more: bool = False) -> dict:
    return {"type": "http.request", "body": data, "more_body": more}


def test_a_body_in_pieces_arrives_whole():
    assert asyncio.run(ask(gate(), body(b"one", more=True), body(b"two"))) == (200, b"onetwo")


@pytest.mark.parametrize(
    ("events", "headers", "refusal"),
    [
        ([body(b"x" * 6, more=True), body(b"x" * 6)], [], (413, "body_too_large")),
        ([body(b"x")], [(b"content-length", b"11")], (413, "body_too_large")),
        ([body(b"x")], [(b"content-length", b"5")], (400, "short_body")),
        ([body(b"x")], [(b"content-length", b"-5")], (400, "invalid_content_length")),
        ([body(b"x", more=True), {"type": "http.disconnect"}], [], (400, "short_body")),
        ([body(b"x", more=True)], [], (408, "body_timeout")),
    ],
)
def test_a_body_that_is_not_right_reaches_nobody(events, headers, refusal):
    visits = []
    status, problem = asyncio.run(ask(gate(lambda *visit: visits.append(visit)), *events, headers=headers))
    assert (status, orjson.loads(problem)["code"]) == refusal
    assert not visits
