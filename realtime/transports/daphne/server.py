"""Daphne with bounds, a raw-write port for the hub, and an orderly end."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial

from daphne.server import Server as Daphne  # installs Twisted's reactor, so it comes before anything of Twisted
from twisted.internet import defer, reactor

from monitoring import metrics
from realtime.connection import CLOSE_SECONDS, MAX_MESSAGE_BYTES, RAW_PORT, RawPort
from realtime.transports import ending
from realtime.transports.daphne import failures
from realtime.transports.daphne.requests import BoundedRequests
from realtime.transports.daphne.sockets import BoundedSocket, BoundedSockets
from realtime.transports.ending import Stopping
from realtime.transports.lifespan import Lifespan
from realtime.transports.limits import Limits
from realtime.transports.lives import Lives
from realtime.transports.looks import Looks, watch
from realtime.transports.refusals import Problem

logger = logging.getLogger(__name__)


class Server(Daphne):
    """Serves an ASGI application on a socket that already listens."""

    def __init__(
        self, application: Callable, listener: socket.socket, *, problem: Problem, limits: Limits, stopping: Stopping
    ):
        super().__init__(
            application,
            endpoints=["the listener"],
            http_timeout=limits.answer_seconds,
            application_close_timeout=limits.left_seconds,
            request_buffer_size=64 * 1024,
            server_name="",
        )
        self.listener, self.problem, self.limits, self.stopping = listener, problem, limits, stopping
        self.looks = Looks()
        self.connections = Lives(limits.left_seconds, self.looks)
        self.lifespan = Lifespan(application)
        self._ending: asyncio.Task | None = None

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        loop = reactor._asyncioEventloop
        asyncio.set_event_loop(loop)
        failures.listen(loop)
        self.ws_factory = self._socket_factory()
        self.http_factory = BoundedRequests(self)
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
            autoPingTimeout=0,  # who does not answer is silent, and ends as such
            allowNullOrigin=True,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            closeHandshakeTimeout=CLOSE_SECONDS,
            maxMessagePayloadSize=MAX_MESSAGE_BYTES,
            maxFramePayloadSize=MAX_MESSAGE_BYTES,
            failByDrop=False,
        )
        return factory

    async def _begin(self) -> None:
        await self.lifespan.start()
        self._watching = asyncio.create_task(watch(self.looks))
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
            queue = protocol.life.inbox
            scope.setdefault("extensions", {})[RAW_PORT] = RawPort(protocol.life)
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

    # The end

    def begin_end(self) -> None:
        """Stop accepting, let go of the clients, and end; within 5 s."""
        if self._ending is None:
            self._ending = reactor._asyncioEventloop.create_task(self._end())

    async def _end(self) -> None:
        await ending.end(self)
        await self.lifespan.stop()
        reactor.stop()

    def stop_listening(self) -> None:
        if hasattr(self, "port"):
            self.port.stopListening()

    def sockets(self) -> Iterator[BoundedSocket]:
        return (protocol for protocol in self.connections if isinstance(protocol, BoundedSocket))

    def kill_all_applications(self) -> defer.Deferred:
        """As daphne's, for connections too whose application has ended already."""
        return defer.Deferred.fromFuture(asyncio.gather(*self.connections.cancel(), return_exceptions=True))
