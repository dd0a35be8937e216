"""A socket that listens for the web. `up` tries it too, and need not import what serves."""

import errno
import socket

from django.core.management.base import CommandError

BACKLOG = 1024


def at(host: str, port: int) -> socket.socket:
    """A listening socket, or one sentence that says why there is none."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        reason = REASONS.get(error.errno, error.strerror or str(error))
        raise CommandError(f"Can't listen on {host}:{port}: {reason}") from None


REASONS = {
    errno.EADDRINUSE: "the port is in use. Stop what uses it, or choose another with PORT=8001.",
    errno.EACCES: "ports below 1024 need more rights. Choose another with PORT=8000.",
    errno.EADDRNOTAVAIL: "this machine has no such address. Choose one with HOST=127.0.0.1.",
    socket.EAI_NONAME: "this name has no address. Choose one with HOST=127.0.0.1.",
}
