"""Jobs in a process of their own, which can be killed: at the deadline, on cancel, with the worker.

The process is forked from a server that has the app loaded (`nursery`). It writes its progress and its ending itself;
this side only waits, kills, and reports a process that died without a word.
"""

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
import uuid
from importlib import import_module
from multiprocessing import connection as pipes

from django.db import Error as DatabaseTrouble
from django.db import connections
from django.utils import timezone

from monitoring import lists
from monitoring.jobs import declaration
from monitoring.jobs.ending import attempts, endings
from monitoring.jobs.ending.attempts import Ending
from monitoring.jobs.errors import JobError
from monitoring.jobs.running import body
from monitoring.jobs.running.context import Current
from monitoring.models import Job

LOOK_SECONDS = 0.2
HAND_OVER_SECONDS = 0.0005  # how long a thread may compute while another waits that may hold a database's lock

logger = logging.getLogger(__name__)

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["monitoring.nursery"])  # imported there alone, where what it freezes is wanted


class NotStarted(JobError):
    code = "process_not_started"
    temporary = True


def is_needed(job: Job) -> bool:
    """Declared so, or suspected of having killed a worker before."""
    declared = declaration.find(job.name)
    return job.losses > 0 or bool(declared and declared.rules.isolated)


def run(current: Current) -> Ending | None:
    """Run the job in a process and wait for it. Returns what is left to write of its end."""
    current.is_isolated = True
    process = _processes.Process(
        target=live, args=(current.job.pk, current.job.attempt, _home(current.job)), daemon=True
    )
    _start(process)
    while not pipes.wait([process.sentinel], LOOK_SECONDS):
        if current.must_stop:
            _kill(process.pid)
    return _epitaph(current, process.exitcode)


def live(pk: uuid.UUID, attempt: int, home: str | None) -> None:
    """The whole life of the process. home: the module that declares the job."""
    os.setsid()
    sys.setswitchinterval(HAND_OVER_SECONDS)
    threading.Thread(target=_die_with_worker, daemon=True).start()
    if home:
        import_module(home)
    job = Job.objects.get(pk=pk)
    if job.attempt != attempt or job.state != Job.State.RUNNING:
        return
    current = Current(job)
    current.deadline = time.monotonic() + (job.deadline_at - timezone.now()).total_seconds()
    threading.Thread(target=_write_progress, args=(current,), daemon=True).start()
    if ending := body.run(current):
        _write(ending)
    lists.flush()
    connections.close_all()


def _write(ending: Ending) -> None:
    """Until it is written, or this process is killed: at the deadline, or with its worker."""
    while ending and (unwritten := endings.write([ending])):
        ending = endings.instead(*unwritten[0])
        time.sleep(LOOK_SECONDS)


def _start(process: multiprocessing.Process) -> None:
    try:
        process.start()
    except (OSError, EOFError) as error:
        raise NotStarted(f"No process could be started: {error}") from error


def _home(job: Job) -> str | None:
    declared = declaration.find(job.name)
    return declared.function.__module__ if declared else None


def _epitaph(current: Current, exit_code: int | None) -> Ending | None:
    """What its process left to say, for the finisher: whatever the database says now, it is written once it can be."""
    job = current.job
    try:
        if (job := Job.objects.of_attempt(current.job).first()) is None:
            current.ended_as = _written(current.job)
            return None
    except DatabaseTrouble as error:
        logger.warning("%s: how its process left the row is not known: %s", current.job, error)
    if current.stop_code == "cancelled" or job.cancel_requested_at:
        return Ending(job, Job.State.CANCELLED, error_code="cancelled")
    if current.is_late:
        return body.timed_out(job)
    return attempts.lost(job, f"process_died_{-exit_code if exit_code and exit_code < 0 else exit_code}")


def _written(job: Job) -> str:
    """How the process itself ended the attempt; empty where another attempt has begun."""
    return Job.objects.filter(pk=job.pk, attempt=job.attempt).values_list("state", flat=True).first() or ""


def _kill(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        return


def _die_with_worker() -> None:
    pipes.wait([multiprocessing.parent_process().sentinel])
    _kill(os.getpid())


def _write_progress(current: Current) -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        try:
            current.save_progress()
        except DatabaseTrouble as error:
            logger.warning("%s: its progress is not written: %s", current.job, error)
            connections.close_all()
