"""HTTP connections of daphne's with limits: how much, how slowly, and how long nobody reads.

Daphne keeps a request's body whole before it tells anybody, at any size and speed, and an answer whole until it is
sent; Twisted parses forms on the event loop, and ends what it can't read without a word. Here a body is bytes, one
beyond the limit or the time is refused while it arrives, an answer is handed over as fast as the client takes it, and
every refusal is an answer.
"""

import asyncio
import logging
import time
from tempfile import SpooledTemporaryFile

from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.web import http, http_headers
from zope.interface import implementer

from monitoring import metrics
from realtime.transports import heads, refusals
from realtime.transports.daphne.chunks import Chunks
from realtime.transports.daphne.sockets import unsent
from realtime.transports.limits import FILES_OF_A_REQUEST, LINGER_SECONDS, MEMORY_BYTES, REFUSED_AT_ONCE, files
from realtime.transports.logs import sparing
from realtime.transports.refusals import Refusal

logger = logging.getLogger(__name__)

MAX_WAITING_PIECES = 64
ROOT_PATH = b"daphne-root-path"  # by which a client, too, could say that its path is another than it seems
CLOSING = (b"connection", b"close")
CODES = {400: "bad_request", 500: "internal_error", 503: "timeout"}  # of what daphne itself finds wrong


class BoundedRequest(WebRequest):
    """A request whose body is bytes, and may not outgrow the limit."""

    received = pieces = 0
    began_at: float | None = None

    def gotLength(self, length: int | None) -> None:
        if length is not None and length > self._most:
            raise refusals.body_too_large(self._most)
        self.content = SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115 - Twisted closes it

    def handleContentChunk(self, data: bytes) -> None:
        self.received += len(data)
        self.pieces += 1
        if self.received > self._most:
            raise refusals.body_too_large(self._most)
        if self.channel.length is None:
            refusals.check_chunks(self.pieces, self.received)
        super().handleContentChunk(data)

    def expect(self, size: int, beside: int) -> None:
        """Before a chunk comes; `beside` are the bytes that its line has too many."""
        self.received += beside
        if self.received + size > self._most:
            raise refusals.body_too_large(self._most)

    @property
    def _most(self) -> int:
        return self.server.limits.body_bytes

    def abort(self) -> None:
        if (channel := getattr(self, "channel", None)) is not None:
            channel.transport.abortConnection()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Twisted's own parses the query and forms here, before anybody could stop it. Nobody reads its `args`."""
        self.content.seek(0)
        host, path = heads.as_path(path)
        if host:
            self.requestHeaders.setRawHeaders(b"host", [host])
        self.method, self.uri, self.clientproto, self.args = command, path, version, {}
        self.path = path.partition(b"?")[0]
        self.process()

    def process(self):
        channel, self.began_at = self.channel, time.monotonic()
        self.requestHeaders.removeHeader(ROOT_PATH)
        if self.received and (self.requestHeaders.getRawHeaders(b"upgrade") or [b""])[0].lower() == b"websocket":
            raise refusals.handshake_with_body()
        processed = super().process()
        self.content.close()  # it was handed on, and its file is not the answer's time to wait for
        if getattr(channel.transport, "protocol", None) is not channel:
            channel.hand_over()
        return processed

    def handle_reply(self, message: dict) -> None:
        if (channel := getattr(self, "channel", None)) is None or channel.is_refused:
            return
        if CLOSING in message.get("headers", ()):
            channel.persistent = False
        super().handle_reply(message)

    def setResponseCode(self, code: int, message: bytes | None = None) -> None:
        super().setResponseCode(code, message or refusals.REASONS.get(code))

    async def room(self) -> None:
        """Wait until the client has taken most of what was written."""
        if (channel := getattr(self, "channel", None)) is not None:  # Twisted deletes it with the last byte
            await channel.room()

    def duration(self) -> float:
        return 0.0 if self.began_at is None else time.monotonic() - self.began_at

    def check(self, now: float) -> float | None:
        """Daphne's limit to the whole answer would cut a long download; the channel looks whether it is read."""
        if self._response_started:
            return None
        if self.duration() > self.server.http_timeout:
            super().check_timeouts()
        return (self.began_at or now) + self.server.http_timeout

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """What daphne finds wrong, in our words' shape. What has begun otherwise can only be broken off."""
        if self.finished or (channel := getattr(self, "channel", None)) is None:
            return
        if self._response_started:
            channel.transport.abortConnection()
        else:
            channel.refuse(Refusal(status, CODES.get(status, "error"), body))

    def application_ended(self, error: BaseException | None) -> None:
        """Its application is done, perhaps without an answer or with half of one."""
        self.basic_error(500, b"Internal Server Error", refusals.not_answered().detail)


