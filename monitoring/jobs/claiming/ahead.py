"""Jobs that a worker has claimed and no thread has begun: none where jobs are long, a few where they are short."""

import threading
import time
from collections import deque

from monitoring.jobs.running.context import Current

AHEAD_SECONDS = 0.03  # so long a claimed job may wait for a thread, by what jobs took lately
AHEAD_AT_MOST = 4  # for each thread
SMOOTHING = 0.1


class Ahead:
    """A queue whose length follows from how long jobs take, and that can be taken back from."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._mean_seconds = float("inf")
        self._waiting: deque[tuple[float, Current]] = deque()
        self._there = threading.Semaphore(0)

    @property
    def most(self) -> int:
        """How many jobs to claim beyond those that threads are free for."""
        return int(min(AHEAD_AT_MOST * self._threads, self._threads * AHEAD_SECONDS / self._mean_seconds))

    def put(self, current: Current) -> None:
        self._waiting.append((time.monotonic(), current))
        self._there.release()

    def get(self) -> Current:
        """The next job, as soon as there is one."""
        while True:
            self._there.acquire()
            try:
                return self._waiting.popleft()[1]
            except IndexError:  # it was taken back
                continue

    def take_back(self, older_than_seconds: float) -> list[Current]:
        """Remove what waits for longer than was thought; jobs are claimed ahead again once they prove to be short."""
        taken, until = [], time.monotonic() - older_than_seconds
        while self._waiting and self._waiting[0][0] < until:
            try:
                taken.append(self._waiting.popleft()[1])
            except IndexError:  # a thread was faster
                break
        if taken:
            self._mean_seconds = float("inf")
        return taken

    def took(self, seconds: float) -> None:
        """Learn how long a job took."""
        seconds = max(seconds, 0.0001)
        known = self._mean_seconds != float("inf")
        self._mean_seconds = self._mean_seconds + SMOOTHING * (seconds - self._mean_seconds) if known else seconds
