"""`manage.py web`: HTTP and WebSockets, until SIGTERM."""

import errno
import logging
import os
import resource
import socket
import sys

# Before anything that might touch Twisted.
from realtime.transports.daphne import Server  # isort: skip

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from finstage import answers
from finstage.answers import Refused
from finstage.asgi import application

BACKLOG = 1024
# The event loop waits so long for each thread that computes, again and again. With eight of them, /health/live took
# 1.2 s at the 95th percentile with Python's 5 ms and 0.1 s with this, and the threads did no less.
SWITCH_SECONDS = 0.0002
MAX_FILES, OTHER_FILES = 65_536, 128  # that the process may open; those of them that are no client's


class Command(BaseCommand):
    help = "Serve HTTP and WebSockets."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=settings.HOST, help="Address to listen on.")
        parser.add_argument("--port", type=int, default=settings.PORT, help="Port to listen on; 0 takes a free one.")
        parser.add_argument("--fd", type=int, help="Serve on this inherited descriptor, which already listens.")

    def handle(self, *, host: str, port: int, fd: int | None, **options) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        listener = socket.socket(fileno=fd) if fd is not None else listen(host, port)
        Server(
            application,
            listener,
            problem=problem,
            body_bytes=settings.GATE_BODY_BYTES,
            arrival_seconds=settings.GATE_BODY_SECONDS,
            max_connections=room_for_connections(),
        ).run()
        logging.shutdown()
        sys.stdout.flush()
        # A thread that waits for a frozen database must not hold the exit.
        os._exit(0)


def room_for_connections() -> int:
    """How many clients fit into the files that the system lets us open: each may need one more for its body."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MAX_FILES if most == resource.RLIM_INFINITY else min(most, MAX_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    connections = max(1, (files - OTHER_FILES) // 2)
    logging.getLogger(__name__).info("room for %d connections", connections)
    return connections


def listen(host: str, port: int) -> socket.socket:
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


def problem(status: int, code: str, detail: str, request_id: str | None) -> tuple[answers.Headers, bytes]:
    """How the server refuses what it does not hand on."""
    answer = answers.refusal(Refused(status, code, detail), answers.request_id(request_id))
    return answer.headers, answer.body.read()
