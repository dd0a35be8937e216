"""A server without one of its defences: `python -m tests.chaos.web_weakened web|transports --port 8100`."""

import runpy
import sys

from tests import ready  # noqa: F401 - isort: skip - first, as in every process of ours
from realtime.transports.daphne import server  # isort: skip

from twisted.web.http import Request

from realtime.connection import Connection
from realtime.transports.daphne.requests import BoundedChannel, BoundedRequest
from tests.chaos.defences import put, take_away


def without_bytes() -> None:
    """Forms are parsed where they arrive."""
    put(BoundedRequest, "requestReceived", Request.requestReceived)


def without_limit_to_small_frames() -> None:
    put(Connection, "admits", lambda self, **frame: True)


def without_handing_over() -> None:
    """What a WebSocket was before it became one stays known."""

    def keep(self: BoundedChannel) -> None:
        self.is_handed_over = True

    put(BoundedChannel, "hand_over", keep)


def without_watch() -> None:
    """The first connection that cannot be looked at ends the look at all."""

    async def look_at_none(watched: server.Server) -> None:
        return None

    put(server, "watch", look_at_none)


take_away(globals())

if __name__ == "__main__":
    name = sys.argv.pop(1)
    if name == "web":
        sys.argv = ["manage.py", "web", *sys.argv[1:]]
        runpy.run_path("manage.py", run_name="__main__")
    else:
        sys.argv.insert(1, "daphne")
        runpy.run_module("tests.realtime.transports_app", run_name="__main__")
