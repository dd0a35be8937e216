"""One answer that lasts: what a client of the hub is sent, as events, until somebody ends it.

Between two events that are far apart a comment says that the server lives. A reader that takes nothing costs what a
slow socket costs, and ends like one.
"""

import asyncio
import contextlib
import random
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from monitoring import metrics
from realtime import asked, kinds, messages, process
from realtime.asked import Meant
from realtime.clients import Client
from realtime.messages import CLOSE, REASONS, Refused
from realtime.people import Credential
from realtime.places import LATEST
from realtime.sse import asking, marks
from realtime.sse.cursor import OF_MANY, Cursor
from realtime.starting.asking import Answer

HEARTBEAT_SECONDS = 15.0
RETRY_MS = 1000, 3000  # those who lost their server together do not come back together
LIFETIME_SECONDS, LIFETIME_SPREAD = 24 * 3600, 0.05
LAST_SECONDS = 1.0  # for the client to take why it ends

Receive = Callable[[], Awaitable[dict]]
Send = Callable[[dict], Awaitable[None]]


class Events:
    """A client of the hub's that is answered over HTTP. `open` may refuse; then nothing was sent.

    may_write: whether it was a page of ours, or a program, that asked: what a link leads to starts nothing.
    """

    def __init__(
        self,
        receive: Receive,
        send: Send,
        *,
        address: str,
        login: Credential | None,
        key: Credential | None,
        may_write: bool,
    ) -> None:
        self._receive, self._send, self._address, self._key = receive, send, address, key
        self._may_write = may_write
        self._begun = asyncio.Event()
        self._over: asyncio.Future[int] = asyncio.get_running_loop().create_future()  # with the code of its close
        self._cursor = Cursor({})
        self._client = Client(secrets.token_hex(8), self._tell, self._close, credential=login)

    async def open(self, query: bytes, mark: str) -> None:
        """Let it hold what it asks for. Raises Refused, Busy and redis' errors."""
        actions, places = asking.actions(query), marks.read(mark)
        client = self._client
        process.crowd.come(client, self._address)
        try:
            process.hub.attach(client)
            client.say(messages.connected(client.client_id))
            process.hub.tell_status(client)
            await self._identify()
            await self._subscribe(actions, {name: place._asdict() for name, place in places.items()})
        except BaseException:
            self._leave()
            raise

    async def _identify(self) -> None:
        """Who is somebody is looked at for as long as it lasts. A key that lets nobody in is never nobody's request."""
        if self._key is None:
            await process.rights.identify(self._client)
        elif await process.rights.admit(self._client, self._key) is None:
            raise Refused("invalid_token", "This API key lets nobody in any more. Make another one.")

    async def _subscribe(self, actions: list[dict[str, Any]], since: dict[str, dict]) -> None:
        client = self._client
        meant = [await asked.streams(client, process.rights, action) for action in actions]
        names = [name for each in meant for name in each.streams]
        asked.check_room(client, names, marks.MOST_STREAMS)
        await process.hub.want(names)
        places = await asked.positions(client, since, names)
        self._cursor = Cursor({kinds.public(name): place for name, place in places.items()})
        answer = await self._started(meant)
        held, starting = dict.fromkeys(names, actions[0].get("mode", LATEST)), list(answer.started)
        await process.hub.subscribe(client, held, places, starting=starting)
        for action, each in zip(actions, meant, strict=True):
            if each.unknown:
                process.starting.wait(client, action, answer, marks.MOST_STREAMS)
        client.asked |= {action["type"] for action in actions}

    async def _started(self, meant: list[Meant]) -> Answer:
        """Start what nobody collects yet, as far as the reader may; the rest is named. Raises Refused where nothing is
        left.
        """
        unknown = list(dict.fromkeys(text for each in meant for text in each.unknown))
        if not unknown:
            return Answer()
        answer = await process.starting.ask(self._client, unknown, may_write=self._may_write)
        if answer.refused:
            refused = asked.refusal(answer.refused, answer.why, answer.near)
            if any(each.is_none for each in meant) and not answer.started:
                raise refused
            self._client.say(messages.error(refused.code, str(refused), symbols=refused.symbols))
        return answer

    async def run(self, headers: list[tuple[bytes, bytes]]) -> None:
        """Answer until the client leaves, or is closed."""
        leaving = asyncio.create_task(_left(self._receive))
        metrics.EVENT_STREAMS.inc()
        try:
            await self._send({"type": "http.response.start", "status": 200, "headers": headers})
            await self._write(f"retry: {random.randint(*RETRY_MS)}\n\n")
            self._begun.set()
            await self._go_on(leaving)
            if not leaving.done():
                await self._end(self._over.result())
        finally:
            metrics.EVENT_STREAMS.dec()
            leaving.cancel()
            self._leave()

    async def _go_on(self, leaving: asyncio.Future) -> None:
        loop = asyncio.get_running_loop()
        over_at = loop.time() + lifetime()
        while not leaving.done() and not self._over.done():
            await asyncio.wait({leaving, self._over}, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if loop.time() > over_at:
                await self._close(CLOSE["lifetime_over"])
            elif not self._client.is_busy and not self._over.done():
                mark = self._cursor.mark()
                await self._write(f"id: {mark}\n\n" if mark else ":\n\n")

    def _leave(self) -> None:
        if not self._over.done():
            self._over.set_result(0)
        self._begun.set()  # whoever waits to be sent is sent no more
        process.hub.detach(self._client)
        process.rights.forget(self._client)
        process.starting.forget(self._client)
        process.crowd.leave(self._client)

    async def _tell(self, text: str) -> None:
        """One message of the client's."""
        await self._begun.wait()
        if self._over.done():
            return
        message = orjson.loads(text)
        self._cursor.follow(message, len(text))
        was_sparing, mark = self._cursor.is_sparing, self._cursor.due()
        lines = [f"data: {text}\n"]
        if mark:
            lines.insert(0, f"id: {mark}\n")
        if self._cursor.is_sparing and not was_sparing:
            lines.insert(0, f": {OF_MANY}\n")
        if message["type"] == "server_shutdown":
            lines.insert(0, f"retry: {round(1000 * message['retry_after'])}\n")
        await self._write("".join([*lines, "\n"]))

    async def _close(self, code: int) -> None:
        """Once: what was said to it first."""
        await self._client.last_words()
        if not self._over.done():
            self._over.set_result(code)

    async def _end(self, code: int) -> None:
        """Say why. Who takes nothing is cut off by the server, as the answer is not whole."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await self._write(f": {code} {REASONS[code]}\n\n")
                await self._send({"type": "http.response.body", "body": b""})

    async def _write(self, text: str) -> None:
        await self._send({"type": "http.response.body", "body": text.encode(), "more_body": True})


def lifetime() -> float:
    """Seconds: answers that began together do not end together."""
    return LIFETIME_SECONDS * (1 + random.random() * LIFETIME_SPREAD)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
