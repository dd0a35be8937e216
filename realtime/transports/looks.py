"""When each connection is looked at next, by seconds: one that is not due costs nothing, however many there are."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from monitoring.loops import Loop
from realtime.breath import Breath
from realtime.transports.limits import CHECK_SECONDS


class Watched(Protocol):
    """Something that may take too long."""

    def check(self, now: float) -> float | None:
        """End what takes too long. When it has to be looked at again, by the same clock; None: never."""

    def abort(self) -> None: ...


class Looks:
    """The plan: who is due in which second of the monotonic clock."""

    def __init__(self) -> None:
        self._seconds: dict[Watched, int] = {}
        self._due: dict[int, set[Watched]] = {}

    def plan(self, watched: Watched, at: float) -> None:
        """Look at it then, or earlier where that is planned."""
        second, planned = int(at) + 1, self._seconds.get(watched)
        if planned is not None and planned <= second:
            return
        self.forget(watched)
        self._seconds[watched] = second
        self._due.setdefault(second, set()).add(watched)

    def plan_soon(self, watched: Watched) -> None:
        self.plan(watched, time.monotonic() + CHECK_SECONDS)

    def forget(self, watched: Watched) -> None:
        if (second := self._seconds.pop(watched, None)) is None:
            return
        self._due[second].discard(watched)
        if not self._due[second]:
            del self._due[second]

    async def take(self, loop: Loop) -> None:
        """Look at all that are due, with pauses for what else there is to do."""
        breath, until = Breath(), time.monotonic()
        for second in sorted(second for second in self._due if second <= until):
            for watched in list(self._due.get(second, ())):
                if self._seconds.get(watched) == second:  # else it has ended meanwhile
                    with loop.one(watched), _ended_if_broken(watched):
                        self._look(watched)
                await breath.taken()

    def _look(self, watched: Watched) -> None:
        self.forget(watched)
        now = time.monotonic()
        if (at := watched.check(now)) is not None:
            self.plan(watched, at)


async def watch(looks: Looks) -> None:
    """For as long as the process: what takes too long ends, whatever one connection's state is."""
    with Loop("connections", every_seconds=CHECK_SECONDS) as loop:
        while True:
            await asyncio.sleep(CHECK_SECONDS - time.monotonic() % CHECK_SECONDS)  # as its second begins
            with loop.turn():
                await looks.take(loop)


@contextmanager
def _ended_if_broken(watched: Watched) -> Iterator[None]:
    """A connection that can't even be looked at is not looked at again."""
    try:
        yield
    except Exception:
        watched.abort()
        raise
