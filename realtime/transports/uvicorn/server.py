"""Uvicorn with the same bounds, the same raw-write port for the hub, and the same orderly end as daphne."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from email.utils import formatdate

import uvicorn

from monitoring import metrics
from realtime.connection import MAX_MESSAGE_BYTES
from realtime.transports import ending, logs
from realtime.transports.ending import Stopping
from realtime.transports.limits import FILES_OF_A_REQUEST, REFUSED_AT_ONCE, Limits, files
from realtime.transports.lives import Lives
from realtime.transports.looks import Looks, watch
from realtime.transports.refusals import Problem
from realtime.transports.uvicorn.requests import BoundedChannel
from realtime.transports.uvicorn.sockets import BoundedSocket

logger = logging.getLogger(__name__)

DATE_SECONDS = 1.0


class Server(uvicorn.Server):
    """Serves an ASGI application on a socket that already listens."""

    def __init__(
        self, application: Callable, listener: socket.socket, *, problem: Problem, limits: Limits, stopping: Stopping
    ):
        super().__init__(
            uvicorn.Config(
                application,
                loop="asyncio",
                http=BoundedChannel,
                ws=BoundedSocket,
                ws_max_size=MAX_MESSAGE_BYTES,
                ws_ping_interval=None,
                ws_per_message_deflate=False,  # compressed frames can't be shared between clients
                lifespan="on",
                proxy_headers=False,
                server_header=False,
                access_log=False,  # with every query, and what stands in it
                log_config=None,
                log_level="warning",  # as above
            )
        )
        self.listener, self.problem, self.limits, self.stopping = listener, problem, limits, stopping
        self.looks = Looks()
        self.connections = Lives(limits.left_seconds, self.looks)
        self.channels: set[BoundedChannel] = set()
        self.sockets_open: set[BoundedSocket] = set()
        self._asked_to_end = asyncio.Event()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        asyncio.run(self.serve())

    def open(self) -> int:
        """Connections of every kind."""
        return len(self.channels) + len(self.sockets_open)

    def is_full(self) -> bool:
        return self._files() > self.limits.max_files

    def is_overrun(self) -> bool:
        """Too full even to tell everybody."""
        return self._files() > self.limits.max_files + FILES_OF_A_REQUEST * REFUSED_AT_ONCE

    def _files(self) -> int:
        return files(requests=len(self.channels), sockets=len(self.sockets_open))

    async def startup(self, sockets: list | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        logs.listen(self.loop)
        metrics.CONNECTIONS.set_function(self.open)
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            raise SystemExit(1)
        self._watching = asyncio.create_task(watch(self.looks))
        self.listener.setblocking(False)
        self._port = await self.loop.create_server(lambda: BoundedChannel(self), sock=self.listener, backlog=1024)
        self.started = True
        logger.info("listening on %s", self.listener.getsockname())

    async def main_loop(self) -> None:
        """Answers say what time it is."""
        while not self._asked_to_end.is_set():
            self.server_state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked_to_end.wait(), DATE_SECONDS)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.begin_end)
        yield

    # The end

    def begin_end(self) -> None:
        """Stop accepting, let go of the clients, and end; within 5 s."""
        self._asked_to_end.set()

    async def shutdown(self, sockets: list | None = None) -> None:
        await ending.end(self)
        for channel in list(self.channels):
            channel.abort()
        await asyncio.gather(*self.connections.cancel(), return_exceptions=True)
        await self.lifespan.shutdown()

    def stop_listening(self) -> None:
        self._port.close()

    def sockets(self) -> Iterator[BoundedSocket]:
        return iter(self.sockets_open)
