"""What is published on one channel of Redis, with the least work for each publication.

redis-py connects and parses, so that every address, login and certificate that it knows counts here too. Its own
subscription is left out: it spends more on each message, on timeouts, retries and words for a log, than is done with it
afterwards.
"""

import asyncio
import contextlib
import math
import time
from types import TracebackType

from redis.exceptions import RedisError

from monitoring import redis

PROTOCOL = 2  # in the newer one redis-py writes each message out for a log
SILENT_SECONDS = 15.0  # a channel may be idle; after so long the server is asked whether it is there
ANSWER_SECONDS = 5.0  # and so long it has time to say so


class Subscription:
    """What is said on a channel while the block lasts. Raises redis' errors, of a server too that answers no more.

    What comes faster than it is asked for waits in buffers of a fixed size, then in the server's, which has a limit.
    """

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._client = redis.async_client(protocol=PROTOCOL)
        self._connection = self._client.connection_pool.make_connection()
        self._heard_at = time.monotonic()

    async def __aenter__(self) -> "Subscription":
        # Whatever ends these, redis-py closes the connection.
        await self._connection.connect()
        await self._connection.send_command("SUBSCRIBE", self._channel, check_health=False)
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._watching.cancel()
        await self._connection.disconnect(nowait=True)
        await self._client.aclose()

    async def next(self) -> bytes | None:
        """The next publication; None: from here on none is missed."""
        while True:
            answer = await self._connection.read_response(timeout=math.inf, push_request=True)
            self._heard_at = time.monotonic()
            match answer:
                case [b"message", _, publication]:
                    return publication
                case [b"subscribe", *_]:
                    return None

    async def _watch(self) -> None:
        """Close a connection that is dead and does not show it: whoever waits for what comes next is told so."""
        with contextlib.suppress(RedisError, OSError):
            while True:
                asked_at = time.monotonic()
                if (idle := asked_at - self._heard_at) < SILENT_SECONDS:
                    await asyncio.sleep(SILENT_SECONDS - idle)
                    continue
                await self._connection.send_command("PING", check_health=False)
                await asyncio.sleep(ANSWER_SECONDS)
                if self._heard_at < asked_at:
                    break
        await self._connection.disconnect(nowait=True)
