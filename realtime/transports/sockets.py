"""A WebSocket of daphne's that costs a bounded amount of memory, however its client behaves.

Daphne bounds neither what waits to be sent nor what waits to be handled (django/daphne#170). Here a client that does
not read is dropped, and one that sends faster than its consumer works is not read from. This leans on the buffers of
Twisted's transport and on Autobahn's `sendData`, through which every frame leaves; tests/realtime/test_transports.py
holds them to it.
"""

import asyncio
import time
from collections.abc import Callable

from autobahn.twisted.websocket import ConnectionDeny
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from monitoring import metrics
from realtime import messages
from realtime.buckets import Bucket
from realtime.messages import CLOSE
from realtime.transports import refusals
from realtime.transports.refusals import Refusal

MAX_UNSENT_BYTES = 1 << 20
MAX_UNOPENED_BYTES = 64 * 1024  # what a client may send before its socket is accepted
INBOX_FULL, INBOX_ROOMY = 64, 16
SMALL_FRAMES_A_SECOND, SMALL_FRAMES_AT_ONCE = 50, 100  # pings, pongs and fragments
MAX_FRAGMENTS = 64  # of one message
NOTHING_HERE = 4404  # an application's close before it accepts
HANDSHAKE_CODES = {
    403: "refused", 404: "not_found", 405: "method_not_allowed", 500: "internal_error",
    505: "http_version_not_supported",
}  # fmt: skip


def unsent(transport) -> int:
    """Bytes that Twisted keeps until the kernel takes them."""
    return len(transport.dataBuffer) - transport.offset + transport._tempDataLen


class Inbox(asyncio.Queue):
    """Messages that the consumer has not taken yet."""

    def __init__(self, on_room: Callable[[], None]):
        super().__init__()
        self._on_room = on_room

    def _get(self) -> dict:
        item = super()._get()
        if self.qsize() == INBOX_ROOMY:
            self._on_room()
        return item


