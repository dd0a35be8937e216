"""A session over real sockets: one loop for threads, and the same for asyncio."""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import connect

from .protocol import Message
from .session import Ended, NotNow, Session

logger = logging.getLogger("finstage_client")

# How a connection ends, or does not begin, on an ordinary day.
BROKEN = (ConnectionClosed, InvalidHandshake, NotNow, OSError, EOFError)
REFUSED = (401, 403, 404)  # a handshake that is answered so will be again
SERVER = re.compile(r"https?://[^/?#\s]+[^?#\s]*")


class _Line:
    """Where to, and as whom; `options` are those of the subscription."""

    def __init__(
        self, url: str, type: str = "prices", symbols: Iterable[str] = (), *, key: str | None = None, **options: Any
    ) -> None:
        """url: of the server, as a browser has it. key: an API key. Options: `interval`, `indicators`, `mode`.

        Raises ValueError where the url is no server's.
        """
        if not SERVER.fullmatch(url):
            raise ValueError(f"{url!r} is no server's address; one is http://127.0.0.1:8000")
        self._url = url.rstrip("/").replace("http", "ws", 1) + "/ws/realtime"
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._session = Session(type, symbols, **options)

    def _broke(self, error: BaseException) -> float:
        """How long to wait now, which is logged. Raises Ended where waiting is no use."""
        if isinstance(error, ConnectionClosed) and error.rcvd is not None:
            self._session.closed(error.rcvd.code, error.rcvd.reason)
        if isinstance(error, InvalidStatus) and error.response.status_code in REFUSED:
            raise Ended(error.response.status_code, "the server does not let this in") from error
        wait = self._session.pause()
        logger.warning("%s: %s; asking again in %.1f s", self._url, error, wait)
        return wait


class Stream(_Line):
    """Iterate over it: every message, for as long as the server is not done with us. Raises Ended and Refused."""

    def __iter__(self) -> Iterator[Message]:
        while True:
            try:
                with connect(self._url, additional_headers=self._headers) as socket:
                    for action in self._session.opening():
                        socket.send(action)
                    while True:
                        yield from self._session.hear(socket.recv())
            except BROKEN as error:
                wait = self._broke(error)
            time.sleep(wait)


class AsyncStream(_Line):
    """`Stream` for asyncio."""

    async def __aiter__(self) -> AsyncIterator[Message]:
        while True:
            try:
                async with connect_async(self._url, additional_headers=self._headers) as socket:
                    for action in self._session.opening():
                        await socket.send(action)
                    while True:
                        for message in self._session.hear(await socket.recv()):
                            yield message
            except BROKEN as error:
                wait = self._broke(error)
            await asyncio.sleep(wait)
