"""The reaper looks, every few seconds and in every worker, for jobs that everybody forgot: rows that wait unheard, rows
whose worker died and rows that are long past their deadline. It needs no broker and no beat.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils import timezone

from monitoring import place
from monitoring.jobs import database
from monitoring.jobs.claiming import claims
from monitoring.jobs.claiming.clock import CLOCKS_APART, Watch
from monitoring.jobs.database import is_locked, update_free
from monitoring.jobs.ending import attempts
from monitoring.jobs.running.body import timed_out
from monitoring.loops import Loop
from monitoring.models import Job, Worker, ids_from

EVERY_SECONDS = 1.5
AT_ONCE = 200
REMEMBERED = timedelta(hours=1)  # a worker that was silent for longer has lost its jobs already
# A deadline is kept by the worker itself; the reaper comes later, for workers that cannot.
MERCY = timedelta(seconds=5)
UNKNOWN_FOR = timedelta(minutes=1)  # a job that nobody knows is told of after that
LONGEST_RETRY = timedelta(hours=2)  # no failure asks for another attempt later than this

logger = logging.getLogger(__name__)
loop = Loop("jobs: reaper", every_seconds=EVERY_SECONDS, patience_seconds=60.0, away=(OperationalError, InterfaceError))


class Reaper:
    """wake: called when rows wait that may be claimed now."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._stopped = threading.Event()
        self._last_round, self._clock = time.monotonic(), Watch()
        self._no_reaping_before = 0.0
        self._told: set[str] = set()

    def run(self) -> None:
        with loop:
            while not self._stopped.wait(EVERY_SECONDS * random.uniform(0.8, 1.2)):
                with loop.turn():
                    close_old_connections()
                    self.round(timezone.now())

    def stop(self) -> None:
        self._stopped.set()

    def round(self, now: datetime) -> None:
        """Each step on its own: what keeps one from its rows keeps no other from theirs."""
        _step(claims.take_up)
        _step(self._tell_of_unknown, now)
        _step(self._wake_for_due, now)
        _step(bury, now)
        _step(lambda: heal(database.now()))  # a machine whose clock is behind takes all others for ahead
        if self._is_fair():
            _step(expire, now)

    def _wake_for_due(self, now: datetime) -> None:
        if Job.objects.due(now).exists():
            self._wake()

    def _tell_of_unknown(self, now: datetime) -> None:
        """That jobs wait which nobody knows: right in the middle of a deploy, and wrong when it lasts."""
        names = claims.left_since(now - UNKNOWN_FOR)
        for name in sorted(names - self._told):
            told = "Jobs wait, and no worker that looked knows %s: start one of a version that does, or cancel them."
            logger.warning(told, name)
        self._told = names

    def _is_fair(self) -> bool:
        """Not right after a time in which nobody could extend a lease, such as a database that was frozen, nor after
        the clock was set: leases are instants of the clock before.
        """
        now, lease = time.monotonic(), claims.LEASE.total_seconds()
        if now - self._last_round > lease / 2 or self._clock.moved():
            self._no_reaping_before = now + lease
        self._last_round = now
        return now >= self._no_reaping_before


def _step(step: Callable[..., object], *arguments: datetime) -> None:
    with loop.one(step.__name__):
        try:
            step(*arguments)
        except OperationalError as error:
            if not is_locked(error):
                raise
            logger.warning("%s: its rows are locked, the next round tries again: %s", step.__name__, error)


def bury(now: datetime) -> None:
    """Take jobs at once from workers of this machine whose process is gone."""
    alive = Worker.objects.filter(stopped_at=None, lost_at=None, heartbeat_at__gt=now - REMEMBERED)
    neighbours = alive.filter(place=place.here())
    for worker in neighbours:
        with loop.one(worker.pk):
            if place.is_gone(worker):
                _bury(worker, now)


def _bury(worker: Worker, now: datetime) -> None:
    for job in Job.objects.running().filter(worker=worker.pk)[:AT_ONCE]:
        with loop.one(job):
            _lose(job)
    if not Job.objects.running().filter(worker=worker.pk).exists():
        update_free(Worker.objects.filter(pk=worker.pk), lost_at=now)


def heal(now: datetime) -> None:
    """Bring back what a clock dated that was ahead: such a job would wait, or be held, until that time comes."""
    update_free(Job.objects.running().filter(lease_until__gt=now + 2 * claims.LEASE), lease_until=now + claims.LEASE)
    waiting = Job.objects.filter(lane__isnull=False, not_before__gt=now)
    ahead = now + CLOCKS_APART  # asked of the key first: most of what waits was made before, and none of it is read
    for job in waiting.filter(pk__gte=ids_from(ahead), created_at__gt=ahead)[:AT_ONCE]:
        at = max(now, now + (job.not_before - job.created_at))
        update_free(waiting.filter(pk=job.pk, created_at=job.created_at), not_before=at, created_at=now)
    again = waiting.filter(state=Job.State.RETRYING, not_before__gt=now + LONGEST_RETRY)
    for job in again[:AT_ONCE]:
        update_free(again.filter(pk=job.pk), not_before=now)


def expire(now: datetime) -> None:
    """Take jobs from workers that stopped holding on to them, and end those whose time is long over."""
    running = Job.objects.running()
    for job in running.filter(lease_until__lt=now).order_by("lease_until")[:AT_ONCE]:
        with loop.one(job):
            _lose(job)
    for job in running.filter(deadline_at__lt=now - MERCY)[:AT_ONCE]:
        with loop.one(job):
            _unless_locked(job, partial(attempts.end, timed_out(job), nowait=True))


def _lose(job: Job) -> None:
    if _unless_locked(job, partial(attempts.lose, job, "worker_lost", lease_until=job.lease_until)):
        logger.warning("%s: its worker stopped answering in attempt %d", job, job.attempt)


def _unless_locked(job: Job, move: Callable[[], bool]) -> bool:
    """A worker that froze in a transaction keeps its locks: its row can wait, those of others must not."""
    try:
        return move()
    except OperationalError as error:
        if not is_locked(error):
            raise
        logger.warning("%s: it or what follows it is locked: %s", job, error)
        return False
