"""Processes of the product for the tests, forked from one that has imported the libraries.

A `manage.py web` computes for two seconds until it serves, and all but half a second of that are imports of what others
wrote. Nothing of ours is imported before the fork, so that each process reads its own settings and its own code.
"""

import atexit
import contextlib
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver, resource_tracker
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_context = multiprocessing.get_context("forkserver")


class Forked:
    """A process that was forked, with the verbs of a `subprocess.Popen`."""

    def __init__(self, process: multiprocessing.process.BaseProcess) -> None:
        self._process, self.pid = process, process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(command: Sequence[str], environment: Mapping[str, str], log: Path, errors: Path | None = None) -> Forked:
    """`python COMMAND…` in the project's folder, in a session of its own; what it says is written to `log`.

    errors: where that goes which it says of errors, if apart.
    """
    log.touch()
    arguments = (list(map(str, command)), dict(environment), str(log), str(errors or log))
    # Here, and not when this is imported: what isolates jobs names what it needs, once it is imported too.
    _context.set_forkserver_preload(["tests.libraries"])
    process = _context.Process(target=_run, args=arguments, name=" ".join(map(str, command)))
    process.start()
    return Forked(process)


def own() -> set[int | None]:
    """The processes that stay for the next fork."""
    return {forkserver._forkserver._forkserver_pid, resource_tracker._resource_tracker._pid}


def end() -> None:
    forkserver._forkserver._stop()


def _run(command: list[str], environment: dict[str, str], log: str, errors: str) -> None:
    os.setsid()
    for descriptor, path in ((1, log), (2, errors)):
        written = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(written, descriptor)
        os.close(written)
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    try:
        _as_main(command)
    finally:
        atexit._run_exitfuncs()


def _as_main(command: list[str]) -> None:
    if command[0] == "-m":
        sys.argv = command[1:]
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = command
        runpy.run_path(command[0], run_name="__main__")
