"""The ground of the stream's measurements: servers on one core, and on the other who listens, who publishes, and Redis.

Counted are processor seconds of a server and all its children, by the kernel's own clocks.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType

import psutil

from tests import services
from tests.conftest import shared_database
from tests.valkey import Server as Valkey

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).parent
SERVERS, *_, CLIENT = sorted(os.sched_getaffinity(0)) * 2
START_SECONDS, ANSWER_SECONDS = 60, 60
ONE_ADDRESS = {"FINSTAGE_CONNECTIONS_PER_ADDRESS": "0"}  # whose all clients of a measurement are
NO_COMPILER = "there is no gcc: sudo apt-get install gcc libc6-dev"


def cpu(pid: int) -> float:
    """Seconds that a process and its children have computed."""
    found = psutil.Process(pid)
    return sum(_clock(each.pid) for each in (found, *found.children(recursive=True)))


def _clock(pid: int) -> float:
    return time.clock_gettime(~pid << 3 | 2)  # Linux's clock of another process


def memory(pid: int) -> int:
    """Resident bytes."""
    return psutil.Process(pid).memory_info().rss


def pin(pid: int, core: int) -> None:
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {core})


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def begin_on(core: int) -> None:
    die_with_parent()
    os.sched_setaffinity(0, {core})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Failed(Exception):
    """A process of the measurement did not do what it is there for; says its log."""

    def __str__(self) -> str:
        return self.args[0].strip()

    @property
    def short(self) -> str:
        first, *rest = str(self).splitlines()
        return f"{first}: {rest[-1].strip()}" if rest else first


class NoCompiler(Failed):
    """There is nobody to listen: who listens is written in C."""


@dataclass
class Server:
    name: str
    port: int
    path: str
    process: subprocess.Popen
    log: Path
    store: Valkey | None = None  # what it and its publisher have of Redis

    def cpu(self) -> float:
        return cpu(self.process.pid)

    def memory(self) -> int:
        return memory(self.process.pid)

    def failed(self, what: str) -> Failed:
        return Failed(f"{self.name}: {what}\n{self.log.read_text()[-2000:]}")


class Clients:
    """Sockets of one process that subscribe and count. `answered` says how many were, and after how many seconds."""

    def __init__(self, program: Path, server: Server, texts: Sequence[str], folder: Path, at_once: int) -> None:
        self._file = folder / f"{server.name}-{time.monotonic_ns()}.asked"
        self._file.write_text("".join(f"{text}\n" for text in texts))
        command = [program, str(server.port), server.path, str(at_once), self._file]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, **pipes, preexec_fn=partial(begin_on, CLIENT))
        self._server, self.asked = server, len(texts)

    def __enter__(self) -> "Clients":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        self._file.unlink(missing_ok=True)

    def answered(self) -> dict:
        """Waits until every client is subscribed, or was refused."""
        return self._hear()

    def require_all(self) -> "Clients":
        told = self.answered()
        if told["ready"] < self.asked:
            raise self._server.failed(f"of {self.asked} clients {told}")
        return self

    def reset(self) -> None:
        self._say("reset")
        self.count()

    def count(self) -> dict:
        """What was heard since the last reset."""
        self._say("count")
        return self._hear()

    def _say(self, order: str) -> None:
        self.process.stdin.write(f"{order}\n".encode())
        self.process.stdin.flush()

    def _hear(self) -> dict:
        if not select.select([self.process.stdout], [], [], ANSWER_SECONDS)[0]:
            raise self._server.failed(f"its clients said nothing for {ANSWER_SECONDS} s")
        if not (line := self.process.stdout.readline()):
            raise self._server.failed(f"its clients ended with {self.process.wait()}")
        return json.loads(line)


@dataclass
class Ground:
    """Where processes are started, all of which end with it."""

    folder: Path
    stack: ExitStack = field(default_factory=ExitStack)
    programs: dict[str, Path] = field(default_factory=dict)

    def compiled(self, name: str) -> Path:
        """A program of `name`.c. Raises NoCompiler."""
        if name not in self.programs:
            if not (compiler := shutil.which("gcc") or shutil.which("cc")):
                raise NoCompiler(NO_COMPILER)
            self.programs[name] = self.folder / name
            subprocess.run([compiler, "-O2", "-o", self.programs[name], HERE / f"{name}.c"], check=True)
        return self.programs[name]

    def start(self, name: str, *command: str, path: str = "/", core: int = SERVERS, **environment: str) -> Server:
        """A server on its core; PORT in the command is the one that it shall listen on."""
        port, log = free_port(), self.folder / f"{name}.log"
        process = self._popen([each.replace("PORT", str(port)) for each in command], log, core, environment)
        server = Server(name, port, path, process, log)
        _wait_until_it_listens(server)
        return server

    def start_ours(self, name: str = "ours", *options: str, store: Valkey | None = None, **environment: str) -> Server:
        """With a Redis of its own, so that no other server hears what it hears; `store` is one that it shares."""
        folder = self.folder / f"var-{''.join(filter(str.isalnum, name))}"
        folder.mkdir(exist_ok=True)
        store = store or self.store(folder)
        environment = {**shared_database(), "FINSTAGE_VAR": str(folder), "REDIS_URL": store.url, **environment}
        command = (sys.executable, "manage.py", "web", "--host", "127.0.0.1", "--port", "PORT", *options)
        server = self.start(name, *command, path="/ws/realtime", **environment)
        server.store = store
        return server

    def store(self, folder: Path) -> Valkey:
        made = Valkey(folder)  # on our own core
        self.stack.callback(made.kill)
        return made

    def begin(self, name: str, *command: str, core: int = CLIENT, **environment: str) -> subprocess.Popen:
        """A process that serves nobody."""
        return self._popen(command, self.folder / f"{name}.log", core, environment)

    def clients(self, server: Server, texts: Sequence[str], *, at_once: int = 50) -> Clients:
        return self.stack.enter_context(Clients(self.compiled("client"), server, texts, self.folder, at_once))

    def _popen(self, command: Sequence, log: Path, core: int, environment: dict[str, str]) -> subprocess.Popen:
        with log.open("ab") as output:
            process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **ONE_ADDRESS, **environment}, stdin=subprocess.PIPE,
                stdout=output, stderr=output, preexec_fn=partial(begin_on, core),
            )  # fmt: skip
        self.stack.callback(end, process)
        return process


def end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    if process.stdin:
        with contextlib.suppress(OSError):
            process.stdin.close()


@contextmanager
def opened(folder: Path) -> Iterator[Ground]:
    """A ground, with this process and the tests' Redis beside the clients. Raises NoCompiler."""
    before = os.sched_getaffinity(0)
    for process in services._processes:
        pin(process.pid, CLIENT)
    os.sched_setaffinity(0, {CLIENT})
    ground = Ground(folder)
    ground.compiled("client")
    try:
        with ground.stack:
            yield ground
    finally:
        os.sched_setaffinity(0, before)
        for process in services._processes:
            for task in Path(f"/proc/{process.pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), before)


def _wait_until_it_listens(server: Server) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", server.port)) == 0:
                return
        if server.process.poll() is not None or time.monotonic() > until:
            raise server.failed("it did not start")
        time.sleep(0.05)
