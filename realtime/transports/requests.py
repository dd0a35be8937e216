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
from twisted.web import http
from zope.interface import implementer

from monitoring import metrics
from realtime.transports import heads, refusals
from realtime.transports.chunks import Chunks
from realtime.transports.logs import Sparing
from realtime.transports.refusals import Problem, Refusal
from realtime.transports.sockets import unsent

logger = logging.getLogger(__name__)

LINGER_SECONDS = 2  # so that a refusal is read before the rest of the request breaks the connection
MEMORY_BYTES = 64 * 1024  # of a body; more waits in a temporary file
# Each piece of a chunked body costs some microseconds on the event loop, however small it is.
FREE_CHUNKS, CHUNK_BYTES = 1024, 64
MAX_WAITING_PIECES = 64
REFUSED_AT_ONCE = 64  # connections beyond the limit that are told so; what comes on top is closed without a word
ROOT_PATH = b"daphne-root-path"  # by which a client, too, could say that its path is another than it seems
CLOSING = (b"connection", b"close")
CODES = {400: "bad_request", 500: "internal_error", 503: "timeout"}  # of what daphne itself finds wrong
_sparing = Sparing()


class BoundedRequest(WebRequest):
    """A request whose body is bytes, and may not outgrow the limit."""

    received = pieces = 0
    began_at: float | None = None

    def gotLength(self, length: int | None) -> None:
        if length is not None and length > self.server.body_bytes:
            raise self._too_large()
        self.content = SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115 - Twisted closes it

    def handleContentChunk(self, data: bytes) -> None:
        self.received += len(data)
        self.pieces += 1
        if self.received > self.server.body_bytes:
            raise self._too_large()
        if self.channel.length is None and self.pieces > FREE_CHUNKS + self.received // CHUNK_BYTES:
            raise Refusal(
                400, "chunks_too_small", f"The chunks of a body have {CHUNK_BYTES} bytes on average, or more."
            )
        super().handleContentChunk(data)

    def expect(self, size: int, beside: int) -> None:
        """Before a chunk comes; `beside` are the bytes that its line has too many."""
        self.received += beside
        if self.received + size > self.server.body_bytes:
            raise self._too_large()

    def _too_large(self) -> Refusal:
        return Refusal(413, "body_too_large", f"A request's body may have {self.server.body_bytes} bytes.")

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
            raise Refusal(400, "bad_handshake", "What asks for a WebSocket has no body.")
        processed = super().process()
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

    def check_timeouts(self) -> None:
        """Daphne's limit to the whole answer would cut a long download; the channel looks whether it is read."""
        if not self._response_started:
            super().check_timeouts()

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
        self.basic_error(500, b"Internal Server Error", "The server failed to answer.")


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
            self.refuse(Refusal(503, "too_many_connections", "The server has as many connections as it can."))

    def connectionLost(self, reason) -> None:
        self.factory.channels.discard(self)
        self._resolve_room()
        super().connectionLost(reason)

    def hand_over(self) -> None:
        """The connection is a WebSocket's now: leave nothing of this behind."""
        self.is_handed_over = True
        self.factory.channels.discard(self)
        self.setTimeout(None)
        self.transport.unregisterProducer()
        for request in self.requests:
            request.content.close()
        self.requests.clear()
        if self.is_refused:
            self.transport.abortConnection()

    # In

    def dataReceived(self, data: bytes) -> None:
        if self.is_refused:
            return
        if self.asked_at is None and not self._handlingRequest:
            self.asked_at = time.monotonic()
        try:
            super().dataReceived(data)
        except Refusal as refusal:
            self.refuse(refusal)
        except Exception as error:
            if self.is_handed_over:
                raise
            _sparing.tell(logger.error, type(error).__name__, "a request can't be read", exc_info=error)
            self.refuse(Refusal(500, "internal_error", "The server failed to read this request."))

    def lineReceived(self, line: bytes) -> None:
        if self._receivedHeaderSize + len(line) > self.totalHeadersSize:
            raise self._too_long()
        if line[:1] in (b" ", b"\t"):
            raise Refusal(400, "bad_header", "A line of the request's head begins with a space.")
        if line and not self._has_request_line:
            heads.check_request_line(line)
        super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        raise self._too_long()

    @property
    def _has_request_line(self) -> bool:
        return hasattr(self, "_command")

    def _too_long(self) -> Refusal:
        if self._has_request_line:
            return Refusal(431, "head_too_large", f"The headers may have {self.totalHeadersSize} bytes together.")
        return Refusal(414, "uri_too_long", f"Path and query may have {self.totalHeadersSize} bytes together.")

    def headerReceived(self, line: bytes) -> bool:
        if self._receivedHeaderCount >= self.maxHeaders:
            raise Refusal(431, "head_too_large", f"A request may have {self.maxHeaders} headers.")
        heads.check_header(line, is_framed=self._transferDecoder is not None)
        is_taken = super().headerReceived(line)
        if type(self._transferDecoder) is http._ChunkedTransferDecoder:
            self._transferDecoder = Chunks(self.requests[-1], self._finishRequestBody)
        return is_taken

    def allHeadersReceived(self) -> None:
        heads.check_whole(self.requests[-1].requestHeaders, self._version)
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
            self.refuse(Refusal(400, "short_body", "The connection ended before the request's body."))
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
        raise Refusal(400, "bad_request", "This is no request of HTTP/1.1.")

    def refuse(self, refusal: Refusal) -> None:
        """Answer at once, take no more, and close when the client has had time to read why."""
        if self.is_refused:
            return
        self.is_refused = True
        self.clearLineBuffer()
        request = self.requests[-1] if self.requests else None
        given = request and request.getHeader(b"x-request-id")
        method = getattr(self, "_command", None) or (request and request.method)
        told = refusals.answer(refusal, self.factory.problem, request_id=given and given.decode("latin1"),
                               peer=self.getPeer(), is_head=method == b"HEAD")  # fmt: skip
        self.transport.write(told)
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

    def check(self, *, arrival_seconds: float, unread_seconds: float) -> None:
        """Called every other second: end what takes too long."""
        now = time.monotonic()
        if self.asked_at is not None and not self.is_refused and now - self.asked_at > arrival_seconds:
            self.refuse(Refusal(408, "body_timeout", f"The request did not arrive within {arrival_seconds:g} s."))
        elif not unsent(self.transport):
            self.unread_at = None
        elif self.unread_at is None:
            self.unread_at = now
        elif now - self.unread_at > unread_seconds:
            self.transport.abortConnection()


class BoundedRequests(HTTPFactory):
    """Makes the channels, and knows those that are open."""

    protocol = BoundedChannel

    def __init__(self, server, problem: Problem, *, max_connections: int):
        super().__init__(server)
        self.problem, self._max_connections = problem, max_connections
        self.channels: set[BoundedChannel] = set()

    def buildProtocol(self, addr) -> BoundedChannel | None:
        if self.open() >= self._max_connections + REFUSED_AT_ONCE:
            metrics.GATE_REFUSED.labels("too_many_connections").inc()
            return None  # Twisted closes it
        channel = super().buildProtocol(addr)
        channel.requestFactory = BoundedRequest
        return channel

    def open(self) -> int:
        """Connections of every kind."""
        return len(self.channels) + self.server.ws_factory.countConnections

    def is_full(self) -> bool:
        return self.open() > self._max_connections