class BoundedSocket(WebSocketProtocol):
    """Daphne's protocol with bounds on both directions and a limit to silence."""

    is_full = False
    is_flooding = False
    is_counted = False
    fragments = 0  # of the message that is arriving
    heard_at = pinged_at = 0.0

    def onConnect(self, request):
        if not request.headers.get("sec-websocket-protocol", "").isascii():
            raise ConnectionDeny(400, "Sec-WebSocket-Protocol is ASCII.")
        self.heard_at = self.opened_at = time.monotonic()
        self.small_frames = Bucket(SMALL_FRAMES_A_SECOND, SMALL_FRAMES_AT_ONCE)
        return super().onConnect(request)

    def onOpen(self) -> None:
        self.is_counted = True
        metrics.WEBSOCKETS.inc()
        super().onOpen()

    def onClose(self, wasClean, code, reason) -> None:
        if self.is_counted:
            self.is_counted = False
            metrics.WEBSOCKETS.dec()
        if hasattr(self, "server"):  # else the handshake never got as far as us
            super().onClose(wasClean, code, reason)

    def sendHttpErrorResponse(self, code, reason, responseHeaders=None) -> None:
        """A handshake that fails is answered as any other refused request."""
        headers = [(name.encode(), value.encode()) for name, value in responseHeaders or []]
        refusal = Refusal(code, HANDSHAKE_CODES.get(code, "bad_handshake"), str(reason)[:200], headers)
        given = getattr(self, "http_headers", {}).get("x-request-id")
        problem = self.factory.server_class.http_factory.problem
        self.sendData(refusals.answer(refusal, problem, request_id=given, peer=self.transport.getPeer()))

    def application_ended(self, error: BaseException | None) -> None:
        """Its application is done: nobody is there for what the client says."""
        if self.state == self.STATE_CONNECTING and hasattr(self, "handshake_deferred"):
            self.handshake_deferred.errback(ConnectionDeny(500, "The server failed to answer."))
            del self.handshake_deferred
        elif self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=self.CLOSE_STATUS_CODE_INTERNAL_ERROR)

    def handle_reply(self, message: dict) -> None:
        """As daphne's; an address where nothing is is told from a client that may not enter."""
        is_refused = message["type"] == "websocket.close" and self.state == self.STATE_CONNECTING
        if is_refused and message.get("code") == NOTHING_HERE and hasattr(self, "handshake_deferred"):
            self.handshake_deferred.errback(ConnectionDeny(404, "There is no stream at this address."))
            del self.handshake_deferred
        else:
            super().handle_reply(message)

    # In

    def _dataReceived(self, data: bytes) -> None:
        if self.state != self.STATE_CONNECTING or not hasattr(self, "handshake_deferred"):
            super()._dataReceived(data)
            return
        # The handshake is being decided: parsing what follows it as another handshake would confuse Autobahn.
        self.data += data
        if len(self.data) > MAX_UNOPENED_BYTES:
            self.dropConnection(abort=True)

    def onMessage(self, payload, isBinary) -> None:
        self.heard_at = time.monotonic()
        super().onMessage(payload, isBinary)
        if not self.is_full and self.application_queue.qsize() >= INBOX_FULL:
            self.is_full = True
            self.transport.pauseProducing()

    def _max_message_size_exceeded(self, msg_size, max_msg_size, reason) -> None:
        """Too large even to be read: say so in the protocol's words before the close."""
        said = messages.error("oversized", f"A frame may have {messages.MAX_FRAME_BYTES} bytes at most.")
        self.sendMessage(messages.encode(said))
        super()._max_message_size_exceeded(msg_size, max_msg_size, reason)

    def onPong(self, payload) -> None:
        self.heard_at = time.monotonic()

    def processData(self) -> bool:
        """Open the next frame, unless the consumer has enough to do; one read may hold thousands of small frames."""
        return not self.is_full and not self.is_flooding and super().processData()

    def onFrameBegin(self) -> None:
        """Pings, pongs and fragments reach no consumer that could count them, and each costs as much as a message."""
        frame = self.current_frame
        is_control, is_close = frame.opcode > 7, frame.opcode == 8
        if not is_control:
            self.fragments = self.fragments + 1 if self.inside_message else 1
        if self.fragments > MAX_FRAGMENTS:
            self._end_flood(f"a message may have {MAX_FRAGMENTS} fragments")
        elif not is_close and (is_control or not frame.fin or self.fragments > 1) and not self.small_frames.take():
            self._end_flood(f"{SMALL_FRAMES_A_SECOND} pings, pongs and fragments a second are enough")
        else:
            super().onFrameBegin()

    def _end_flood(self, reason: str) -> None:
        """Say why, and read nothing more: what is on its way would be as much again."""
        self.is_flooding = True
        metrics.WEBSOCKETS_FLOODING.inc()
        self.sendClose(CLOSE["too_many_requests"], reason)
        self.data = b""
        self.transport.pauseProducing()

    def has_room(self) -> None:
        """The consumer has caught up: read on."""
        if self.is_full:
            self.is_full = False
            asyncio.get_running_loop().call_soon(self._read_on)

    def _read_on(self) -> None:
        if self.state in (self.STATE_OPEN, self.STATE_CLOSING) and not self.is_flooding:
            self.transport.resumeProducing()
            self.consumeData()

    # Out

    def sendData(self, data, sync=False, chopsize=None) -> None:
        super().sendData(data, sync, chopsize)
        self.drop_if_slow()

    def drop_if_slow(self) -> None:
        """Drop a client that lets too much wait. A close frame could not overtake what waits, so there is none."""
        if self.state in (self.STATE_OPEN, self.STATE_CLOSING) and unsent(self.transport) > MAX_UNSENT_BYTES:
            metrics.WEBSOCKETS_SLOW.inc()
            self.wasClean, self.wasNotCleanReason = False, "the client does not read"
            self.dropConnection(abort=True)

    def check_timeouts(self) -> None:
        """As daphne's, by a clock that nobody sets."""
        now = time.monotonic()
        if self.state == self.STATE_CONNECTING and hasattr(self, "handshake_deferred"):
            if now - self.opened_at > self.server.websocket_connect_timeout:
                self.serverReject()
        elif self.state == self.STATE_OPEN and now - self.heard_at > self.server.silence_seconds:
            metrics.WEBSOCKETS_SILENT.inc()
            self.sendClose(CLOSE["silent"], "silent for too long")
        elif self.state == self.STATE_OPEN and now - max(self.heard_at, self.pinged_at) > self.server.ping_interval:
            self.pinged_at = now
            self._sendAutoPing()


class BoundedSockets(WebSocketFactory):
    protocol = BoundedSocket


class RawPort:
    """Writes ready-made frames to a socket, past the layers that would frame them again: one system call for many.

    For the event loop's thread alone, and only between the socket's acceptance and its close.
    """

    __slots__ = ("_socket",)

    def __init__(self, socket: BoundedSocket):
        self._socket = socket

    def write(self, data: bytes) -> None:
        """Send whole frames. Does nothing once the socket closes; raises RuntimeError before it is accepted."""
        if self._socket.state == BoundedSocket.STATE_CONNECTING:
            raise RuntimeError("the socket is not accepted yet")
        if self.is_closing():
            return
        transport = self._socket.transport
        sent = 0 if unsent(transport) else _send_now(transport, data)
        if sent < len(data):
            transport.write(data[sent:])
            self._socket.drop_if_slow()

    def get_write_buffer_size(self) -> int:
        """Bytes written that the kernel has not taken."""
        return unsent(self._socket.transport)

    def is_closing(self) -> bool:
        """Whether a close was sent or received, or the connection is gone."""
        return self._socket.state != BoundedSocket.STATE_OPEN or not self._socket.transport.connected


def _send_now(transport, data: bytes) -> int:
    """How much the kernel takes at once; a broken connection takes nothing, and Twisted's own write finds out."""
    try:
        return transport.socket.send(data)
    except OSError:
        return 0
