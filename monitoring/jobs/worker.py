"""What a worker process does: it hears rings, claims the best rows, runs them on its threads and writes how they ended.

    ring or a freed thread → dispatcher: claim as many rows as threads are free → runners → finisher: endings in batches

Beside them the pulse (leases, deadlines, cancels, progress) and the reaper. Any of them may meet a database that is
away: they try again, and rows whose lease ran out meanwhile are somebody else's.
"""

import heapq
import logging
import os
import queue
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import InterfaceError, OperationalError, close_old_connections, connections
from django.utils import timezone

from monitoring.jobs import declaration, doorbell, endings, isolated, ledger, running
from monitoring.jobs.context import Current
from monitoring.jobs.lane import Lane
from monitoring.jobs.ledger import Ending
from monitoring.jobs.pulse import Pulse
from monitoring.jobs.reaper import Reaper
from monitoring.loops import Loop
from monitoring.models import Job

ENDINGS_AT_ONCE = 200
RETRY_SECONDS = 1.0

logger = logging.getLogger(__name__)


@dataclass
class Counts:
    """The jobs that ended here on their own: not those that are tried again, were cancelled or given up."""

    processed: int = 0
    failed: int = 0

    def add(self, state: str) -> None:
        is_failure = state in (Job.State.FAILED, Job.State.TIMED_OUT)
        self.processed += is_failure or state == Job.State.COMPLETED
        self.failed += is_failure


