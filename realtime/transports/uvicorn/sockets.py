"""A WebSocket of uvicorn's. It keeps bytes and leaves what they mean for its life to `realtime.connection`.

Uvicorn opens every frame of a read at once and answers every ping among them; here one frame after another is opened,
as long as the connection's life admits it. Its pings and its limits to silence are those of every server.
"""

from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import ProtocolError
from websockets.http11 import Request

from realtime.connection import (
    CLOSE_SECONDS,
    INTERNAL_ERROR,
    MAX_REASON_BYTES,
    MAX_UNOPENED_BYTES,
    NOTHING_HERE,
    RAW_PORT,
    Connection,
    RawPort,
)  # fmt: skip
from realtime.transports import refusals
from realtime.transports.refusals import Refusal
from realtime.transports.uvicorn import frames

OF_THE_HANDSHAKE = frozenset({b"host", b"connection", b"upgrade"})


class BoundedSocket(WebSocketsSansIOProtocol):
    """Uvicorn's protocol as a `Wire`."""

    def __init__(self, server, scope: dict[str, Any]):
        super().__init__(server.config, server.server_state, server.lifespan.state, server.loop)
        self._server = server
        self.life = Connection(self, server.limits.sockets)
        self.queue = self.life.inbox
        # The inbox is bounded by itself. Uvicorn would stop reading behind each message.
        self.read_paused = True
        self._waiting = bytearray()
        self._seen: frames.FrameHead | None = None  # the frame that is arriving, admitted already
        self._is_established = False
        self.scope = {
            **scope,
            "type": "websocket",
            "scheme": "ws",
            "subprotocols": _subprotocols(scope["headers"]),
            "extensions": {RAW_PORT: RawPort(self.life)},
        }

    def begin(self) -> None:
        """Read the handshake. Raises Refusal where it is none."""
        self.request = self._handshake()
        self.response = self.conn.accept(self.request)
        if self.response.status_code != 101:
            reason = (self.response.body or b"").decode().partition(": ")[2].strip()
            raise refusals.handshake(400, reason or "This is no handshake of WebSocket's version 13.")

    def start(self, rest: bytes) -> None:
        """Let the application decide; `rest` came in one piece with the handshake."""
        self.handshake_initiated = True
        self.queue.put_nowait({"type": "websocket.connect"})
        self._server.connections.begin(self)
        self._server.connections.run(self, self.app(self.scope, self.queue.get, self.send))
        self.data_received(rest)

    def _handshake(self) -> Request:
        lines = [b"GET / HTTP/1.1"]
        for name, value in self.scope["headers"]:
            if name in OF_THE_HANDSHAKE or name.startswith(b"sec-websocket-"):
                lines.append(name + b": " + value)
        self.conn.receive_data(b"\r\n".join([*lines, b"", b""]))
        for event in self.conn.events_received():
            return event
        raise refusals.handshake(400, "This is no handshake of a WebSocket.")

    # In

    def data_received(self, data: bytes) -> None:
        if self.life.is_cut_off or self.transport.is_closing():
            return
        self._waiting += data
        if self.is_connecting():
            if len(self._waiting) > MAX_UNOPENED_BYTES:
                self.drop()
        else:
            self._open_frames()

    def _open_frames(self) -> None:
        while self.life.is_reading and not self.transport.is_closing():
            if self._seen is None and not self._admit():
                return
            if len(self._waiting) < self._seen.whole:
                return
            frame = bytes(self._waiting[: self._seen.whole])
            del self._waiting[: self._seen.whole]
            self._seen = None
            self.conn.receive_data(frame)
            if self.conn.parser_exc is not None:
                self.handle_parser_exception()
                return
            self.handle_events()

    def _admit(self) -> bool:
        seen = frames.first(self._waiting)
        if seen is None:
            return False
        if self.life.admits(opcode=seen.opcode, is_final=seen.is_final, size=seen.size):
            self._seen = seen
            return True
        self._waiting.clear()
        return False

    def send_receive_event_to_app(self) -> None:
        before = self.queue.qsize()
        super().send_receive_event_to_app()
        if self.queue.qsize() > before:
            self.life.took()

    def handle_ping(self) -> None:
        super().handle_ping()
        self.life.wrote()

    def handle_pong(self, event) -> None:
        self.life.heard()

    def handle_close(self, event) -> None:
        self._is_established = False
        super().handle_close(event)
        self._leave()

    def handle_parser_exception(self) -> None:
        self._is_established = False
        super().handle_parser_exception()
        self._leave()

    def eof_received(self) -> None:
        """The client ended its side: it is gone."""

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_established = False
        self._seen = None
        self._waiting.clear()
        super().connection_lost(exc)
        self.conn.parser.close()  # a generator that holds what holds it
        self.life.ended()
        self._server.sockets_open.discard(self)
        self._server.connections.leave(self)

    # Out

    async def send(self, message: dict[str, Any]) -> None:
        """A close never waits behind a client that does not read; what comes after an end goes nowhere."""
        if message["type"] == "websocket.close":
            self._close_for_application(message)
            return
        await self.writable.wait()
        if not (self.is_connecting() or self.is_established()):
            return
        try:
            await super().send(message)
        except ClientDisconnected:
            return
        if message["type"] == "websocket.accept":
            self._is_established = not self.transport.is_closing()
            self.life.opened()
            self._open_frames()
        else:
            self.life.wrote()

    def _close_for_application(self, message: dict[str, Any]) -> None:
        if self.is_established():
            self.close(message.get("code") or 1000, message.get("reason") or "")
        elif self.is_connecting() and message.get("code") == NOTHING_HERE:
            self._deny(refusals.no_stream())
        elif self.is_connecting():
            self.reject()

    def _deny(self, refusal: Refusal) -> None:
        self.close_sent = self.handshake_complete = True
        given = self.request.headers.get("x-request-id")
        self.transport.write(refusals.answer(refusal, self._server.problem, request_id=given, peer=self.client[0]))
        self._leave()

    def application_ended(self, error: BaseException | None) -> None:
        """Its application is done: nobody is there for what the client says."""
        if self.is_connecting():
            self._deny(refusals.not_answered())
        elif self.is_established():
            self.close(INTERNAL_ERROR, "")

    def check(self, now: float) -> float | None:
        return self.life.check(now)

    def abort(self) -> None:
        self.transport.abort()

    def shutdown(self) -> None:
        """Uvicorn's way to end, which is not ours: see realtime.transports.ending."""

    def _leave(self) -> None:
        """Close when everything is sent, and not much later in any case."""
        self.transport.close()
        self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    # A `Wire`

    def is_connecting(self) -> bool:
        return not self.handshake_complete

    def is_established(self) -> bool:
        return self._is_established

    def unsent(self) -> int:
        return self.transport.get_write_buffer_size()

    def write(self, data: bytes) -> int:
        self.transport.write(data)
        return self.transport.get_write_buffer_size()

    def say(self, text: bytes) -> None:
        if self.is_established():
            self.conn.send_text(text)
            self._write_out()

    def ping(self) -> None:
        self.conn.send_ping(b"")
        self._write_out()

    def close(self, code: int, reason: str) -> None:
        if not self.is_established():
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        try:
            self.conn.send_close(code, reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore"))
        except ProtocolError:
            self.conn.fail(INTERNAL_ERROR)
        self._write_out()
        self._is_established, self.close_sent = False, True
        self.close_timer = self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def reject(self) -> None:
        self._deny(refusals.handshake(403, "Access denied"))

    def drop(self) -> None:
        self._is_established = False
        self.transport.abort()

    def pause(self) -> None:
        self.transport.pause_reading()

    def read_on(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()
            self._open_frames()

    def _write_out(self) -> None:
        self.transport.write(b"".join(self.conn.data_to_send()))


def _subprotocols(headers: list[tuple[bytes, bytes]]) -> list[str]:
    given = [value for name, value in headers if name == b"sec-websocket-protocol"]
    if not all(map(bytes.isascii, given)):
        raise refusals.handshake(400, "Sec-WebSocket-Protocol is ASCII.")
    return [each.strip() for value in given for each in value.decode().split(",")]
