"""A web process without one of the stream's defences: `python -m tests.chaos.stream_web_weakened web --port 8100`."""

import asyncio
import json
import runpy
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from tests import ready  # noqa: F401 - isort: skip - first, as in every process of ours
from realtime import messages, rights
from realtime.breath import SLICE_SECONDS
from realtime.clients import Client
from realtime.hub import Hub, members
from realtime.hub.members import Members
from realtime.places import Held, Place
from realtime.replay.turns import Turns
from realtime.streams import Line
from tests.chaos.defences import put, take_away


def without_places_apart() -> None:
    """A reading moves its stream past what the subscription has delivered."""
    go_on = Members.go_on

    def move_all(self: Members, stream: str, place: Place, lines: Iterable[Line]) -> None:
        main = self.held[stream].main
        if main.epoch == place.epoch:
            main.seq = max(main.seq, place.seq)
        go_on(self, stream, place, lines)

    put(Members, "go_on", move_all)


def without_waiting_lines() -> None:
    """What comes while a client joins is dropped, and nobody notices the hole by the next number."""
    put(Held, "newer", lambda self, place, reading: [])
    put(members, "_may_skip", lambda place, line: True)


def without_slow_closing() -> None:
    """Whoever does not read is waited for."""
    put(Client, "is_slow", False)


def without_farewell() -> None:
    """The server stops without a word."""

    async def stop(self: Hub, *, retry_after: float = 1.0) -> None:
        for task in self._tasks:
            task.cancel()

    put(Hub, "shutdown", stop)


def without_turns() -> None:
    """Each replay works for as long as it likes in each round of the loop."""

    @asynccontextmanager
    async def at_once(self: Turns) -> AsyncIterator[float]:
        yield time.thread_time() + SLICE_SECONDS
        await asyncio.sleep(0)

    put(Turns, "taken", at_once)


def without_looks_at_rights() -> None:
    """Who was let in stays in."""
    put(rights, "LOOK_SECONDS", 3600.0)


def without_checks() -> None:
    """What a client says is believed."""
    put(messages, "read", lambda text: json.loads(text))


if __name__ == "__main__":
    take_away(globals())
    sys.argv = ["manage.py", *sys.argv[1:]]
    runpy.run_path("manage.py", run_name="__main__")
