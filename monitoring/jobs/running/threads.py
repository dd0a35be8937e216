"""The threads of a worker, each of which runs one job after another."""

import logging
import os
import signal
import time
from collections.abc import Callable

from django.db import close_old_connections, connections

from monitoring.jobs.claiming.holding import Holding
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.running import body, isolated
from monitoring.jobs.running.context import Current

logger = logging.getLogger(__name__)


class Threads:
    """begin: starts a thread under a name. finish: is told how an attempt ended, None where its row says so already."""

    def __init__(
        self,
        holding: Holding,
        begin: Callable[[str, Callable[[], None]], None],
        finish: Callable[[Current, Ending | None], None],
    ) -> None:
        self._holding, self._begin, self._finish = holding, begin, finish

    def start(self) -> None:
        for number in range(self._holding.concurrency):
            self._begin(f"runner {number}", self._run)

    def abandon(self, current: Current) -> None:
        """Its time is over: the row ends now. Its thread cannot be killed, so another takes its place."""
        current.stop("deadline_exceeded")
        if not self._holding.abandon(current):
            return
        if self._holding.abandoned > self._holding.concurrency:
            logger.critical("%d threads hang in jobs whose time is over: the worker ends", self._holding.abandoned)
            os.kill(os.getpid(), signal.SIGTERM)
        self._finish(current, body.timed_out(current.job))
        self._begin("runner again", self._run)

    def _run(self) -> None:
        while True:
            current = self._holding.next()
            begun = time.monotonic()
            ending = _ending(current)
            if not self._holding.over(current, time.monotonic() - begun):
                connections.close_all()
                return
            self._finish(current, ending)


def _ending(current: Current) -> Ending | None:
    try:
        close_old_connections()
        return isolated.run(current) if isolated.is_needed(current.job) else body.run(current)
    except BaseException as error:
        logger.exception("%s could not be run", current.job)
        return body.failed(current.job, error)
