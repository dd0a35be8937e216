"""HTTP connections of daphne's with limits: how much, how slowly, and how long nobody reads.

Daphne keeps a request's body whole before it tells anybody, at any size and speed, and an answer whole until it is
sent. Here a body beyond the limit or the time is refused while it arrives, and an answer is handed over as fast as the
client takes it.
"""

import asyncio
import time
from collections.abc import Callable

from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.web import http
from zope.interface import implementer

from realtime.transports.sockets import unsent

LINGER_SECONDS = 2  # so that a refusal is read before the rest of the request breaks the connection

# (status, code, detail, the request's own id) -> headers and body
Problem = Callable[[int, str, str, str | None], tuple[list[tuple[bytes, bytes]], bytes]]


class BoundedRequest(WebRequest):
    """A request whose body may not outgrow the limit."""

    received = 0

    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        if length is not None and length > self.server.body_bytes:
            self.channel.refuse(413, "body_too_large", f"A request's body may have {self.server.body_bytes} bytes.")

    def handleContentChunk(self, data: bytes) -> None:
        if self.channel.is_refused:
            return
        self.received += len(data)
        if self.received > self.server.body_bytes:
            self.channel.refuse(413, "body_too_large", f"A request's body may have {self.server.body_bytes} bytes.")
        else:
            super().handleContentChunk(data)

    def process(self):
        if not self.channel.is_refused:
            return super().process()

    async def room(self) -> None:
        """Wait until the client has taken most of what was written."""
        if (channel := getattr(self, "channel", None)) is not None:  # Twisted deletes it with the last byte
            await channel.room()

    def check_timeouts(self) -> None:
        """Daphne's limit to the whole answer would cut a long download; the channel looks whether it is read."""
        if not self._response_started:
            super().check_timeouts()


@implementer(IHalfCloseableProtocol)
class BoundedChannel(http.HTTPChannel):
    """One HTTP/1.1 connection."""

    is_refused = False
    asked_at: float | None = None  # when the request that is arriving began
    unread_at: float | None = None  # since when the client has taken nothing
    _room: asyncio.Future | None = None

    def connectionMade(self) -> None:
        super().connectionMade()
        self.factory.channels.add(self)

    def connectionLost(self, reason) -> None:
        self.factory.channels.discard(self)
        self._resolve_room()
        super().connectionLost(reason)

    def dataReceived(self, data: bytes) -> None:
        if self.is_refused:
            return
        if self.asked_at is None and not self._handlingRequest:
            self.asked_at = time.monotonic()
        super().dataReceived(data)

    def allContentReceived(self) -> None:
        self.asked_at = None
        super().allContentReceived()

    def rawDataReceived(self, data: bytes) -> None:
        if self.transport.protocol is not self:  # frames that came in one piece with the handshake
            self.transport.protocol.dataReceived(data)
        else:
            super().rawDataReceived(data)

    def readConnectionLost(self) -> None:
        """The client ended its side: in the middle of a request it is told so, else it is gone."""
        if self.asked_at is not None and self.requests and not self.is_refused:
            self.refuse(400, "short_body", "The connection ended before the request's body.")
        elif self.requests:
            self.transport.abortConnection()
        else:
            self.transport.loseConnection()  # when it has what was written

    def writeConnectionLost(self) -> None:
        """Our side ended, after a refusal."""

    def _send100Continue(self) -> None:
        if not self.is_refused:
            super()._send100Continue()

    def refuse(self, status: int, code: str, detail: str) -> None:
        """Answer at once, take no more, and close when the client has had time to read why."""
        self.is_refused = True
        given = self.requests[-1].getHeader(b"x-request-id") if self.requests else None
        headers, body = self.factory.problem(status, code, detail, given and given.decode("latin1"))
        reason = http.RESPONSES.get(status, b"Refused")
        lines = [b"HTTP/1.1 %d %s" % (status, reason), *(b"%s: %s" % header for header in headers), b"", body]
        self.transport.write(b"\r\n".join(lines))
        self.transport.loseWriteConnection()
        self.callLater(LINGER_SECONDS, self._abort)

    def _abort(self) -> None:
        if self.transport is not None and self in self.factory.channels:
            self.transport.abortConnection()

    # The answer's pace

    async def room(self) -> None:
        """Wait until the client has taken most of what was written."""
        if self._waitingForTransport and self in self.factory.channels:
            self._room = asyncio.get_running_loop().create_future()
            await self._room

    def resumeProducing(self) -> None:
        super().resumeProducing()
        self.unread_at = None
        self._resolve_room()

    def _resolve_room(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    def check(self, now: float, *, arrival_seconds: float, unread_seconds: float) -> None:
        """Called every other second: end what takes too long."""
        if self.asked_at is not None and not self.is_refused and now - self.asked_at > arrival_seconds:
            self.refuse(408, "body_timeout", f"The request did not arrive within {arrival_seconds:g} s.")
        elif not unsent(self.transport):
            self.unread_at = None
        elif self.unread_at is None:
            self.unread_at = now
        elif now - self.unread_at > unread_seconds:
            self.transport.abortConnection()


class BoundedRequests(HTTPFactory):
    """Makes the channels, and knows those that are open."""

    protocol = BoundedChannel

    def __init__(self, server, problem: Problem):
        super().__init__(server)
        self.problem = problem
        self.channels: set[BoundedChannel] = set()

    def buildProtocol(self, addr) -> BoundedChannel:
        channel = super().buildProtocol(addr)
        channel.requestFactory = BoundedRequest
        return channel

    def check(self, **limits: float) -> None:
        now = time.monotonic()
        for channel in list(self.channels):
            if channel.transport is None or channel.transport.protocol is not channel:  # a WebSocket took it over
                self.channels.discard(channel)
            else:
                channel.check(now, **limits)