@implementer(IHalfCloseableProtocol)
class BoundedChannel(http.HTTPChannel):
    """One HTTP/1.1 connection."""

    is_refused = False
    is_handed_over = False  # to a WebSocket
    asked_at: float | None = None  # when the request that is arriving began
    unread_at: float | None = None  # since when the client has taken nothing
    _room: asyncio.Future | None = None

    def connectionMade(self) -> None:
        super().connectionMade()
        self.factory.channels.add(self)
        if self.factory.is_full():
            self.refuse(refusals.too_many_connections())

    def connectionLost(self, reason) -> None:
        self._leave()
        self._resolve_room()
        super().connectionLost(reason)

    def hand_over(self) -> None:
        """The connection is a WebSocket's now: leave nothing of this behind."""
        self.is_handed_over = True
        self._leave()
        self.setTimeout(None)
        self.transport.unregisterProducer()
        for request in self.requests:
            request.content.close()
        self.requests.clear()
        if self.is_refused:
            self.transport.abortConnection()

    def _leave(self) -> None:
        self.factory.channels.discard(self)
        self.factory.server.looks.forget(self)

    # In

    def dataReceived(self, data: bytes) -> None:
        if self.is_refused:
            return
        if self.asked_at is None and not self._handlingRequest:
            self.asked_at = time.monotonic()
            self.factory.server.looks.plan_soon(self)
        try:
            super().dataReceived(data)
        except Refusal as refusal:
            self.refuse(refusal)
        except Exception as error:
            if self.is_handed_over:
                raise
            sparing.tell(logger.error, type(error).__name__, "a request can't be read", exc_info=error)
            self.refuse(refusals.not_read())

    def lineReceived(self, line: bytes) -> None:
        if self._receivedHeaderSize + len(line) > heads.MAX_HEAD_BYTES:
            raise heads.too_long(has_request_line=self._has_request_line)
        heads.check_line(line)
        if line and not self._has_request_line:
            heads.check_request_line(line)
        super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        raise heads.too_long(has_request_line=self._has_request_line)

    @property
    def _has_request_line(self) -> bool:
        return hasattr(self, "_command")

    def headerReceived(self, line: bytes) -> bool:
        if self._receivedHeaderCount >= heads.MAX_HEADERS:
            raise heads.too_many()
        heads.check_header(line, is_framed=self._transferDecoder is not None)
        is_taken = super().headerReceived(line)
        if type(self._transferDecoder) is http._ChunkedTransferDecoder:
            self._transferDecoder = Chunks(self.requests[-1], self._finishRequestBody)
        return is_taken

    def allHeadersReceived(self) -> None:
        headers = self.requests[-1].requestHeaders
        hosts, is_chunked = len(headers.getRawHeaders(b"host", [])), headers.hasHeader(b"transfer-encoding")
        heads.check_whole(hosts=hosts, is_chunked=is_chunked, version=self._version)
        super().allHeadersReceived()

    def allContentReceived(self) -> None:
        self.asked_at = None
        super().allContentReceived()

    def rawDataReceived(self, data: bytes) -> None:
        if self.is_handed_over:  # frames that came in one piece with the handshake
            if (protocol := getattr(self.transport, "protocol", None)) is not None:
                protocol.dataReceived(data)
            return
        super().rawDataReceived(data)
        if len(self._dataBuffer) > MAX_WAITING_PIECES:  # of requests behind this one; Twisted counts them each time
            self._dataBuffer = [b"".join(self._dataBuffer)]

    def readConnectionLost(self) -> None:
        """The client ended its side: in the middle of a request it is told so, else it is gone."""
        if self.asked_at is not None and self.requests and not self.is_refused:
            self.refuse(refusals.short_body())
        elif self.requests:
            self.transport.abortConnection()
        else:
            self.transport.loseConnection()  # when it has what was written

    def writeConnectionLost(self) -> None:
        """Our side ended, after a refusal."""

    def _send100Continue(self) -> None:
        if not self.is_refused:
            super()._send100Continue()

    def _respondToBadRequestAndDisconnect(self) -> None:
        """Where Twisted finds something that we did not look for."""
        raise refusals.no_request()

    def refuse(self, refusal: Refusal) -> None:
        """Answer at once, take no more, and close when the client has had time to read why."""
        if self.is_refused:
            return
        self.is_refused = True
        self.clearLineBuffer()
        request = self.requests[-1] if self.requests else None
        given = request and request.getHeader(b"x-request-id")
        method = getattr(self, "_command", None) or (request and request.method)
        told = refusals.answer(refusal, self.factory.server.problem, request_id=given and given.decode("latin1"),
                               peer=self.getPeer(), is_head=method == b"HEAD")  # fmt: skip
        self.transport.write(told)
        self.transport.loseWriteConnection()
        self.callLater(LINGER_SECONDS, self._abort)

    def _abort(self) -> None:
        if self in self.factory.channels:
            self.abort()

    def abort(self) -> None:
        self.factory.channels.discard(self)
        if self.transport is not None:
            self.transport.abortConnection()

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: http_headers.Headers) -> None:
        """In one piece: Twisted hands over four for each header, and looks at every one of them."""
        lines = [b"%b %b %b" % (version, code, reason)]
        lines += [b"%b: %b" % (name, value) for name, values in headers.getAllRawHeaders() for value in values]
        self.transport.write(b"\r\n".join([*lines, b"", b""]))

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

    def check(self, now: float) -> float | None:
        """End what takes too long: a request that arrives, or an answer. Twisted ends what is idle."""
        limits, is_idle = self.factory.server.limits, self.asked_at is None and not self.requests
        if self.asked_at is not None and not self.is_refused and now - self.asked_at > limits.arrival_seconds:
            self.refuse(refusals.arrived_late(limits.arrival_seconds))
        elif not unsent(self.transport):
            self.unread_at = None
            return None if is_idle else now
        elif self.unread_at is None:
            self.unread_at = now
        elif now - self.unread_at > limits.unread_seconds:
            self.transport.abortConnection()
        return now


class BoundedRequests(HTTPFactory):
    """Makes the channels, and knows those that are open."""

    protocol = BoundedChannel

    def __init__(self, server):
        super().__init__(server)
        self.timeOut = server.limits.idle_seconds
        self._max_files = server.limits.max_files
        self.channels: set[BoundedChannel] = set()

    def buildProtocol(self, addr) -> BoundedChannel | None:
        if self._files() >= self._max_files + FILES_OF_A_REQUEST * REFUSED_AT_ONCE:
            metrics.GATE_REFUSED.labels("too_many_connections").inc()
            return None  # Twisted closes it
        channel = super().buildProtocol(addr)
        channel.requestFactory = BoundedRequest
        return channel

    def log(self, request: BoundedRequest) -> None:
        """Twisted words a line of each request, which our log leaves out."""

    def open(self) -> int:
        """Connections of every kind."""
        return len(self.channels) + self.server.ws_factory.countConnections

    def is_full(self) -> bool:
        return self._files() > self._max_files

    def _files(self) -> int:
        return files(requests=len(self.channels), sockets=self.server.ws_factory.countConnections)
