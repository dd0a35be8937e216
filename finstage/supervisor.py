"""Keeps the parts of Finstage running: starts them, shows what they print, restarts what ends, and ends them all.

`manage.py up` turns into this program, which imports no Django so that it stays small. It has one thread, because the
parts die with the thread that started them.
"""

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from finstage import plan, processes
from finstage.console import Console
from finstage.plan import Part, Plan
from monitoring.loops import Loop

PLAN = "FINSTAGE_PLAN"
RESTART_SECONDS = (0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# A part that ran for long starts its waits from the shortest again; one that ran for some time came up at least.
LONG_SECONDS, SOME_SECONDS, AFTER_SOME_SECONDS = 15.0, 3.0, 1.0
EVERY_SECONDS = 1.0
FIRST_ANSWER_SECONDS = 20.0
END_SECONDS = 5.0
OPEN_FILES = 65_536
# Fewer arenas and no arithmetic threads: a tree of many small processes shall stay light.
LIGHT = {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"}


@dataclass
class Child:
    """A part and its present process, with how often it ended of late."""

    part: Part
    process: subprocess.Popen | None = None
    began_at: float = 0.0
    start_at: float = 0.0
    failures: int = 0
    is_done: bool = False


class Ended(Exception):
    """Everything shall end, with this exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Supervisor:
    """The parts of one plan, from the first start to the end of the last."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._children: list[Child] = []
        self._facts: list[str] = []
        self._asked_to_end = 0
        self._register = processes.Register(Path(plan.register))
        self._console = Console(max(len(part.name) for stage in plan.stages for part in stage))
        self._environment = {**LIGHT, **{name: value for name, value in os.environ.items() if name != PLAN}}

    def run(self) -> int:
        """Start everything and keep it running until a signal says to end; returns the exit status."""
        self._listen_to_signals()
        with Loop("up", every_seconds=EVERY_SECONDS, ends=(Ended,)) as self._loop:
            try:
                for stage in self._plan.stages:
                    self._start_stage([Child(part) for part in stage])
                while True:
                    self._step(EVERY_SECONDS)
            except Ended as end:
                self._end()
                return end.status

    def _listen_to_signals(self) -> None:
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        self._console.watch(reader, lambda: os.read(reader, 4096))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_end)
        # Only to be woken up: the handler of a signal that is ignored would not run.
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _ask_to_end(self, *_: object) -> None:
        self._asked_to_end += 1

    def _start_stage(self, stage: list[Child]) -> None:
        self._children += stage
        for child in stage:
            self._start(child)
        for child in stage:
            if child.part.is_once:
                self._wait(lambda child=child: child.is_done)
            elif child.part.socket:
                self._wait(lambda child=child: _accepts(child.part.socket))
        if any(child.part.name == "web" for child in stage):
            self._announce()

    def _announce(self) -> None:
        address = self._plan.address
        if self._wait(lambda: _answers(self._plan.host, self._plan.port), FIRST_ANSWER_SECONDS):
            elsewhere = [f"From other machines: {' '.join(self._plan.elsewhere)}"] if self._plan.elsewhere else []
            here = f"Finstage is at {address} (Ctrl-C ends it)"
            self._console.say("\n".join(["", *self._facts, here, *elsewhere, ""]))
        else:
            self._console.tell("up", f"no answer at {address} yet; the lines above may say why")

    def _wait(self, condition: Callable[[], bool], seconds: float = float("inf")) -> bool:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._step(0.05)
        return True

    def _step(self, seconds: float) -> None:
        """Wait at most so long for something to happen, and see to it."""
        due = [child.start_at - time.monotonic() for child in self._children if not child.process and not child.is_done]
        with self._loop.turn():
            self._console.wait(min([seconds, *due]))
            self._register.touch()
        if self._asked_to_end:
            raise Ended(0)
        for child in self._children:
            with self._loop.one(child.part.name):
                self._look_after(child)

    def _look_after(self, child: Child) -> None:
        if child.process is None:
            if not child.is_done and time.monotonic() >= child.start_at:
                self._start(child)
        elif (status := child.process.poll()) is not None:
            processes.kill(child.process.pid)  # what it may have started
            child.process = None
            self._after_end(child, status)

    def _after_end(self, child: Child, status: int) -> None:
        if child.part.is_once:
            child.is_done = True
            if status:
                raise Ended(1)
            return
        reason = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        self._start_later(child, reason + (f" (its log: {child.part.log})" if child.part.log else ""))

    def _start_later(self, child: Child, reason: str) -> None:
        now = time.monotonic()
        ran = now - child.began_at
        child.failures = 0 if ran > LONG_SECONDS else child.failures
        wait = RESTART_SECONDS[min(child.failures, len(RESTART_SECONDS) - 1)]
        wait = min(wait, AFTER_SOME_SECONDS) if ran > SOME_SECONDS else wait
        child.failures += 1
        child.start_at = now + wait
        self._console.tell("up", f"{child.part.name} {reason}; starting it again in {wait:g} s")

    def _start(self, child: Child) -> None:
        child.began_at = time.monotonic()
        reader, writer = os.pipe()
        try:
            child.process = self._process(child.part, writer)
        except OSError as error:  # no memory, no room for one process more: it may pass
            os.close(reader)
            self._start_later(child, f"can't be started: {error}")
            return
        finally:
            os.close(writer)
        name, is_once = child.part.name, child.part.is_once
        self._console.follow(reader, self._facts.append if is_once else lambda line: self._console.tell(name, line))
        self._remember([child.process.pid for child in self._children if child.process])

    def _remember(self, pids: list[int]) -> None:
        with self._loop.one(processes.REGISTER):  # on a full disk
            self._register.remember(pids)

    def _process(self, part: Part, output: int) -> subprocess.Popen:
        return processes.start(
            part.command,
            environment=self._environment,
            folder=self._plan.folder,
            stdout=output,
            # What goes wrong in a preparation is said as it is, without a name before it.
            stderr=None if part.is_once else output,
            # A server holds what must still reach the disk; the others keep nothing of their own.
            farewell=signal.SIGTERM if part.socket else signal.SIGKILL,
        )

    def _end(self) -> None:
        """End the parts, then the server that they stand on; a second signal kills at once."""
        running = [child for child in self._children if child.process]
        self._end_all([child.process for child in running if not child.part.socket])
        self._end_all([child.process for child in running if child.part.socket])
        self._remember([])

    def _end_all(self, leaving: list[subprocess.Popen]) -> None:
        for process in leaving:
            process.terminate()
        deadline = time.monotonic() + END_SECONDS
        while any(process.poll() is None for process in leaving):
            if time.monotonic() > deadline or self._asked_to_end > 1:
                break
            self._console.wait(0.1)
        for process in leaving:
            processes.kill(process.pid)
            process.wait()


def _accepts(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(0.5)
        return client.connect_ex(path) == 0


def _answers(host: str, port: int) -> bool:
    """Whether the web says that it lives."""
    try:
        with socket.create_connection((plan.reachable(host), port), timeout=0.5) as client:
            client.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return client.recv(16).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def _raise_open_files() -> None:
    """Every client is an open file, and the usual 1,024 are few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    _raise_open_files()
    sys.exit(Supervisor(plan.read(os.environ[PLAN])).run())
