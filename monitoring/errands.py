"""What a process does aside: a thread that takes whatever has gathered and does it at once, so that no caller waits."""

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from monitoring import metrics
from monitoring.loops import Loop

PAUSE_SECONDS = 0.005  # after each batch, so that what comes fast gathers, and costs one turn in so long
TELL_SECONDS = 1.0  # between two tries to tell of what was lost, while nothing else is to be done


class Errands:
    """Items are put by anyone, done in batches by one thread. Beyond the limit the oldest are dropped, and a batch that
    can't be done is lost: both are counted.

    tell: called with how many were lost since it was called last, and again where that fails.
    """

    def __init__(
        self, do: Callable[[list[Any]], None], *, limit: int, tell: Callable[[int], None] = lambda _: None
    ) -> None:
        self._do, self._tell = do, tell
        self._items: deque[Any] = deque(maxlen=limit)
        self._begin()
        os.register_at_fork(after_in_child=self._begin)
        atexit.register(self.flush, 0.5)

    def put(self, *items: Any) -> None:
        with self._lock:
            self._lose(max(0, len(self._items) + len(items) - self._items.maxlen))
            self._items.extend(items)
            self._idle.clear()
        self._wake.set()
        if self._thread is None:
            self._start()

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until nothing is left to do. False when it took longer."""
        return self._thread is None or self._idle.wait(timeout_seconds)

    def _begin(self) -> None:
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._lost = 0
        self._wake, self._idle = threading.Event(), threading.Event()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"errands {self._do.__name__}", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        with Loop(f"errands {self._do.__name__}") as loop:
            while True:
                self._wake.wait(TELL_SECONDS if self._lost else None)
                self._wake.clear()
                with loop.turn():
                    self._turn()
                with self._lock:
                    if not self._items:
                        self._idle.set()
                time.sleep(PAUSE_SECONDS)

    def _turn(self) -> None:
        with self._lock:
            items = [self._items.popleft() for _ in range(len(self._items))]
        try:
            if items:
                self._do(items)
        except BaseException:
            with self._lock:
                self._lose(len(items))
            raise
        if lost := self._lost:
            self._tell(lost)
            with self._lock:
                self._lost -= lost

    def _lose(self, count: int) -> None:
        if count:
            self._lost += count
            metrics.ERRANDS_LOST.labels(self._do.__name__.strip("_")).inc(count)
