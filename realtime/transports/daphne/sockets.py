"""A WebSocket of daphne's. It keeps bytes and leaves what they mean for its life to `realtime.connection`.

Daphne bounds neither what waits to be sent nor what waits to be handled (django/daphne#170). Here a client that does
not read is dropped, and one that sends faster than its consumer works is not read from. This leans on the buffers of
Twisted's transport and on Autobahn's `sendData`, through which every frame leaves; tests/realtime/test_transports.py
holds them to it.
"""

from autobahn.twisted.websocket import ConnectionDeny
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from realtime.connection import INTERNAL_ERROR, MAX_REASON_BYTES, MAX_UNOPENED_BYTES, NOTHING_HERE, Connection
from realtime.transports import refusals
from realtime.transports.refusals import Refusal


def unsent(transport) -> int:
    """Bytes that Twisted keeps until the kernel takes them."""
    return len(transport.dataBuffer) - transport.offset + transport._tempDataLen


class BoundedSocket(WebSocketProtocol):
    """Daphne's protocol as a `Wire`."""

    CONFIG_ATTRS = ()  # a class has them for all its connections, see BoundedSockets
    life: Connection | None = None  # once there was a whole handshake

    def connectionMade(self) -> None:
        """Autobahn's own finds out, for its log, what nobody reads: a tenth of a millisecond."""
        self.transport.setTcpNoDelay(self.tcpNoDelay)
        self._connectionMade()

    def onConnect(self, request):
        if not request.headers.get("sec-websocket-protocol", "").isascii():
            raise ConnectionDeny(400, "Sec-WebSocket-Protocol is ASCII.")
        self.life = Connection(self, self.factory.server_class.limits.sockets)
        return super().onConnect(request)

    def onOpen(self) -> None:
        self.life.opened()
        super().onOpen()

    def onClose(self, wasClean, code, reason) -> None:
        if self.life is not None:
            self.life.ended()
        if hasattr(self, "server"):  # else the handshake never got as far as us
            super().onClose(wasClean, code, reason)

    def connectionLost(self, reason) -> None:
        """Promises of Autobahn's that know this would keep it in a circle, and nobody waits for them any more."""
        super().connectionLost(reason)
        self.is_closed = None
        self.__dict__.pop("handshake_deferred", None)

    def sendHttpErrorResponse(self, code, reason, responseHeaders=None) -> None:
        """A handshake that fails is answered as any other refused request."""
        headers = [(name.encode(), value.encode()) for name, value in responseHeaders or []]
        refusal = refusals.handshake(code, str(reason)[:200], headers)
        given = getattr(self, "http_headers", {}).get("x-request-id")
        problem = self.factory.server_class.problem
        self.sendData(refusals.answer(refusal, problem, request_id=given, peer=self.transport.getPeer()))

    def application_ended(self, error: BaseException | None) -> None:
        """Its application is done: nobody is there for what the client says."""
        if self.is_connecting():
            self._deny(refusals.not_answered())
        elif self.is_established():
            self.close(INTERNAL_ERROR, "")

    def handle_reply(self, message: dict) -> None:
        """As daphne's; where nothing is, is told from where a client may not enter, and a close has a reason."""
        is_close = message["type"] == "websocket.close"
        if is_close and self.is_connecting() and message.get("code") == NOTHING_HERE:
            self._deny(refusals.no_stream())
        elif is_close and self.is_established():
            self.close(message.get("code") or 1000, message.get("reason") or "")
        else:
            super().handle_reply(message)

    def _deny(self, refusal: Refusal) -> None:
        self.handshake_deferred.errback(ConnectionDeny(refusal.status, refusal.detail))
        del self.handshake_deferred

    # In

    def dataReceived(self, data: bytes) -> None:
        """Autobahn's own without its log."""
        self._dataReceived(data)

    def _dataReceived(self, data: bytes) -> None:
        if self.life is not None and self.life.is_cut_off:
            return
        if not self.is_connecting():
            super()._dataReceived(data)
            return
        # The handshake is being decided: parsing what follows it as another handshake would confuse Autobahn.
        self.data += data
        if len(self.data) > MAX_UNOPENED_BYTES:
            self.dropConnection(abort=True)

    def onMessage(self, payload, isBinary) -> None:
        super().onMessage(payload, isBinary)
        self.life.took()

    def onPong(self, payload) -> None:
        self.life.heard()

    def processData(self) -> bool:
        return (self.life is None or self.life.is_reading) and super().processData()

    def onFrameBegin(self) -> None:
        frame = self.current_frame
        if self.life.admits(opcode=frame.opcode, is_final=frame.fin, size=frame.length):
            super().onFrameBegin()
        else:
            self.data = b""

    # Out

    def sendData(self, data, sync=False, chopsize=None) -> None:
        """Autobahn's own without its log, and without a turn of the loop in which Twisted waits to write."""
        if not self.transport.connected:
            return
        self.write(data)
        if self.life is not None:
            self.life.wrote()

    def check(self, now: float) -> float | None:
        return self.life.check(now)

    def abort(self) -> None:
        self.transport.abortConnection()

    # A `Wire`

    def is_connecting(self) -> bool:
        return self.state == self.STATE_CONNECTING and hasattr(self, "handshake_deferred")

    def is_established(self) -> bool:
        return self.state == self.STATE_OPEN and self.transport.connected

    def unsent(self) -> int:
        return unsent(self.transport)

    def write(self, data: bytes) -> int:
        sent = 0 if self.unsent() else _send_now(self.transport, data)
        if sent == len(data):
            return 0
        self.transport.write(data[sent:])
        return self.unsent()

    def say(self, text: bytes) -> None:
        if self.is_established():
            self.sendMessage(text)

    def ping(self) -> None:
        self._sendAutoPing()

    def close(self, code: int, reason: str) -> None:
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=code, reasonUtf8=reason.encode()[:MAX_REASON_BYTES])

    def reject(self) -> None:
        self.serverReject()

    def drop(self) -> None:
        self.wasClean, self.wasNotCleanReason = False, "the client does not read"
        self.dropConnection(abort=True)

    def pause(self) -> None:
        self.transport.pauseProducing()

    def read_on(self) -> None:
        if self.state in (self.STATE_OPEN, self.STATE_CLOSING):
            self.transport.resumeProducing()
            self.consumeData()


class BoundedSockets(WebSocketFactory):
    """Makes the sockets. What Autobahn would copy into each of them, and print for its log, all have of their class."""

    def setProtocolOptions(self, **options) -> None:
        super().setProtocolOptions(**options)
        values = {name: getattr(self, name) for name in WebSocketProtocol.CONFIG_ATTRS}
        own = {name: staticmethod(value) if callable(value) else value for name, value in values.items()}
        self.protocol = type("BoundedSocket", (BoundedSocket,), own)


def _send_now(transport, data: bytes) -> int:
    """How much the kernel takes at once; a broken connection takes nothing, and Twisted's own write finds out."""
    try:
        return transport.socket.send(data)
    except OSError:
        return 0
