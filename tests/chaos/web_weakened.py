"""A server without one of its defences: `python -m tests.chaos.web_weakened web|transports --port 8100`."""

import os
import runpy
import sys

from tests import ready  # noqa: F401 - isort: skip - first, as in every process of ours
from realtime.transports.daphne import Server  # isort: skip

from autobahn.twisted.websocket import WebSocketServerProtocol
from twisted.web.http import Request

from realtime.transports.requests import BoundedChannel, BoundedRequest
from realtime.transports.sockets import BoundedSocket


def without_bytes() -> None:
    """Forms are parsed where they arrive."""
    BoundedRequest.requestReceived = Request.requestReceived


def without_limit_to_small_frames() -> None:
    BoundedSocket.onFrameBegin = WebSocketServerProtocol.onFrameBegin


def without_handing_over() -> None:
    """What a WebSocket was before it became one stays known."""

    def keep(self: BoundedChannel) -> None:
        self.is_handed_over = True

    BoundedChannel.hand_over = keep


def without_watch() -> None:
    """The first connection that cannot be looked at ends the look at all."""

    async def look_once(self: Server) -> None:
        return None

    Server._watch = look_once


globals().get(f"without_{os.environ.get('CHAOS_WITHOUT')}", lambda: None)()

if __name__ == "__main__":
    name = sys.argv.pop(1)
    if name == "web":
        sys.argv = ["manage.py", "web", *sys.argv[1:]]
        runpy.run_path("manage.py", run_name="__main__")
    else:
        runpy.run_module("tests.realtime.transports_app", run_name="__main__")
