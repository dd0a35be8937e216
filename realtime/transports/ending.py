"""How a server ends, whichever it is: its clients are told before anything is closed, and answers under way go out."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from realtime.connection import Wire
from realtime.messages import CLOSE
from realtime.transports.limits import LEAVE_SECONDS, TELL_SECONDS
from realtime.transports.lives import Lives

logger = logging.getLogger(__name__)

Stopping = Callable[[], Awaitable[None]]


class Ending(Protocol):
    """A server that can be ended."""

    connections: Lives
    stopping: Stopping

    def stop_listening(self) -> None: ...
    def sockets(self) -> Iterable[Wire]: ...


async def end(server: Ending) -> None:
    """Within 4 s: accept nobody, tell everybody, and wait for those who still take something."""
    logger.info("stopping")
    server.stop_listening()
    try:
        async with asyncio.timeout(TELL_SECONDS):
            await server.stopping()
    except Exception:  # the last line of defence: whatever could not be told, the process ends in time
        logger.exception("the clients could not all be told of the end")
    for socket in list(server.sockets()):
        if socket.is_established():
            socket.close(CLOSE["server_shutdown"], "server shutdown")
    loop = asyncio.get_running_loop()
    until = loop.time() + LEAVE_SECONDS
    while loop.time() < until and any(map(server.connections.is_connected, server.connections)):
        await asyncio.sleep(0.05)
