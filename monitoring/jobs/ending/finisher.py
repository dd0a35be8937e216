"""The finisher of a worker: it writes how attempts ended, as many at once as there are.

What cannot be written now, because somebody's transaction holds its row or the database is away, is set aside and
tried again a little later, and the rest goes on. Its worker holds on to it until its time is over.
"""

import heapq
import logging
import queue
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from monitoring.jobs.claiming.holding import Holding
from monitoring.jobs.database import is_locked
from monitoring.jobs.ending import endings
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.running.context import Current
from monitoring.loops import Loop

AT_ONCE = 200
ASIDE_AT_MOST = 1_000  # beyond, the one that has been tried longest is given up
FIRST_SECONDS, LONGEST_SECONDS = 0.05, 2.0  # between two tries
GIVEN_SECONDS = 30.0  # at least, also to an attempt that ended at its deadline

logger = logging.getLogger(__name__)


@dataclass(order=True)
class Unwritten:
    """An attempt that ended and whose row does not say so yet."""

    due: float  # monotonic seconds, as the others
    current: Current = field(compare=False)
    ending: Ending | None = field(compare=False)
    until: float = field(compare=False)
    tries: int = field(default=0, compare=False)


class Finisher:
    """wake_at: called with the instant at which what failed for now may be tried again."""

    def __init__(self, holding: Holding, wake_at: Callable[[datetime], None]) -> None:
        self._holding, self._wake_at = holding, wake_at
        self._ended: queue.SimpleQueue[Unwritten | None] = queue.SimpleQueue()
        self._aside: list[Unwritten] = []
        self._is_stopping = False
        self._gone = threading.Event()

    def put(self, current: Current, ending: Ending | None) -> None:
        """Write how it ended; None where nothing is left to write."""
        now = time.monotonic()
        self._ended.put(Unwritten(now, current, ending, until=max(current.deadline, now + GIVEN_SECONDS)))

    def run(self) -> None:
        with Loop("jobs: finisher", patience_seconds=60.0) as loop:
            while not self._is_stopping:
                batch = self._next()
                with loop.turn():
                    self._end(batch)
        self._gone.set()

    def stop(self, timeout_seconds: float) -> None:
        """Write what ended until now, once, and end."""
        self._ended.put(None)
        self._gone.wait(timeout_seconds)

    def _next(self) -> list[Unwritten]:
        """What ended, and what was set aside and is due; waits until there is something."""
        batch: list[Unwritten] = []
        try:
            wait = max(self._aside[0].due - time.monotonic(), 0.0) if self._aside else None
            each = self._ended.get(timeout=wait)
            while each is not None:
                batch.append(each)
                if len(batch) == AT_ONCE:
                    break
                each = self._ended.get_nowait()
            else:
                self._is_stopping = True
        except queue.Empty:
            pass
        while self._aside and len(batch) < 2 * AT_ONCE and self._aside[0].due <= time.monotonic():
            batch.append(heapq.heappop(self._aside))
        return batch

    def _end(self, batch: list[Unwritten]) -> None:
        left = {id(each.ending): each for each in batch if each.ending}
        try:
            for ending, error in endings.write([each.ending for each in left.values()]):
                self._again(left.pop(id(ending)), error)
        finally:
            for each in batch:
                if each.ending is None or id(each.ending) in left:
                    self._written(each)

    def _written(self, each: Unwritten) -> None:
        self._holding.forget(each.current, each.ending.state if each.ending else each.current.ended_as)
        if each.ending and each.ending.retry_at:
            self._wake_at(each.ending.retry_at)

    def _again(self, each: Unwritten, error: Exception) -> None:
        instead = endings.instead(each.ending, error)
        is_late = is_locked(error) and time.monotonic() >= each.until
        if instead is None or is_late:
            self._give_up(each, error)
            return
        if each.tries == 0:
            logger.warning("%s: how it ended is written later: %s", each.current.job, error)
        seconds = min(FIRST_SECONDS * 2 ** min(each.tries, 10), LONGEST_SECONDS) * random.uniform(0.5, 1.0)
        each.ending, each.tries, each.due = instead, each.tries + 1, time.monotonic() + seconds
        heapq.heappush(self._aside, each)
        if len(self._aside) > ASIDE_AT_MOST:
            oldest = min(self._aside, key=lambda other: other.until)
            self._aside.remove(oldest)
            heapq.heapify(self._aside)
            self._give_up(oldest, error)

    def _give_up(self, each: Unwritten, error: Exception) -> None:
        """Nobody holds on to it from here: its lease runs out, and it is lost and tried again like any other."""
        told = "%s: how attempt %d ended could not be written, its lease runs out: %s"
        logger.error(told, each.current.job, each.current.job.attempt, error)
        self._holding.forget(each.current)
