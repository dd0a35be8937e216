"""What a worker has claimed and not yet written as ended: one place that knows what is to be held on to, what waits
for a thread, and how much more may be claimed.
"""

import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from monitoring.jobs.claiming import claims
from monitoring.jobs.claiming.ahead import Ahead
from monitoring.jobs.running.context import Current
from monitoring.models import Job


@dataclass
class Counts:
    """The jobs that ended here on their own: not those that are tried again, were cancelled or given up."""

    processed: int = 0
    failed: int = 0

    def add(self, state: str) -> None:
        is_failure = state in (Job.State.FAILED, Job.State.TIMED_OUT)
        self.processed += is_failure or state == Job.State.COMPLETED
        self.failed += is_failure


class Holding:
    """The attempts of one worker. room: set whenever there may be room for another."""

    def __init__(self, concurrency: int) -> None:
        self.worker = uuid.uuid4()
        self.concurrency = concurrency
        self.counts = Counts()
        self.room = threading.Event()
        self.abandoned = 0  # attempts whose time is over and whose thread hangs in them
        self._busy = 0  # attempts that have a thread or wait for one
        self._ahead = Ahead(concurrency)
        self._attempts: dict[tuple[uuid.UUID, int], Current] = {}
        self._lock = threading.Lock()

    def everything(self) -> list[Current]:
        return list(self._attempts.values())

    def free(self) -> int:
        """How many more to claim; none where some wait already: rather a batch later."""
        ahead = self._ahead.most
        free = self.concurrency + ahead - self._busy
        return free if free > ahead // 2 else 0

    @property
    def are_short(self) -> bool:
        """Whether jobs took so little time lately that some are claimed ahead."""
        return self._ahead.most > 0

    def add(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            current = Current(job)
            with self._lock:
                self._busy += 1
                self._attempts[job.pk, job.attempt] = current
            self._ahead.put(current)

    def next(self) -> Current:
        """The next one for a thread that is free, as soon as there is one."""
        return self._ahead.get()

    def over(self, current: Current, seconds: float) -> bool:
        """Its body came back. False where it was abandoned before, and its thread has been replaced."""
        self._ahead.took(seconds)
        with self._lock:
            current.is_over = True
            if current.is_abandoned:
                self.abandoned -= 1
                return False
        self._leave()
        return True

    def abandon(self, current: Current) -> bool:
        """Its time is over: it ends now, and another thread takes the place of its own. False where it is over."""
        with self._lock:
            if current.is_over or current.is_abandoned:
                return False
            current.is_abandoned = True
            self.abandoned += 1
        self._leave()
        return True

    def forget(self, current: Current, ended_as: str = "") -> None:
        """Its row says how it ended, or it is somebody else's."""
        with self._lock:
            self._attempts.pop((current.job.pk, current.job.attempt), None)
            self.counts.add(ended_as)

    def give_back(self, older_than_seconds: float = 0.0) -> None:
        """Let others have what was claimed ahead and found no thread in time."""
        taken = self._ahead.take_back(older_than_seconds)
        try:
            while taken and claims.give_back(taken[-1].job):
                self.forget(taken.pop())
                self._leave()
        finally:
            for current in taken:  # they run here
                self._ahead.put(current)

    def _leave(self) -> None:
        with self._lock:
            self._busy -= 1
        self.room.set()
