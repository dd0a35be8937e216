"""What a worker process does: it hears rings, claims the best rows, runs them on its threads and writes how they ended.

    ring or a freed thread → dispatcher: claim as many rows as threads are free → runners → finisher: endings in batches

Beside them the pulse (leases, deadlines, cancels, progress) and the reaper. Any of them may meet a database that is
away: they try again, and rows whose lease ran out meanwhile are somebody else's.
"""

import heapq
import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import InterfaceError, OperationalError, close_old_connections, connections
from django.utils import timezone

from monitoring.jobs import declaration, doorbell, isolated, ledger, running
from monitoring.jobs.context import Current
from monitoring.jobs.ledger import Ending
from monitoring.jobs.pulse import Pulse
from monitoring.jobs.reaper import Reaper
from monitoring.models import Job

ENDINGS_AT_ONCE = 200
RETRY_SECONDS = 1.0

logger = logging.getLogger(__name__)


@dataclass
class Counts:
    processed: int = 0
    failed: int = 0


class Worker:
    """Runs jobs in this process, at most `concurrency` at a time, until stopped."""

    def __init__(self, concurrency: int) -> None:
        self.id = uuid.uuid4()
        self.concurrency = concurrency
        self.held: dict[tuple, Current] = {}  # claimed and not yet written as ended, by (job, attempt)
        self.counts = Counts()
        self._busy = 0
        self._alarms: list[datetime] = []
        self._lock = threading.Lock()
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._work: queue.SimpleQueue[Current | None] = queue.SimpleQueue()
        self._endings: queue.SimpleQueue[tuple[Current, Ending | None] | None] = queue.SimpleQueue()
        self._pulse = Pulse(self)
        self._reaper = Reaper(self.wake)

    def start(self) -> None:
        declaration.discover()
        for name, loop in [("dispatcher", self._dispatch), ("finisher", self._finish)]:
            self._thread(name, loop)
        for number in range(self.concurrency):
            self._thread(f"runner {number}", self._run)
        self._thread("pulse", self._pulse.run)
        self._thread("reaper", self._reaper.run)
        doorbell.listeners.add(self.wake)
        self.wake()
        logger.info("worker %s runs up to %d jobs at once", self.id, self.concurrency)

    def wake(self) -> None:
        """Look for work now."""
        self._wake.set()

    def stop(self) -> None:
        """Claim no more, give what runs some time to end, and give the rest back."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._wake.set()
        doorbell.listeners.discard(self.wake)
        self._reaper.stop()
        deadline = time.monotonic() + settings.JOBS_DRAIN_SECONDS
        while self.held and time.monotonic() < deadline:
            time.sleep(0.05)
        left = list(self.held.values())
        for current in left:
            current.stop("superseded")
        ledger.release(current.job for current in left)
        self._pulse.stop()
        self._endings.put(None)
        doorbell.flush()

    def abandon(self, current: Current, ending: Ending) -> None:
        """Its time is over: the row ends now. Its thread cannot be killed, so another takes its place."""
        current.stop("deadline_exceeded")
        with self._lock:
            if current.is_over or current.is_abandoned:
                return
            current.is_abandoned = True
        self._endings.put((current, ending))
        self._thread("runner again", self._run)
        self._free()

    def _dispatch(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(self._until_alarm())
            self._wake.clear()
            while not self._stopping.is_set() and self._claim():
                pass

    def _until_alarm(self) -> float | None:
        """Seconds until the next retry that was written here; None where there is none."""
        now = timezone.now()
        if self._alarms and self._alarms[0] <= now:
            heapq.heappop(self._alarms)
            return 0.0
        return (self._alarms[0] - now).total_seconds() if self._alarms else None

    def _claim(self) -> bool:
        """Claim rows for the threads that are free. True when there may be more to claim at once."""
        free = self.concurrency - self._busy
        if free <= 0:
            return False
        claimed = self._despite_trouble(lambda: ledger.claim(self.id, free, timezone.now())) or []
        for job in claimed:
            current = Current(job)
            with self._lock:
                self._busy += 1
                self.held[job.pk, job.attempt] = current
            self._work.put(current)
        return len(claimed) == free

    def _run(self) -> None:
        while current := self._work.get():
            ending = self._ending(current)
            with self._lock:
                current.is_over = True
            if current.is_abandoned:
                connections.close_all()
                return
            self._endings.put((current, ending))
            self._free()

    def _ending(self, current: Current) -> Ending | None:
        try:
            close_old_connections()
            return isolated.run(current) if isolated.is_needed(current.job) else running.run(current)
        except Exception as error:
            logger.exception("%s could not be run", current.job)
            return running.failed(current.job, error)

    def _free(self) -> None:
        with self._lock:
            self._busy -= 1
        self._wake.set()

    def _finish(self) -> None:
        while first := self._endings.get():
            batch = [first]
            while len(batch) < ENDINGS_AT_ONCE and not self._endings.empty() and (more := self._endings.get()):
                batch.append(more)
            endings = [ending for _, ending in batch if ending]
            while endings and not self._write(endings):
                time.sleep(RETRY_SECONDS)
            self._forget(batch)
            self._set_alarms(endings)

    def _set_alarms(self, endings: list[Ending]) -> None:
        """Be awake when what failed for now may be tried again."""
        for each in endings:
            if each.retry_at:
                heapq.heappush(self._alarms, each.retry_at)
                self._wake.set()

    def _write(self, endings: list[Ending]) -> bool:
        """Write endings. False where the database is away and it must be tried again."""
        try:
            close_old_connections()
            ledger.end(endings)
        except (OperationalError, InterfaceError) as error:
            logger.warning("%d endings wait for the database: %s", len(endings), error)
            return False
        except DatabaseTrouble as error:
            logger.exception("%d endings could not be written", len(endings))
            return self._write_apart(endings, error)
        return True

    def _write_apart(self, endings: list[Ending], error: Exception) -> bool:
        """One of them cannot be written as it is: that one ends as failed."""
        if len(endings) == 1:
            return self._write([Ending(endings[0].job, Job.State.FAILED, error_code="unwritable", error=str(error))])
        return all([self._write([each]) for each in endings])

    def _forget(self, batch: list[tuple[Current, Ending | None]]) -> None:
        with self._lock:
            for current, ending in batch:
                self.held.pop((current.job.pk, current.job.attempt), None)
                self.counts.processed += 1
                self.counts.failed += bool(ending and ending.state in (Job.State.FAILED, Job.State.TIMED_OUT))

    def _despite_trouble(self, work: Callable[[], list]) -> list | None:
        try:
            close_old_connections()
            return work()
        except DatabaseTrouble as error:
            logger.warning("the database did not answer, trying again: %s", error)
            self._stopping.wait(RETRY_SECONDS)
            self._wake.set()
            return None

    def _thread(self, name: str, loop: Callable[[], None]) -> None:
        threading.Thread(target=loop, name=f"jobs {name}", daemon=True).start()
