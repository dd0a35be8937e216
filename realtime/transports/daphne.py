"""The web process's server: daphne with bounds, a raw-write port for the hub, and an orderly end."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from daphne.server import Server as Daphne  # installs Twisted's reactor, so it comes before anything of Twisted
from twisted.internet import defer, reactor

from monitoring import metrics
from monitoring.loops import Loop
from realtime.messages import CLOSE, SILENCE_SECONDS
from realtime.transports import logs
from realtime.transports.lifespan import Lifespan
from realtime.transports.lives import Lives
from realtime.transports.refusals import Problem
from realtime.transports.requests import BoundedRequests
from realtime.transports.sockets import BoundedSocket, BoundedSockets, Inbox, RawPort

logger = logging.getLogger(__name__)

RAW_PORT = "finstage.raw"
# Beyond the protocol's own limit, so that its consumer can say so; what is larger still is closed with 1009.
MAX_FRAME_BYTES = 256 * 1024
DEFAULTS = {
    "http_timeout": 120,
    "ping_interval": 20,
    "ping_timeout": 10,
    "websocket_max_message_size": MAX_FRAME_BYTES,
    "websocket_max_frame_size": MAX_FRAME_BYTES,
    "application_close_timeout": 5,
    "request_buffer_size": 64 * 1024,
    "server_name": "",
}
CHECK_SECONDS = 1.0
TELL_SECONDS, LEAVE_SECONDS = 2.0, 1.5


class Server(Daphne):
    """Serves an ASGI application on a socket that already listens."""

    def __init__(
        self,
        application: Callable,
        listener: socket.socket,
        *,
        problem: Problem,
        body_bytes: int,
        arrival_seconds: float,
        unread_seconds: float = 60,
        silence_seconds: float = SILENCE_SECONDS,
        max_connections: int = 10_000,
        **options,
    ):
        super().__init__(application, endpoints=["the listener"], **{**DEFAULTS, **options})
        self.listener, self.problem, self.max_connections = listener, problem, max_connections
        self.body_bytes, self.arrival_seconds = body_bytes, arrival_seconds
        self.unread_seconds, self.silence_seconds = unread_seconds, silence_seconds
        self.connections = Lives(self.application_close_timeout)
        self.lifespan = Lifespan(application)
        self._stopping: asyncio.Task | None = None

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        loop = reactor._asyncioEventloop
        asyncio.set_event_loop(loop)
        logs.listen(loop)
        self.ws_factory = self._socket_factory()
        self.http_factory = BoundedRequests(self, self.problem, max_connections=self.max_connections)
        metrics.CONNECTIONS.set_function(self.http_factory.open)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.begin_end)
        reactor.callWhenRunning(lambda: loop.create_task(self._begin()))
        reactor.addSystemEventTrigger("before", "shutdown", self.kill_all_applications)
        reactor.run(installSignalHandlers=False)

    def _socket_factory(self) -> BoundedSockets:
        factory = BoundedSockets(self, server=self.server_name)
        # No permessage-deflate: compressed frames can't be shared between clients.
        factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            allowNullOrigin=True,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            maxMessagePayloadSize=self.websocket_max_message_size,
            maxFramePayloadSize=self.websocket_max_frame_size,
            failByDrop=False,
        )
        return factory

    async def _begin(self) -> None:
        await self.lifespan.start()
        self._watching = asyncio.create_task(self._watch())
        self.listener.setblocking(False)
        self.port = reactor.adoptStreamPort(self.listener.fileno(), self.listener.family, self.http_factory)
        self.listener.close()  # Twisted has its own copy
        logger.info("listening on %s", self.port.getHost())

    def create_application(self, protocol, scope: dict) -> asyncio.Queue | None:
        """Daphne's own, with a bounded inbox and the raw port for sockets."""
        if protocol not in self.connections:
            return None
        scope.setdefault("asgi", {"version": "3.0"})
        queue = asyncio.Queue()
        if isinstance(protocol, BoundedSocket):
            queue = Inbox(protocol.has_room)
            scope.setdefault("extensions", {})[RAW_PORT] = RawPort(protocol)
        run = self.application(scope=scope, receive=queue.get, send=partial(self.handle_reply, protocol))
        self.connections.run(protocol, run)
        return queue

    def protocol_connected(self, protocol) -> None:
        self.connections.begin(protocol)

    def protocol_disconnected(self, protocol) -> None:
        self.connections.leave(protocol)

    async def handle_reply(self, protocol, message: dict) -> None:
        if not self.connections.is_connected(protocol):
            return
        self.check_headers_type(message)
        protocol.handle_reply(message)
        if message["type"] == "http.response.body" and message.get("more_body"):
            await protocol.room()

    async def _watch(self) -> None:
        """For as long as the process: what takes too long ends, whatever one connection's state is."""
        with Loop("connections", every_seconds=CHECK_SECONDS) as loop:
            while True:
                await asyncio.sleep(CHECK_SECONDS)
                with loop.turn():
                    self._check(loop)

    def _check(self, loop: Loop) -> None:
        limits = {"arrival_seconds": self.arrival_seconds, "unread_seconds": self.unread_seconds}
        for channel in list(self.http_factory.channels):
            with loop.one(channel), _ended_if_broken(channel, self.http_factory.channels.discard):
                channel.check(**limits)
        for protocol in list(self.connections):
            with loop.one(protocol), _ended_if_broken(protocol, self.connections.forget):
                self.connections.check(protocol)
                protocol.check_timeouts()

    # The end

    def begin_end(self) -> None:
        """Stop accepting, let go of the clients, and end; within 5 s."""
        if self._stopping is None:
            self._stopping = reactor._asyncioEventloop.create_task(self._end())

    async def _end(self) -> None:
        logger.info("stopping")
        if hasattr(self, "port"):
            self.port.stopListening()
        try:
            async with asyncio.timeout(TELL_SECONDS):
                await self.lifespan.stop()
        except TimeoutError:
            logger.warning("the application took too long to say goodbye")
        for protocol in list(self.connections):
            if isinstance(protocol, BoundedSocket) and protocol.state == BoundedSocket.STATE_OPEN:
                protocol.sendClose(CLOSE["server_shutdown"], "server shutdown")
        await self._wait_for_clients()
        reactor.stop()

    async def _wait_for_clients(self) -> None:
        """Until every socket has closed and every answer is out, or it takes too long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + LEAVE_SECONDS
        while loop.time() < until and any(map(self.connections.is_connected, self.connections)):
            await asyncio.sleep(0.05)

    def kill_all_applications(self) -> defer.Deferred:
        """As daphne's, for connections too whose application has ended already."""
        return defer.Deferred.fromFuture(asyncio.gather(*self.connections.cancel(), return_exceptions=True))


@contextmanager
def _ended_if_broken(connection, forget: Callable[[object], None]) -> Iterator[None]:
    """A connection that can't even be looked at must not be looked at for ever."""
    try:
        yield
    except Exception:
        forget(connection)
        if (transport := getattr(connection, "transport", None)) is not None:
            transport.abortConnection()
        raise
