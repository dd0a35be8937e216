"""`manage.py web`: HTTP and WebSockets, until SIGTERM."""

import gc
import logging
import os
import resource
import socket
import sys

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from finstage import answers, listening
from finstage.answers import Refused
from finstage.asgi import application, stopping
from realtime.transports import servers
from realtime.transports.limits import FILES_OF_A_REQUEST, Limits

# What a client does not take the kernel keeps too, and no limit of ours sees it: up to 4 MB each, in which prices grow
# old, and which cost the event loop a millisecond each when they are thrown away.
UNSENT_BYTES = 128 * 1024
# The event loop waits so long for each thread that computes, again and again. With eight of them, /health/live took
# 1.2 s at the 95th percentile with Python's 5 ms and 0.1 s with this, and the threads did no less.
SWITCH_SECONDS = 0.0002
# New objects before Python looks for circles among them, and how often before it looks through the older ones. A client
# that connects brings some hundred that stay: with Python's own 700 a fifth of the work was to look through them.
GARBAGE = (10_000, 10, 10)
MAX_FILES, OTHER_FILES = 65_536, 128  # that the process may open; those of them that are no client's


class Command(BaseCommand):
    help = "Serve HTTP and WebSockets."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=settings.HOST, help="Address to listen on.")
        parser.add_argument("--port", type=int, default=settings.PORT, help="Port to listen on; 0 takes a free one.")
        parser.add_argument(
            "--server",
            choices=servers.SERVERS,
            default=settings.SERVER,
            help="What carries the connections, with the same limits; FINSTAGE_SERVER names it for `up` too.",
        )
        parser.add_argument("--fd", type=int, help="Serve on this inherited descriptor, which already listens.")

    def handle(self, *, host: str, port: int, server: str, fd: int | None, **options) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        gc.freeze()  # what is imported stays: to look through it again and again costs a tenth of a second a time
        gc.set_threshold(*GARBAGE)
        listener = socket.socket(fileno=fd) if fd is not None else listening.at(host, port)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)  # accepted ones have it too
        limits = Limits(
            body_bytes=settings.GATE_BODY_BYTES,
            arrival_seconds=settings.GATE_BODY_SECONDS,
            max_files=room_for_clients(),
        )
        serve = servers.named(server)
        serve(application, listener, problem=problem, limits=limits, stopping=stopping).run()
        logging.shutdown()
        sys.stdout.flush()
        # A thread that waits for a frozen database must not hold the exit.
        os._exit(0)


def room_for_clients() -> int:
    """How many files of those that the system lets us open are the clients'."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MAX_FILES if most == resource.RLIM_INFINITY else min(most, MAX_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    room = max(FILES_OF_A_REQUEST, files - OTHER_FILES)
    logging.getLogger(__name__).info("room for %d clients", room)
    return room


def problem(status: int, code: str, detail: str, request_id: str | None) -> tuple[answers.Headers, bytes]:
    """How the server refuses what it does not hand on."""
    answer = answers.refusal(Refused(status, code, detail), answers.request_id(request_id))
    return answer.headers, answer.body.read()
