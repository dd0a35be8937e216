"""The dispatcher of a worker: it hears rings and claims as many rows as there is room for."""

import heapq
import logging
import threading
import time
from datetime import datetime

from django.db import Error as DatabaseTrouble
from django.db import connections
from django.utils import timezone

from monitoring.jobs.claiming import claims
from monitoring.jobs.claiming.holding import Holding
from monitoring.jobs.claiming.waking import Waking
from monitoring.loops import Loop

RETRY_SECONDS = 1.0

logger = logging.getLogger(__name__)


class Dispatcher:
    def __init__(self, holding: Holding) -> None:
        self._holding, self._waking = holding, Waking()
        self._alarms: list[datetime] = []
        self._look_at = float("inf")  # monotonic seconds
        self._may_be_more = True  # rows that wait, behind those that there was room for
        self._stopped = threading.Event()

    def run(self) -> None:
        with Loop("jobs: dispatcher") as loop:
            while not self._stopped.is_set():
                self._holding.room.wait(self._until_due())
                self._holding.room.clear()
                with loop.turn():
                    self._may_be_more |= self._is_due()
                    while self._may_be_more and not self._stopped.is_set() and self._claim():
                        pass
        self._waking.sleep(looks=False)

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

    def _until_due(self) -> float | None:
        """Seconds until the next look that nobody rings for: a retry that was written here, or as it is awake."""
        alarm = (self._alarms[0] - timezone.now()).total_seconds() if self._alarms else float("inf")
        seconds = min(alarm, self._look_at - time.monotonic())
        return max(seconds, 0.0) if seconds < float("inf") else None

    def _is_due(self) -> bool:
        is_alarm = bool(self._alarms) and self._alarms[0] <= timezone.now()
        if is_alarm:
            heapq.heappop(self._alarms)
        return is_alarm or self._look_at <= time.monotonic()

    def _claim(self) -> bool:
        """Claim rows for the threads that are free. True when there may be more to claim at once."""
        free = self._holding.free()
        if not free:
            self._looked(0, free)
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
        self._looked(len(claimed), free)
        self._may_be_more |= len(claimed) == free or self._is_due()
        return self._may_be_more

    def _looked(self, found: int, free: int) -> None:
        seconds = self._waking.looked(found, has_room=found < free, is_short=self._holding.are_short)
        self._look_at = float("inf") if seconds is None else time.monotonic() + seconds
