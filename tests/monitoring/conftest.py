"""Real workers for the tests of jobs: processes on the tests' own database and Valkey."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from monitoring.jobs.worker import Worker as JobsWorker
from monitoring.models import Job, Worker
from tests import forks
from tests.conftest import shared_database
from tests.forks import Forked
from tests.monitoring.clocks import Clocks
from tests.monitoring.plans import planned

READY_SECONDS = 120
LOOPS = {"jobs dispatcher", "jobs finisher", "jobs pulse", "jobs reaper"}
SAMPLE_APP = "tests.monitoring.sample_app"


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for a condition of the rows or of the world."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, list(Job.objects.values())
        time.sleep(0.02)


@pytest.fixture
def clocks(monkeypatch) -> Clocks:
    made = Clocks()
    monkeypatch.setattr(timezone, "now", made.now)
    monkeypatch.setattr(time, "time", lambda: made.wall.timestamp())
    monkeypatch.setattr(time, "monotonic", lambda: made.monotonic)
    return made


@pytest.fixture
def no_other_schedules(db) -> None:
    """A new database comes with schedules, some of which are due at noon."""
    PeriodicTask.objects.all().delete()


@pytest.fixture
def hourly(no_other_schedules) -> PeriodicTask:
    return planned("0 * * * *", "UTC")


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class WorkerProcess:
    """A `celery worker` with the sample jobs."""

    def __init__(self, log: Path, concurrency: int = 4, app: str = SAMPLE_APP) -> None:
        self.log = log
        options = ["-P", "threads", "-c", str(concurrency), "-l", "INFO"]
        environment = {**os.environ, "FINSTAGE_JOBS_DRAIN_SECONDS": "1", **shared_database()}
        self.process = forks.start(["-m", "celery", "-A", app, "worker", *options], environment, log)

    def wait_until_ready(self) -> "WorkerProcess":
        until = time.monotonic() + READY_SECONDS
        while not Worker.objects.filter(pid=self.process.pid).exists():
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < until, self.log.read_text()[-3000:]
            time.sleep(0.05)
        return self

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()


@pytest.fixture
def start_worker(transactional_db, tmp_path) -> Iterator[Callable[..., WorkerProcess]]:
    """start_worker(concurrency=4): a ready worker, gone at the end of the test."""
    started: list[WorkerProcess] = []

    def start(**options) -> WorkerProcess:
        started.append(WorkerProcess(tmp_path / f"worker-{len(started)}.log", **options))
        return started[-1].wait_until_ready()

    yield start
    for worker in started:
        worker.kill()


@pytest.fixture(scope="module")
def module_worker(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[WorkerProcess]:
    with django_db_blocker.unblock():
        started = WorkerProcess(tmp_path_factory.mktemp("worker") / "log").wait_until_ready()
    yield started
    started.kill()


@pytest.fixture
def worker(module_worker, transactional_db) -> WorkerProcess:
    """A ready worker that the tests of a module share."""
    return module_worker


@pytest.fixture
def start_inside(transactional_db, settings) -> Iterator[Callable[..., JobsWorker]]:
    """start_inside(concurrency=4): a worker on threads of this process, for what no death of a process has to show."""
    settings.JOBS_DRAIN_SECONDS = 0.2
    started: list[JobsWorker] = []

    def start(concurrency: int = 4) -> JobsWorker:
        started.append(JobsWorker(concurrency))
        started[-1].start()
        return started[-1]

    yield start
    for worker in started:
        worker.stop()
    # One that waits for a lock beyond the test finds no database after it, breaks, and ends the process of the tests.
    until(lambda: not LOOPS & {each.name for each in threading.enumerate()})


@pytest.fixture
def start_beat(transactional_db, tmp_path) -> Iterator[Callable[[], Forked]]:
    """start_beat(): a real `celery beat` on the tests' schedules, gone at the end of the test."""
    started: list[Forked] = []

    def start() -> Forked:
        name = tmp_path / f"beat-{len(started)}"
        options = ["--max-interval", "1", "--pidfile", f"{name}.pid", "-l", "INFO"]
        command = ["-m", "celery", "-A", SAMPLE_APP, "beat", *options]
        started.append(forks.start(command, {**os.environ, **shared_database()}, name.with_suffix(".log")))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
