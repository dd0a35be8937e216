"""A door between a hub and Redis: what Redis answered a reading, or published, can be held back or lost on the way.

So a test pins an order of events that is rare in life: a reading that was made before something was published and
arrives after it, or the other way round.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings


class Gate:
    """Lets pieces through in order, or keeps them until it opens."""

    def __init__(self) -> None:
        self._is_open = asyncio.Event()
        self._is_open.set()
        self.kept: list[asyncio.Event] = []  # the pieces that stand before it, oldest first
        self.passed = self.lost = 0
        self.loses = False
        self.takes: Callable[[], float] = lambda: 0.0  # how long a piece is on its way

    def close(self) -> None:
        self._is_open.clear()

    def open(self) -> None:
        self._is_open.set()
        for piece in self.kept:
            piece.set()

    def let_through(self, place: int = 0) -> None:
        self.kept[place].set()

    async def stands(self, pieces: int = 1) -> None:
        """Until so many pieces stand before it."""
        async with asyncio.timeout(60):
            while len(self.kept) < pieces:
                await asyncio.sleep(0.005)

    async def come_through(self) -> bool:
        """Whether the piece goes on, once it may."""
        if (seconds := self.takes()) > 0:
            await asyncio.sleep(seconds)
        if not self._is_open.is_set():
            may_go = asyncio.Event()
            self.kept.append(may_go)
            await may_go.wait()
            self.kept.remove(may_go)
        self.passed += not self.loses
        self.lost += self.loses
        return not self.loses


class Door:
    """readings: the answers to who reads streams; live: what is published; connections: how many now and at most."""

    def __init__(self, redis: str) -> None:
        self._redis = redis
        self.readings, self.live = Gate(), Gate()
        self.connections = self.most_connections = 0
        self.is_shut = self.is_frozen = False
        self._writers: set[asyncio.StreamWriter] = set()

    def shut(self) -> None:
        """Redis is gone: every connection breaks, and none is taken."""
        self.is_shut = True
        for writer in self._writers:
            writer.transport.abort()

    def freeze(self) -> None:
        """Redis hears and says nothing more, and its connections stay."""
        self.is_frozen = True

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_shut:
            writer.transport.abort()
            return
        from_redis, to_redis = await asyncio.open_unix_connection(self._redis, limit=1 << 26)
        self.connections += 1
        self.most_connections = max(self.connections, self.most_connections)
        self._writers |= {writer, to_redis}
        asked = {"last": b""}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_ended(self._ask(reader, to_redis, asked), writer, to_redis))
                group.create_task(_ended(self._answer(from_redis, writer, asked), writer, to_redis))
        finally:
            self.connections -= 1
            self._writers -= {writer, to_redis}

    async def _ask(self, reader: asyncio.StreamReader, to_redis: asyncio.StreamWriter, asked: dict) -> None:
        while piece := await reader.read(1 << 20):
            if self.is_frozen:
                continue
            asked["last"] = piece
            to_redis.write(piece)
            await to_redis.drain()

    async def _answer(self, from_redis: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: dict) -> None:
        while answer := await _answer_of(from_redis):
            is_reading = b"XREVRANGE" in asked["last"]  # and not that somebody says what is held
            is_live = answer[1:].startswith(b"3\r\n$7\r\nmessage")
            gate = self.live if is_live else self.readings if is_reading else None
            if gate is None or await gate.come_through():
                writer.write(answer)
                await writer.drain()


async def _ended(work, *writers: asyncio.StreamWriter) -> None:
    """One end of a connection ends the other."""
    try:
        await work
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        for writer in writers:
            writer.transport.abort()


async def _answer_of(reader: asyncio.StreamReader) -> bytes:
    """One answer of the Redis protocol, whole."""
    head = await reader.readline()
    kind, size = head[:1], head[1:].strip()
    if kind == b"$" and int(size) >= 0:
        return head + await reader.readexactly(int(size) + 2)
    if kind in (b"*", b">"):  # an array, or what is pushed
        return head + b"".join([await _answer_of(reader) for _ in range(int(size))])
    return head


@asynccontextmanager
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """While it stands, the clients that this process makes go through it."""
    before = settings.REDIS_URL
    made = Door(urlsplit(before).path)
    path = tmp_path / "door"
    server = await asyncio.start_unix_server(made.take, path, limit=1 << 26)
    settings.REDIS_URL = f"unix://{path}?db=0"
    try:
        yield made
    finally:
        settings.REDIS_URL = before
        made.shut()
        server.close()
