"""The worker as `manage.py up` starts it, with what it and all its children take, on the tests' own database."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from finstage.management.commands.up import stages
from monitoring import jobs
from monitoring.models import Job, Worker
from tests import forks
from tests.chaos.jobs_ground import Process, until
from tests.conftest import shared_database

LOOK_SECONDS, READY_SECONDS = 0.5, 120


@dataclass
class Watched:
    """A process and its children, looked at while a block lasts. most: bytes that all of them had at once."""

    process: Process
    most: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def memory(self) -> int:
        """What several share counts once: their proportional shares."""
        found = psutil.Process(self.process.process.pid)
        return sum(_proportional(each.pid) for each in (found, *found.children(recursive=True)))

    def cpu(self) -> float:
        """Seconds that it and its children have computed, also those that have ended."""
        found = psutil.Process(self.process.process.pid)
        return sum(sum(each.cpu_times()[:4]) for each in (found, *found.children(recursive=True)))

    @contextmanager
    def looked_at(self) -> Iterator[None]:
        self.most = 0
        self._over.clear()
        looking = threading.Thread(target=self._look, daemon=True)
        looking.start()
        try:
            yield
        finally:
            self._over.set()
            looking.join()

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self.most = max(self.most, self.memory())


def _proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")), 0)


@contextmanager
def working(folder: Path, **environment: str) -> Iterator[Watched]:
    """One that waits for jobs."""
    _, *command = next(part.command for stage in stages() for part in stage if part.name == "worker")
    log = folder / "worker.log"
    process = forks.start(command, {**os.environ, **shared_database(), **environment}, log)
    started = Process("worker", process, log, folder)
    try:
        until(lambda: started.has_ended or Worker.objects.filter(pid=process.pid).exists(), READY_SECONDS, started)
        yield Watched(started)
    finally:
        started.kill()


def finished(worker: Watched, asked: Job, *, seconds: float) -> list[Job]:
    """What a job asked for in chunks, once all of them have ended well."""
    done = jobs.wait(asked.pk, seconds)
    chunks = Job.objects.filter(pk__in=done.result["chunks"])
    until(lambda: not chunks.exclude(state__in=Job.ENDED).exists(), seconds, worker.process)
    until(lambda: not Job.objects.exclude(state__in=Job.ENDED).exists(), seconds, worker.process)
    time.sleep(LOOK_SECONDS)
    assert {each.state for each in chunks} == {Job.State.COMPLETED}, [each.error for each in chunks]
    return list(chunks)