class Worker:
    """Runs jobs in this process, at most `concurrency` at a time, until stopped."""

    def __init__(self, concurrency: int) -> None:
        self.id = uuid.uuid4()
        self.concurrency = concurrency
        self.held: dict[tuple, Current] = {}  # claimed and not yet written as ended, by (job, attempt)
        self.counts = Counts()
        self._busy = self._abandoned = 0
        self._is_broken = False
        self._alarms: list[datetime] = []
        self._lock = threading.Lock()
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._lane = Lane(concurrency)
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
        self._give_up([current.job for current in left])
        self._pulse.stop()
        self._endings.put(None)
        doorbell.flush()

    def _give_up(self, left: list[Job]) -> None:
        if not self._is_broken:
            ledger.release(left)
            return
        for job in left:  # one of them may have broken it: that must not go on for ever
            ledger.lose(job, "worker_broke")

    def abandon(self, current: Current, ending: Ending) -> None:
        """Its time is over: the row ends now. Its thread cannot be killed, so another takes its place."""
        current.stop("deadline_exceeded")
        with self._lock:
            if current.is_over or current.is_abandoned:
                return
            current.is_abandoned = True
            self._abandoned += 1
        if self._abandoned > self.concurrency:
            logger.critical("%d threads hang in jobs whose time is over: the worker ends", self._abandoned)
            os.kill(os.getpid(), signal.SIGTERM)
        self._endings.put((current, ending))
        self._thread("runner again", self._run)
        self._free()

    def _dispatch(self) -> None:
        with Loop("jobs: dispatcher") as loop:
            while not self._stopping.is_set():
                self._wake.wait(self._until_alarm())
                self._wake.clear()
                with loop.turn():
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
        ahead = self._lane.ahead
        free = self.concurrency + ahead - self._busy
        if free <= ahead // 2:  # some wait already: rather a batch later
            return False
        claimed = self._despite_trouble(lambda: ledger.claim(self.id, free, timezone.now())) or []
        for job in claimed:
            current = Current(job)
            with self._lock:
                self._busy += 1
                self.held[job.pk, job.attempt] = current
            self._lane.put(current)
        return len(claimed) == free

    def give_back(self, older_than_seconds: float) -> None:
        """Let others have what was claimed ahead and found no thread in time."""
        taken = self._lane.take_back(older_than_seconds)
        if not taken:
            return
        try:
            ledger.release(current.job for current in taken)
        except DatabaseTrouble:
            for current in taken:
                self._lane.put(current)
            raise
        self._drop(taken)
        self._free(len(taken))

    def _run(self) -> None:
        while True:
            current = self._lane.get()
            begun = time.monotonic()
            ending = self._ending(current)
            self._lane.took(time.monotonic() - begun)
            with self._lock:
                current.is_over = True
            if current.is_abandoned:
                with self._lock:
                    self._abandoned -= 1
                connections.close_all()
                return
            self._endings.put((current, ending))
            self._free()

    def _ending(self, current: Current) -> Ending | None:
        try:
            close_old_connections()
            return isolated.run(current) if isolated.is_needed(current.job) else running.run(current)
        except BaseException as error:
            logger.exception("%s could not be run", current.job)
            return running.failed(current.job, error)

    def _free(self, count: int = 1) -> None:
        with self._lock:
            self._busy -= count
        self._wake.set()

    def _finish(self) -> None:
        with Loop("jobs: finisher", patience_seconds=60.0) as loop:
            while first := self._endings.get():
                batch = [first]
                while len(batch) < ENDINGS_AT_ONCE and not self._endings.empty() and (more := self._endings.get()):
                    batch.append(more)
                with loop.turn():
                    self._end(batch)

    def _end(self, batch: list[tuple[Current, Ending | None]]) -> None:
        ended = [ending for _, ending in batch if ending]
        try:
            while ended and not self._write(ended):
                time.sleep(RETRY_SECONDS)
        finally:
            self._forget(batch)  # also what could not be written: its lease runs out, and it is tried again
        self._set_alarms(ended)

    def _set_alarms(self, ended: list[Ending]) -> None:
        """Be awake when what failed for now may be tried again."""
        for each in ended:
            if each.retry_at:
                heapq.heappush(self._alarms, each.retry_at)
                self._wake.set()

    def _write(self, ended: list[Ending]) -> bool:
        """Write endings. False where the database is away and it must be tried again."""
        try:
            endings.write(ended)
        except (OperationalError, InterfaceError) as error:
            logger.warning("%d endings wait for the database: %s", len(ended), error)
            connections.close_all()
            return False
        except Exception as error:
            logger.exception("%d endings could not be written", len(ended))
            return self._write_apart(ended, error)
        return True

    def _write_apart(self, ended: list[Ending], error: Exception) -> bool:
        """One of them cannot be written as it is: that one ends as failed, or when its lease runs out."""
        if len(ended) == 1:
            if ended[0].error_code == "unwritable":
                return True
            return self._write([Ending(ended[0].job, Job.State.FAILED, error_code="unwritable", error=str(error))])
        return all([self._write([each]) for each in ended])

    def _forget(self, batch: list[tuple[Current, Ending | None]]) -> None:
        self._drop(current for current, _ in batch)
        with self._lock:
            for current, ending in batch:
                self.counts.add(ending.state if ending else current.ended_as)

    def _drop(self, ended: Iterable[Current]) -> None:
        with self._lock:
            for current in ended:
                self.held.pop((current.job.pk, current.job.attempt), None)

    def _despite_trouble(self, work: Callable[[], list]) -> list | None:
        try:
            return work()
        except DatabaseTrouble as error:
            logger.warning("the database did not answer, trying again: %s", error)
            connections.close_all()
            self._stopping.wait(RETRY_SECONDS)
            self._wake.set()
            return None

    def _thread(self, name: str, loop: Callable[[], None]) -> None:
        threading.Thread(target=self._watched, args=(name, loop), name=f"jobs {name}", daemon=True).start()

    def _watched(self, name: str, loop: Callable[[], None]) -> None:
        """A worker without one of its threads is deaf or dumb: it ends, and whoever supervises it starts another."""
        try:
            loop()
        except BaseException:
            logger.critical("the %s broke, the worker ends", name, exc_info=True)
            self._is_broken = True
            os.kill(os.getpid(), signal.SIGTERM)
            raise
