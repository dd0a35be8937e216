"""A worker process: it hears rings, claims the best rows, runs them on its threads and writes how they ended.

    ring or a freed thread → dispatcher: claim as many rows as there is room for → threads → finisher: many at once

What is claimed is the `holding`, which all of them know. Beside them the pulse (leases, deadlines, cancels, progress)
and the reaper. Any of them may meet a database that is away: they try again, and rows whose lease ran out meanwhile
are somebody else's.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import Error as DatabaseTrouble

from monitoring.jobs import declaration, doorbell
from monitoring.jobs.claiming.dispatcher import Dispatcher
from monitoring.jobs.claiming.holding import Holding
from monitoring.jobs.claiming.pulse import Pulse
from monitoring.jobs.database import is_locked
from monitoring.jobs.ending import attempts
from monitoring.jobs.ending.finisher import Finisher
from monitoring.jobs.ending.reaper import Reaper
from monitoring.jobs.running.threads import Threads

GOODBYE_SECONDS = 2.0  # for what is still on its way to a row

logger = logging.getLogger(__name__)


class Worker:
    """Runs jobs in this process, at most `concurrency` at a time, until stopped."""

    def __init__(self, concurrency: int) -> None:
        self._holding = Holding(concurrency)
        self._dispatcher = Dispatcher(self._holding)
        self._finisher = Finisher(self._holding, self._dispatcher.wake_at)
        self._threads = Threads(self._holding, self._begin, self._finisher.put)
        self._pulse = Pulse(self._holding, self._threads.abandon)
        self._reaper = Reaper(self.wake)
        self._is_broken = self._is_stopping = False

    def start(self) -> None:
        declaration.discover()
        for name, loop in [("dispatcher", self._dispatcher.run), ("finisher", self._finisher.run)]:
            self._begin(name, loop)
        self._threads.start()
        self._begin("pulse", self._pulse.run)
        self._begin("reaper", self._reaper.run)
        doorbell.listeners.add(self.wake)
        self.wake()
        logger.info("worker %s runs up to %d jobs at once", self._holding.worker, self._holding.concurrency)

    def wake(self) -> None:
        """Look for work now."""
        self._dispatcher.wake()

    def stop(self) -> None:
        """Claim no more, give what runs some time to end, and give the rest back."""
        if self._is_stopping:
            return
        self._is_stopping = True
        doorbell.listeners.discard(self.wake)
        self._dispatcher.stop()
        self._reaper.stop()
        self._part_with([self._holding.give_back])
        deadline = time.monotonic() + settings.JOBS_DRAIN_SECONDS
        while self._holding.everything() and time.monotonic() < deadline:
            time.sleep(0.05)
        self._give_up()
        self._pulse.stop()
        self._finisher.stop(GOODBYE_SECONDS)
        doorbell.flush()

    def _give_up(self) -> None:
        left = self._holding.everything()
        for current in left:
            current.stop("superseded")
        # One of them may have broken the worker: that must not go on for ever.
        give_up = partial(attempts.lose, code="worker_broke") if self._is_broken else attempts.release
        self._part_with([partial(give_up, current.job) for current in left])

    def _part_with(self, moves: list[Callable[[], object]]) -> None:
        """Whatever the database says to one: a lease that nobody extends runs out by itself."""
        for move in moves:
            try:
                move()
            except DatabaseTrouble as error:
                logger.warning("what is left of a lease has to run out: %s", error)
                if not is_locked(error):
                    return

    def _begin(self, name: str, loop: Callable[[], None]) -> None:
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
