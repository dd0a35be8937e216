"""The ground that jobs are broken on: a MariaDB, a Valkey as the broker and workers, all real and killable."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from celery import current_app
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from finstage import settings as declared
from monitoring.models import Worker
from tests import forks, services
from tests.chaos.scale import SCALE
from tests.forks import Forked

APP = "tests.chaos.jobs_app"
TODAY = settings.BASE_DIR
READY_SECONDS = 60
TABLES = [
    "CREATE TABLE chaos_bars (job char(36), symbol int, day int, attempt int, close double, KEY (job))",
    "CREATE TABLE chaos_runs (job char(36), attempt int, KEY (job))",
]


@dataclass
class Process:
    """A worker, a beat or a web server on the ground."""

    name: str
    process: subprocess.Popen | Forked
    log: Path
    folder: Path  # of the code that it runs

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass
class Ground:
    folder: Path
    random: random.Random
    mariadb: subprocess.Popen = field(init=False)
    broker: subprocess.Popen = field(init=False)
    processes: list[Process] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, "DATABASE_URL": self.database_url, "BROKER_URL": self.broker_url, **more}

    @property
    def database_url(self) -> str:
        return f"mysql://root@localhost/finstage?unix_socket={self.folder / 'mariadb.sock'}"

    @property
    def broker_url(self) -> str:
        return f"redis+socket://{self.folder / 'valkey.sock'}?virtual_host=0"

    def start_broker(self) -> None:
        (self.folder / "valkey.sock").unlink(missing_ok=True)
        services.start_valkey(self.folder)
        self.broker = services._processes[-1]

    def kill_broker(self) -> None:
        self.broker.kill()
        self.broker.wait()

    def start(self, name: str, *command: str, folder: Path = TODAY, **environment: str) -> Process:
        log = self.folder / f"{name}-{next(self.numbers)}.log"
        start = forks.start if folder == TODAY else partial(_start_elsewhere, folder)
        process = start(command, self.environment(PYTHONPATH=str(TODAY), **environment), log)
        self.processes.append(Process(name, process, log, folder))
        return self.processes[-1]

    def worker(self, concurrency: int = 4, without: str = "", app: str = APP, folder: Path = TODAY) -> Process:
        """A worker on its way up. without: a defence that it lacks, to see that the scenario notices."""
        options = ["-P", "threads", "-c", str(concurrency), "-l", "WARNING"]
        command = ["-m", "celery", "-A", app, "worker", *options]
        return self.start("worker", *command, folder=folder, CHAOS_WITHOUT=without)

    def ready_worker(self, concurrency: int = 4, without: str = "", app: str = APP, folder: Path = TODAY) -> Process:
        return self.ready(self.worker(concurrency, without, app, folder))[0]

    def ready(self, *workers: Process) -> list[Process]:
        """The same workers, once all of them are up."""
        for each in workers:
            until(lambda each=each: each.has_ended or _is_up(each), READY_SECONDS, each)
            assert not each.has_ended, each.log.read_text()[-3000:]
        return list(workers)

    def clean(self) -> None:
        for each in self.processes:
            each.kill()
        self.processes.clear()
        connection.close()  # one that a test has broken
        with connection.cursor() as cursor:
            for table in ("chaos_bars", "chaos_runs"):
                cursor.execute(f"TRUNCATE {table}")
            for table in ("monitoring_jobattempt", "monitoring_worker"):
                cursor.execute(f"DELETE FROM {table}")
            cursor.execute("UPDATE monitoring_scheduleslot SET job_id = NULL")
            cursor.execute("DELETE FROM monitoring_job")


@contextmanager
def opened(seed: int | None = None) -> Iterator[Ground]:
    """A ground that this process's Django and Celery stand on too."""
    seed = seed if seed is not None else int(os.environ.get("CHAOS_SEED", time.time()))
    print(f"\nseed {seed} (CHAOS_SEED), scale {SCALE:g} (CHAOS_SCALE)")  # noqa: T201
    with tempfile.TemporaryDirectory(prefix="finstage-chaos-") as name:
        ground = Ground(Path(name), random.Random(seed))
        services.start_mariadb(ground.folder)
        ground.mariadb = services._processes[-1]
        ground.start_broker()
        with _standing_on(ground):
            try:
                yield ground
            finally:
                for process in [*(each.process for each in ground.processes), ground.mariadb, ground.broker]:
                    process.send_signal(signal.SIGCONT)
                    process.kill()
                    process.wait()


def _is_up(worker: Process) -> bool:
    return Worker.objects.filter(pid=worker.process.pid).exists()


def _start_elsewhere(folder: Path, command: Sequence[str], environment: dict[str, str], log: Path) -> subprocess.Popen:
    """Code of another folder, with these tests beside it."""
    with log.open("wb") as output:
        where = {"cwd": folder, "env": environment, "stdout": output, "stderr": output}
        return subprocess.Popen([sys.executable, *command], **where, start_new_session=True)


@contextmanager
def _standing_on(ground: Ground) -> Iterator[None]:
    services.make_database(ground.folder / "mariadb.sock", "finstage")
    before, broker = connections.settings["default"], current_app.conf.broker_url
    _use_database({**before, **declared.database(ground.database_url)})
    _use_broker(ground.broker_url)
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        for statement in TABLES:
            cursor.execute(statement)
    try:
        yield
    finally:
        _use_database(before)
        _use_broker(broker)


def _use_database(described: dict) -> None:
    connections["default"].close()
    connections.settings["default"] = described
    del connections["default"]


def _use_broker(url: str) -> None:
    current_app.conf.broker_url = current_app.conf.broker_write_url = url
    current_app._after_fork()  # forgets its connections


def until(condition: Callable[[], object], seconds: float, *culprits: Process) -> None:
    """Wait for a condition, and show the logs where it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            logs = "\n".join(f"{each.log}:\n{each.log.read_text()[-3000:]}" for each in culprits)
            raise AssertionError(f"not within {seconds:g} s\n{logs}")
        time.sleep(0.02)


def report(what: str, broken: str, expected: str, counted: str) -> None:
    """A line of the table that `make chaos` prints."""
    print(f"{what}\n  broken:   {broken}\n  expected: {expected}\n  counted:  {counted}")  # noqa: T201


def quantile(values: list[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(part * (len(ordered) - 1)))]
