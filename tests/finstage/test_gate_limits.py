"""The gate by itself, for servers that hand over a request's body piece by piece."""

import asyncio
import threading
import time
from collections.abc import Callable

import orjson
import pytest

from finstage.gate import Gate
from finstage.watch import Watch


def gate(app=None, *, database: Callable[[], object] = lambda: None, **limits) -> Gate:
    watch = Watch(database, every_seconds=0.02, patience_seconds=0.1)
    usual = {"workers": 1, "queue": 1, "body_bytes": 10, "form_bytes": 5, "body_seconds": 0.2, "answer_bytes": 1000,
             "answer_seconds": 5}  # fmt: skip
    return Gate(app or echo, watch, **{**usual, **limits})


def echo(environ: dict, start_response) -> list[bytes]:
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


async def ask(gate: Gate, *events: dict, headers=(), path="/") -> tuple[int, bytes]:
    """The answer to a request whose body comes as these events; then the client waits."""
    inbox: asyncio.Queue = asyncio.Queue()
    for event in events:
        inbox.put_nowait(event)
    sent = []

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": path, "query_string": b"", "http_version": "1.1",
        "headers": list(headers), "request_id": "id",
    }  # fmt: skip
    await gate(scope, inbox.get, send)
    return sent[0]["status"], b"".join(message["body"] for message in sent[1:])


def body(data: bytes, *, more: bool = False) -> dict:
    return {"type": "http.request", "body": data, "more_body": more}


@pytest.mark.parametrize("kind", ["", "multipart/form-data; boundary=B", "application/x-www-form-urlencoded"])
def test_a_form_has_a_limit_of_its_own(kind):
    for given in (kind, kind.upper(), f"\t{kind} ; charset=utf-8", f"\xa0{kind}"):
        status, _ = asyncio.run(
            ask(gate(), body(b"x" * 6), headers=[(b"content-type", given.encode("latin1"))], path="/api/")
        )
        assert status == (413 if kind else 200)


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=B", "Multipart/Form-Data", "multipart/*", "*/*"])
def test_no_page_takes_a_form_in_parts(kind):
    headers = [(b"content-type", b"application/x-www-form-urlencoded"), (b"content-type", kind.encode())]
    status, told = asyncio.run(ask(gate(), body(b"x"), headers=headers, path="/login/"))
    assert (status, orjson.loads(told)["code"]) == (415, "unsupported_media_type")
    assert asyncio.run(ask(gate(), body(b"x"), headers=headers[:1], path="/login/"))[0] == 200


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


class Frozen:
    """A database that answers nobody until it thaws."""

    def __init__(self) -> None:
        self.thawed = threading.Event()

    def __call__(self, *visit) -> list[bytes]:
        self.thawed.wait(30)
        return echo(*visit) if visit else []


def test_while_the_database_is_silent_everybody_is_told_also_those_who_hang_in_it():
    frozen = Frozen()

    async def scenario() -> list[tuple[int, bytes]]:
        asked = gate(frozen, database=frozen)
        hanging = await asyncio.gather(ask(asked, body(b"")), ask(asked, body(b"")))
        began = time.monotonic()
        late = await ask(asked, body(b""))
        assert time.monotonic() - began < 2  # of the thirty that the database is silent
        frozen.thawed.set()
        await asyncio.sleep(0.3)
        return [*hanging, late, await ask(asked, body(b"again"))]

    *refused, answered = asyncio.run(scenario())
    assert [(status, orjson.loads(problem)["code"]) for status, problem in refused] == [
        (503, "temporarily_unavailable")
    ] * 3
    assert answered == (200, b"again")


@pytest.mark.parametrize(
    ("language", "path", "said"),
    [
        (b"en", "/tasks/", "Not ready at this moment"),
        (b"ko-KR,ko", "/", '<html lang="ko"'),
        (b"en", "/api/tasks/status", '"code":"temporarily_unavailable"'),
    ],
)
def test_a_browser_is_told_by_a_page_and_a_program_by_a_problem(language, path, said):
    frozen = Frozen()
    headers = [(b"accept", b"text/html,*/*"), (b"accept-language", language), (b"host", b"localhost")]

    async def scenario() -> tuple[int, bytes]:
        answer = await ask(gate(frozen, database=frozen), body(b""), headers=headers, path=path)
        frozen.thawed.set()
        return answer

    status, told = asyncio.run(scenario())
    assert (status, said in told.decode()) == (503, True)


def test_a_database_that_fails_at_once_is_left_to_the_views():
    def fail() -> None:
        raise OSError("refused")

    async def scenario() -> tuple[int, bytes]:
        asked = gate(database=fail)
        await ask(asked, body(b""))
        await asyncio.sleep(0.3)
        return await ask(asked, body(b"on"))

    assert asyncio.run(scenario()) == (200, b"on")
