"""Processes that live exactly as long as we want: started to die with us, remembered, found again, ended."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import psutil

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
REGISTER = "up.json"  # its name in var/
LATE_SECONDS = 15.0  # who watches over the processes says once a second that it does
# The wall clock may be corrected between two looks at the same process.
_SAME_START_SECONDS = 2.0


def start(
    command: list[str],
    *,
    environment: Mapping[str, str],
    folder: str,
    stdout: int,
    stderr: int | None,
    farewell: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen:
    """Start a process in a session of its own, where the terminal's Ctrl-C does not reach it.

    On Linux it gets `farewell` when the calling thread ends, however that ends.
    """
    parent = os.getpid()

    def prepare() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, farewell)
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)

    return subprocess.Popen(
        command,
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
        preexec_fn=prepare,
    )


def kill(pid: int) -> None:
    """Kill a process that `start` started, and what it started in its session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


class Register:
    """A file that says which processes are ours; a process is its id and the moment it began."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def remember(self, pids: Iterable[int]) -> None:
        began = {}
        for pid in pids:
            try:
                began[pid] = psutil.Process(pid).create_time()
            except psutil.NoSuchProcess:
                continue
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(began))
        fresh.replace(self._path)

    def touch(self) -> None:
        """A sign of life of who remembers."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self._path)

    def trouble(self) -> str | None:
        """That nobody watches over the processes that still run; None where somebody does, or none run."""
        silent = self._silent_seconds()
        if silent <= LATE_SECONDS or not self.living():
            return None
        return f"up: no sign of life for {silent:.0f} s of who starts again what ends"

    def _silent_seconds(self) -> float:
        try:
            return time.time() - self._path.stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def living(self) -> list[psutil.Process]:
        """Those that still run; another process that got an old id is not among them."""
        try:
            began = msgspec.json.decode(self._path.read_bytes(), type=dict[int, float])
        except FileNotFoundError:
            return []
        except ValueError as error:
            sys.stderr.write(f"{self._path} does not say which processes an earlier start left: {error}\n")
            return []
        found = []
        for pid, at in began.items():
            try:
                process = psutil.Process(pid)
                if abs(process.create_time() - at) < _SAME_START_SECONDS and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found

    def end(self, *, seconds: float) -> int:
        """End those that still run and say how many there were; what outlasts `seconds` is killed."""
        left = self.living()
        for process in left:
            process.terminate()
        _, stubborn = psutil.wait_procs(left, timeout=seconds)
        for process in stubborn:
            kill(process.pid)
        psutil.wait_procs(stubborn, timeout=seconds)
        self._path.unlink(missing_ok=True)
        return len(left)
