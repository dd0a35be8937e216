"""Loops that run for as long as their process: what they stand on may be away and one element may be bad, and they
turn on. One place gives it to all:

    with Loop("relay", every_seconds=0.2, away=(RedisError,)) as loop:
        while not over.wait(loop.every_seconds):
            with loop.turn():
                for change in changes():
                    with loop.one(change):
                        tell(change)

What is skipped is logged and counted. That a loop turns is its sign of life: `faults` says which of this process do
not, and `monitoring.heartbeats` tells them to others. No Django here, and no thread: a loop may be a coroutine too.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 15.0  # so long a turn may last or be due, where its loop does not say otherwise
LINES, LINE_SECONDS = 20, 5.0  # of a loop's log: so many at once, then one in so long; a full disk helps nobody
CANCELLED_AGAIN_SECONDS = 0.2
TURNS_THAT_FAIL = 3  # in a row: then the loop is at fault, and not one turn

_running: dict[int, "Loop"] = {}


class Loop:
    """One loop of this process. It counts as running inside its `with` block.

    every_seconds: how often it turns; None where it waits for something to come, for as long as that takes.
    away: failures of what it stands on. They end the turn and say nothing against it or against an element.
    ends: what ends the loop in order, from within a turn or an element.
    """

    def __init__(
        self,
        name: str,
        *,
        every_seconds: float | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
        away: tuple[type[Exception], ...] = (),
        ends: tuple[type[Exception], ...] = (),
    ) -> None:
        self.name, self.every_seconds, self.patience_seconds = name, every_seconds, patience_seconds
        self.away, self.ends = away, ends
        self.failed = self.skipped = 0  # turns and elements, ever
        self._failing = self._skipping = 0  # in a row
        self._error = ""
        self._room, self._room_at = float(LINES), time.monotonic()
        self._is_turning = False
        self._sign_at = time.monotonic()

    def __enter__(self) -> Self:
        _running[id(self)] = self
        self._sign_at = time.monotonic()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        # One that was broken out of stays, so that somebody hears of it; a coroutine that is cancelled ends in order.
        if isinstance(error, Exception) and not isinstance(error, self.ends):
            self._error = f"it ended: {kind.__name__}"
        else:
            _running.pop(id(self), None)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One turn. Whatever breaks in it is logged, and the next one comes."""
        self._is_turning, self._sign_at = True, time.monotonic()
        try:
            yield
        except self.ends:
            raise
        except self.away as error:
            logger.warning("%s: this turn can't be: %s", self.name, error)
        except Exception as error:  # noqa: BLE001 - the last line of defence of everything that must not end
            self.fail(error)
        else:
            self._failing = 0
        finally:
            self._is_turning, self._sign_at = False, time.monotonic()

    def one(self, element: object) -> "_One":
        """One element of a turn. One that breaks is skipped, and those behind it come."""
        self._sign_at = time.monotonic()
        return _One(self, element)

    def done(self) -> None:
        """An element did not break, as `one` finds."""
        self._skipping = 0

    def skip(self, element: object, error: Exception) -> None:
        """Log and count an element that is left out, as `one` does."""
        self.skipped += 1
        self._skipping += 1
        if _is_told(self._skipping) and self._has_room():
            what = f"{self.name}: skipped {str(element)[:200]!r} ({self._skipping} in a row, {self.skipped} in all)"
            logger.error(what, exc_info=error if self._skipping == 1 else None)

    def fail(self, error: Exception) -> None:
        """Log and count a turn that broke, as `turn` does."""
        self.failed += 1
        self._failing += 1
        if _is_told(self._failing) and self._has_room():
            # The first with its traceback.
            what = f"{self.name}: a turn failed ({self._failing} in a row): {error!r}"
            logger.error(what, exc_info=error if self._failing == 1 else None)

    def fault(self) -> str | None:
        """What is wrong with it, for people: no names of people and no values of the data."""
        silent = time.monotonic() - self._sign_at
        if self._error:
            return self._error
        if silent > self.patience_seconds + (self.every_seconds or 0.0) and (self._is_turning or self.every_seconds):
            return f"no sign of life for {silent:.0f} s"
        if self._failing >= TURNS_THAT_FAIL:
            return f"the last {self._failing} turns failed"
        return None

    def _has_room(self) -> bool:
        """Whether its log may have another line now: good and bad in turn make each bad one the first of a row."""
        now = time.monotonic()
        self._room = min(LINES, self._room + (now - self._room_at) / LINE_SECONDS)
        self._room_at = now
        if self._room < 1:
            return False
        self._room -= 1
        return True


class _One:
    """The block of one element. No generator, which would cost more than most elements do."""

    __slots__ = ("_element", "_loop")

    def __init__(self, loop: Loop, element: object) -> None:
        self._loop, self._element = loop, element

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if error is None:
            self._loop.done()
            return False
        if not isinstance(error, Exception) or isinstance(error, (*self._loop.away, *self._loop.ends)):
            return False
        self._loop.skip(self._element, error)  # whatever it is, those behind it are not to blame
        return True


def running() -> list[Loop]:
    """The loops of this process."""
    return list(_running.values())


def faults() -> list[str]:
    """What is wrong with the loops of this process, a sentence each; empty where all turn."""
    return [f"{loop.name}: {fault}" for loop in running() if (fault := loop.fault())]


async def end(tasks: Iterable[asyncio.Task]) -> None:
    """Cancel coroutines until each has ended.

    Once is not enough: the `asyncio.wait_for` of Python 3.11, through which redis-py writes, drops a cancellation that
    comes as what it waits for is done.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCELLED_AGAIN_SECONDS)


def _is_told(times: int) -> bool:
    """The first, second, fourth, eighth ... of a row."""
    return times & (times - 1) == 0
