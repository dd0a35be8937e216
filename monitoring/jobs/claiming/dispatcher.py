"""The dispatcher of a worker: it hears rings and claims as many rows as there is room for."""

import heapq
import logging
import threading
from datetime import datetime

from django.db import Error as DatabaseTrouble
from django.db import connections
from django.utils import timezone

from monitoring.jobs.claiming import claims
from monitoring.jobs.claiming.holding import Holding
from monitoring.loops import Loop

RETRY_SECONDS = 1.0

logger = logging.getLogger(__name__)


class Dispatcher:
    def __init__(self, holding: Holding) -> None:
        self._holding = holding
        self._alarms: list[datetime] = []
        self._may_be_more = True  # rows that wait, behind those that there was room for
        self._stopped = threading.Event()

    def run(self) -> None:
        with Loop("jobs: dispatcher") as loop:
            while not self._stopped.is_set():
                is_alarm = not self._holding.room.wait(self._until_alarm())
                self._holding.room.clear()
                with loop.turn():
                    self._may_be_more |= is_alarm
                    while self._may_be_more and not self._stopped.is_set() and self._claim():
                        pass

    def stop(self) -> None:
        """Claim no more."""
        self._stopped.set()
        self.wake()

    def wake(self) -> None:
        """Look for work now."""
        self._may_be_more = True
        self._holding.room.set()

    def wake_at(self, instant: datetime) -> None:
        """Look for work then, too."""
        heapq.heappush(self._alarms, instant)
        self.wake()

    def _until_alarm(self) -> float | None:
        """Seconds until the next retry that was written here; None where there is none."""
        now = timezone.now()
        if self._alarms and self._alarms[0] <= now:
            heapq.heappop(self._alarms)
            return 0.0
        return (self._alarms[0] - now).total_seconds() if self._alarms else None

    def _claim(self) -> bool:
        """Claim rows for the threads that are free. True when there may be more to claim at once."""
        free = self._holding.free()
        if not free:
            return False
        self._may_be_more = False  # from here on a ring says so again
        try:
            claimed = claims.claim(self._holding.worker, free, timezone.now())
        except DatabaseTrouble as error:
            logger.warning("the database did not answer, trying again: %s", error)
            connections.close_all()
            self._stopped.wait(RETRY_SECONDS)
            self.wake()
            return False
        self._holding.add(claimed)
        self._may_be_more |= len(claimed) == free
        return self._may_be_more
