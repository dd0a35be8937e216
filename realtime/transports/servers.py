"""The servers that can carry the web process, by name. Each is a module of its own, imported when it is chosen: daphne
installs Twisted's reactor, and uvicorn needs nothing of it.

A server's `Server(application, listener, problem=, limits=, stopping=).run()` serves until SIGTERM; it offers
`finstage.raw` in the scope of its sockets, keeps to `Limits`, and calls `stopping` before it closes anything.
"""

from importlib import import_module
from typing import Any

SERVERS = {
    "daphne": "realtime.transports.daphne.server",
    "uvicorn": "realtime.transports.uvicorn.server",
}


def named(name: str) -> type[Any]:
    """The `Server` of this name."""
    return import_module(SERVERS[name]).Server
