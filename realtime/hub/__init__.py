"""The fan-out: one hub a web process, with one subscription to the live channel, for all sockets of the process.

A price goes to a stream's subscribers at the next flush: at once after a quiet time, else a while after the last one,
the newest of each stream only. What must not be lost is queued for each client in order and leaves at once. Of every
stream that somebody holds the hub knows where its clients are: a hole, a lost connection to Redis or another epoch is
read again from the history, and what the history no longer has is told as a `gap`. Everything runs on the event loop's
thread.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from monitoring import loops
from monitoring import redis as connection
from realtime import kinds, messages
from realtime.clients import Client
from realtime.hub.holding import Holding
from realtime.hub.joining import Heading, Joining
from realtime.hub.listening import Listening
from realtime.hub.members import Members
from realtime.hub.reading import Reader
from realtime.hub.repair import Repair, Unreachable
from realtime.hub.status import Status
from realtime.hub.wanting import Wanting
from realtime.kinds import public
from realtime.outbox import Outbox
from realtime.shaping import Shaped, Wheel
from realtime.streams import Position

__all__ = ["Hub", "Unreachable"]

logger = logging.getLogger(__name__)

EVERYBODYS = {kind.name for kind in kinds.PUBLIC}


class Hub:
    """All clients of this process and the streams they hold. Its connections are opened for the first client."""

    def __init__(self) -> None:
        self.members = Members()
        self._wheel = Wheel(self.members.flusher.urge)
        self._tasks: list[asyncio.Task] = []

    def attach(self, client: Client) -> None:
        """Count a client in; the first one opens the subscription."""
        self.members.clients.add(client)
        if not self._tasks:
            self._open()

    def detach(self, client: Client) -> None:
        self.members.leave(client)

    async def subscribe(
        self,
        client: Client,
        asked: dict[str, str],
        since: dict[str, Position],
        *,
        id: str | int | None = None,
        starting: Sequence[str] = (),
    ) -> None:
        """Let a client hold streams (name -> mode) from the given positions, and answer it. Raises redis' errors.

        starting: the symbols that it asked for and that are to come.
        """
        await self.joining.subscribe(client, asked, since, Heading(id, starting))
        if client in self.members.clients:
            self.answer(client)

    def unsubscribe(self, client: Client, names: list[str], reason: str, *, id: str | int | None = None) -> None:
        """Take streams from a client, with what waits of them, and tell it so."""
        if client not in self.members.clients:
            return
        for stream in names:
            self.members.release(client, stream)
        client.forget(set(names))
        left = {kinds.of(stream).name for stream in client.places}
        client.asked &= left | ({messages.EVERYTHING} if left & EVERYBODYS else set())
        ended, held = sorted(map(public, names)), sorted(map(public, client.held))
        client.say(messages.unsubscribed(ended, held, reason) | ({} if id is None else {"id": id}))
        self.answer(client)

    async def has_room(self, client: Client) -> None:
        """Until so little waits for a client that a large answer may."""
        await self.joining.has_room(client)

    def configure(self, client: Client, *, batch: bool, pace_ms: int | None, fields: list[str] | None) -> None:
        """How a client gets the newest prices from now on."""
        is_plain = pace_ms is None and fields is None
        shaped = (
            Outbox() if is_plain else Shaped(client, self._wheel, (pace_ms or 0) / 1000, fields and frozenset(fields))
        )
        client.configure(shaped, batch=batch)

    async def want(self, names: Iterable[str]) -> None:
        """Streams that a client is about to hold are told from now on, though they are told only while somebody holds
        them.

        Raises Refused where there is no room for more, and redis' errors.
        """
        await self.wanting.want(names)

    def tell_status(self, client: Client) -> None:
        """Say what can come to this client, as soon as it is known, behind what was said to it already."""
        self.status.tell(client)

    def answer(self, client: Client) -> None:
        """Something was said to this client: send it now, or as soon as it reads."""
        if not client.flush():
            self.members.flusher.touch(client)

    async def shutdown(self, *, retry_after: float = 1.0) -> None:
        """Tell every client that the server stops, close it with a code that says so, and stop."""
        clients = list(self.members.clients)
        spread = (retry_after * (1 + number / len(clients)) for number in range(len(clients)))
        told = await asyncio.gather(*map(_tell_end, clients, spread), return_exceptions=True)
        for client, error in zip(clients, told, strict=True):
            if error is not None:
                logger.error("client %s could not be told of the end", client.client_id, exc_info=error)
        if self._tasks:
            await loops.end(self._tasks)
            self.reader.stop()
            await self._redis.aclose()

    def _open(self) -> None:
        self._redis = connection.async_client()
        self.reader = Reader(self._redis)
        self.repair = Repair(self.members, self.reader)
        self.holding = Holding(self.members, self._redis)
        self.status = Status(self.members, self._redis, self.answer)
        self.joining = Joining(self.members, self.reader, self.holding.tell, lambda: self.status.is_recorded)
        listening = Listening(self.members, self._look)
        self.wanting = Wanting(self.members, self._redis, lambda: self.status.is_live)
        work = (listening.go_on, self.repair.look_on, self.repair.mend_on, self.status.watch, self.holding.say_on)
        self._tasks = [asyncio.create_task(each()) for each in work]

    async def _look(self) -> None:
        await self.holding.say_all()
        await self.repair.look()


async def _tell_end(client: Client, retry_after: float) -> None:
    client.say_last(messages.server_shutdown(round(retry_after, 2)))
    await client.close(messages.CLOSE["server_shutdown"])
