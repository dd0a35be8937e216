"""The pulse of a worker process: it holds on to what runs, ends what is late, hears of cancels and writes progress."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import Error as DatabaseTrouble
from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils import timezone
from redis.exceptions import RedisError

from monitoring import heartbeats, place
from monitoring.jobs.claiming import claims
from monitoring.jobs.claiming.clock import Watch
from monitoring.jobs.claiming.holding import Holding
from monitoring.jobs.database import update_free
from monitoring.jobs.running.context import Current
from monitoring.loops import Loop
from monitoring.models import Job
from monitoring.models import Worker as WorkerRow

AWAY = (OperationalError, InterfaceError)
BEAT_SECONDS = 0.25
GIVE_BACK_SECONDS = 0.5  # so long a claimed job may wait for a thread
LOOK_SECONDS = 1.0  # between two looks for cancels
HOLD_SECONDS = 3.0  # between two extensions of the leases; a quarter of a lease

logger = logging.getLogger(__name__)

GOODBYE_SECONDS = 2.0  # a database that is away must not hold the end for longer


class Pulse:
    """abandon: called with an attempt whose time is over and whose thread can't be stopped."""

    def __init__(self, holding: Holding, abandon: Callable[[Current], None]) -> None:
        self._holding, self._abandon = holding, abandon
        self._stopped, self._gone = threading.Event(), threading.Event()
        self._started_at, self._clock = timezone.now(), Watch()
        self._is_behind = False  # deadlines are instants of a clock that was set since
        self._every = {self._hold: HOLD_SECONDS, self._look: LOOK_SECONDS}
        self._due: dict[Callable[[list[Current]], None], float] = {}  # at once, what is not in it
        self._loop = Loop("jobs: pulse", every_seconds=BEAT_SECONDS, patience_seconds=60.0, away=AWAY)

    def run(self) -> None:
        with self._loop as loop:
            while not self._stopped.wait(BEAT_SECONDS):
                with loop.turn():
                    self._beat(time.monotonic())
        self._say_goodbye()
        self._gone.set()

    def stop(self) -> None:
        """Stop, once the row says so: the process may end right after this."""
        self._stopped.set()
        self._gone.wait(GOODBYE_SECONDS)

    def _beat(self, now: float) -> None:
        held = self._holding.everything()
        for current in held:
            with self._loop.one(current.job):
                self._end_if_late(current)
        close_old_connections()
        with self._loop.one("the clock"):
            self._follow_the_clock(held)
        for step, seconds in self._every.items():
            if now >= self._due.get(step, now):
                self._due[step] = now + seconds
                with self._loop.one(step.__name__):
                    step(held)
        with self._loop.one("what was claimed ahead"):
            self._holding.give_back(GIVE_BACK_SECONDS)
        for current in held:
            with self._loop.one(current.job):
                self._save_progress(current)

    def _follow_the_clock(self, held: list[Current]) -> None:
        """A deadline is an instant, and a clock that was set makes it another one: move it with the clock."""
        if moved := self._clock.moved():
            logger.warning("the clock was moved by %.0f s: leases and deadlines move with it", moved)
            self._due.clear()
            self._is_behind = True
        if self._is_behind:
            for current in held:
                left = timedelta(seconds=current.deadline - time.monotonic())
                update_free(Job.objects.of_attempt(current.job), deadline_at=timezone.now() + left)
            self._is_behind = False

    def _end_if_late(self, current: Current) -> None:
        if not current.is_late:
            return
        if current.is_isolated:
            current.stop("deadline_exceeded")  # whoever waits for its process kills it
        else:
            self._abandon(current)

    def _save_progress(self, current: Current) -> None:
        try:
            current.save_progress()
        except DatabaseTrouble as error:
            logger.warning("%s: its progress is not written: %s", current.job, error)

    def _look(self, held: list[Current]) -> None:
        """Stop what was cancelled, and what somebody else holds by now."""
        rows = Job.objects.filter(pk__in=[current.job.pk for current in held]) if held else []
        found = {row["id"]: row for row in rows and rows.values("id", "state", "attempt", "cancel_requested_at")}
        for current in held:
            row = found.get(current.job.pk)
            if not row or row["state"] != Job.State.RUNNING or row["attempt"] != current.job.attempt:
                current.stop("superseded")
            elif row["cancel_requested_at"]:
                current.stop("cancelled")

    def _hold(self, held: list[Current]) -> None:
        now, counts = timezone.now(), self._holding.counts
        if held and claims.extend(self._holding.worker, [current.job for current in held], now) < len(held):
            self._due[self._hold] = time.monotonic()  # some are locked: at the next beat again
        facts = {"heartbeat_at": now, "processed": counts.processed, "failed": counts.failed}
        facts |= {"stopped_at": None, "lost_at": None}  # whatever a neighbour thought of us
        row = WorkerRow.objects.filter(pk=self._holding.worker)
        if not update_free(row, **facts) and not row.exists():
            self._say_hello(facts)
        _show_life()

    def _say_hello(self, facts: dict) -> None:
        process = {"host": socket.gethostname()[:100], "pid": os.getpid(), "concurrency": self._holding.concurrency}
        where = {"place": place.here(), "birth": place.birth(), "started_at": self._started_at}
        WorkerRow.objects.create(id=self._holding.worker, **process, **where, **facts)

    def _say_goodbye(self) -> None:
        try:
            WorkerRow.objects.filter(pk=self._holding.worker).update(stopped_at=timezone.now())
        except DatabaseTrouble as error:
            logger.warning("the worker could not say goodbye: %s", error)


def _show_life() -> None:
    try:
        heartbeats.beat("worker")
    except RedisError as error:
        logger.warning("no heartbeat: %s", error)
