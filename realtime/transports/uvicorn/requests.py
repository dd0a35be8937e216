"""HTTP connections of uvicorn's with limits: how much, how slowly, and how long nobody reads.

Uvicorn's own bounds neither what a head says nor the time that a request takes to arrive, starts an application before
its body is there, and ends what it can't read with words of its own. Here a request is weighed while it comes in,
handed on when it is whole, and every refusal is an answer.
"""

import logging
import time
from urllib.parse import unquote

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from monitoring import metrics
from realtime.transports import refusals
from realtime.transports.heads import as_path
from realtime.transports.limits import LINGER_SECONDS
from realtime.transports.logs import sparing
from realtime.transports.refusals import Refusal
from realtime.transports.uvicorn.arriving import Body, Head
from realtime.transports.uvicorn.exchanges import Exchange
from realtime.transports.uvicorn.sockets import BoundedSocket

logger = logging.getLogger(__name__)

MAX_WAITING_BYTES = 64 * 1024  # of requests behind the one that is answered
PIECE_BYTES = 16 * 1024  # of a body, between two looks whether it is too much


class BoundedChannel(H11Protocol):
    """One HTTP/1.1 connection."""

    def __init__(self, server):
        super().__init__(server.config, server.server_state, server.lifespan.state, server.loop)
        self._server, self.limits = server, server.limits
        self.is_refused = False
        self._waiting = bytearray()  # arrived, and not read yet
        self._head: Head | None = None  # of the request that arrives
        self._body: Body | None = None  # the same, when its head is there
        self._asked_at: float | None = None  # when the request that is arriving began
        self._idle_at = time.monotonic()
        self._unread_at: float | None = None  # since when the client has taken nothing

    def connection_made(self, transport) -> None:
        super().connection_made(transport)
        self._server.channels.add(self)
        self._server.looks.plan(self, self._idle_at + self.limits.idle_seconds)
        if self._server.is_overrun():
            metrics.GATE_REFUSED.labels("too_many_connections").inc()
            transport.abort()
        elif self._server.is_full():
            self.refuse(refusals.too_many_connections())

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)
        self._waiting.clear()
        self._drop_body()
        self._end_exchange()

    def _leave(self) -> None:
        self._server.channels.discard(self)
        self._server.looks.forget(self)

    # In

    def data_received(self, data: bytes) -> None:
        if self.is_refused:
            return
        self._waiting += data
        self._read()
        if len(self._waiting) > MAX_WAITING_BYTES:
            self.flow.pause_reading()

    def _read(self) -> None:
        try:
            while self._waiting and self.cycle is None and not self.is_refused:
                if not self._read_on():
                    return
        except Refusal as refusal:
            self.refuse(refusal)
        except h11.RemoteProtocolError:
            self.refuse(refusals.no_request())
        except Exception as error:  # noqa: BLE001 - the last line of defence: whatever it is, it is this client's alone
            sparing.tell(logger.error, type(error).__name__, "a request can't be read", exc_info=error)
            self.refuse(refusals.not_read())

    def _read_on(self) -> bool:
        """Whether there may be more to read in what waits."""
        if self._asked_at is None:
            self._asked_at = time.monotonic()
            self._server.looks.plan_soon(self)
        if self._body is None:
            self._head = self._head or Head()
            if (head := self._head.take(self._waiting)) is None:
                return False
            self._expect_body(head)
        else:
            piece = bytes(self._waiting[:PIECE_BYTES])
            del self._waiting[:PIECE_BYTES]
            self._body.arrived(len(piece))
            self.conn.receive_data(piece)
        return self._take_events()

    def _expect_body(self, head: bytes) -> None:
        self._body = Body(self.limits.body_bytes, self._head)
        self.conn = h11.Connection(h11.SERVER, max_incomplete_event_size=len(head) + 1024)
        self.conn.receive_data(head)

    def _take_events(self) -> bool:
        while (event := self.conn.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Request):
                self._begin(event)
            elif isinstance(event, h11.Data):
                self._body.take(event)
            elif isinstance(event, h11.EndOfMessage):
                self._waiting[:0] = self.conn.trailing_data[0]
                self._hand_on()
                return True
            else:
                return False
        return bool(self._waiting)

    def _begin(self, event: h11.Request) -> None:
        self.headers = [(name.lower(), value) for name, value in event.headers if b"_" not in name]  # CVE-2015-0219
        host, target = as_path(event.target)
        if host:
            others = [(name, value) for name, value in self.headers if name != b"host"]
            self.headers = [(b"host", host), *others]
        path, _, query = target.partition(b"?")
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": event.http_version.decode("ascii"),
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "method": event.method.decode("ascii"),
            "root_path": "",
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "headers": self.headers,
            "state": self.app_state.copy(),
        }
        if self.conn.they_are_waiting_for_100_continue:
            self.transport.write(self.conn.send(h11.InformationalResponse(status_code=100, headers=[])))

    def _hand_on(self) -> None:
        """A whole request, to the application or to a WebSocket."""
        self._asked_at = None
        if self._get_upgrade() == b"websocket":
            self._become_socket()
            return
        body, self._body = self._body, None
        self.cycle = Exchange(self, body)
        self._server.connections.begin(self.cycle)
        self._server.connections.run(self.cycle, self.app(self.scope, self.cycle.receive, self.cycle.send))

    def _become_socket(self) -> None:
        """The connection is a WebSocket's now: leave nothing of this behind."""
        if self._body.received:
            raise refusals.handshake_with_body()
        if self.scope["method"] != "GET":
            raise Refusal(405, "method_not_allowed", "A WebSocket is asked for by GET.")
        socket = BoundedSocket(self._server, self.scope)
        socket.connection_made(self.transport)
        try:
            socket.begin()
        except Refusal:
            self.connections.discard(socket)
            raise
        self.connections.discard(self)
        self._leave()
        self._server.sockets_open.add(socket)
        self._drop_body()
        self.transport.set_protocol(socket)
        rest = bytes(self._waiting)
        self._waiting.clear()
        self.is_refused = True  # nothing more is read here
        socket.start(rest)

    def _drop_body(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None

    def eof_received(self) -> bool:
        """The client ended its side: in the middle of a request it is told so, else it is gone."""
        if self.cycle is not None:
            self.transport.abort()
        elif self._body is not None and not self.is_refused:
            self.refuse(refusals.short_body())
            return True
        return False  # it closes when it has what was written

    def refuse(self, refusal: Refusal) -> None:
        """Answer at once, take no more, and close when the client has had time to read why."""
        if self.is_refused:
            return
        self.is_refused = True
        self._waiting.clear()
        head = self._head or Head()
        peer = self.client[0] if self.client else "?"
        told = refusals.answer(refusal, self._server.problem, request_id=head.request_id, peer=peer,
                               is_head=head.is_by_head)  # fmt: skip
        self.transport.write(told)
        self.transport.write_eof()
        self._drop_body()
        self._end_exchange()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    # Out

    def on_response_complete(self) -> None:
        """The answer is out; the next request may wait already."""
        self._end_exchange()
        self._head = None
        self._idle_at = time.monotonic()
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        self._read()

    def _end_exchange(self) -> None:
        if self.cycle is not None:
            exchange, self.cycle = self.cycle, None
            exchange.end()
            self._server.connections.leave(exchange)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread_at = None

    def abort(self) -> None:
        self._server.channels.discard(self)
        if self.transport is not None:
            self.transport.abort()

    def shutdown(self) -> None:
        """Uvicorn's way to end, which is not ours: see realtime.transports.ending."""

    def check(self, now: float) -> float | None:
        """End what takes too long: a request that arrives, an answer, and nothing at all."""
        if self.is_refused:
            return None
        if self._asked_at is not None and now - self._asked_at > self.limits.arrival_seconds:
            self.refuse(refusals.arrived_late(self.limits.arrival_seconds))
        elif self.transport.get_write_buffer_size():
            self._unread_at = self._unread_at or now
            if now - self._unread_at > self.limits.unread_seconds:
                self.transport.abort()
        else:
            self._unread_at = None
            if self.cycle is None and self._asked_at is None:
                return self._check_idle(now)
        return now

    def _check_idle(self, now: float) -> float:
        over_at = self._idle_at + self.limits.idle_seconds
        if now >= over_at:
            self.transport.close()
        return max(now, over_at)
