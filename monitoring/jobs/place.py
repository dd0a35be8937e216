"""Where a worker runs, so that a neighbour who died is noticed at once and not when its lease runs out."""

import os
import socket
import uuid
from functools import cache
from hashlib import sha256
from pathlib import Path

import psutil

from monitoring.models import Worker

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PROCESSES = Path("/proc/self/ns/pid")


@cache
def here() -> str:
    """The same in two processes exactly where they see each other's process ids."""
    if _BOOT.exists() and _PROCESSES.exists():
        facts = f"{_BOOT.read_text().strip()} {os.readlink(_PROCESSES)}"
    else:
        facts = f"{socket.gethostname()} {uuid.getnode()} {int(psutil.boot_time())}"
    return sha256(facts.encode()).hexdigest()[:32]


@cache
def birth() -> float:
    """When this process began: with its id the name of one process."""
    return began(os.getpid())


def began(pid: int) -> float:
    """When a process began, on a clock that nobody sets (ticks since the machine started, where /proc tells them)."""
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        return psutil.Process(pid).create_time()
    try:
        # The name, in brackets, may hold anything; what follows it are numbers, of which this is the 22nd.
        return float(stat.read_text().rpartition(")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        raise psutil.NoSuchProcess(pid) from None


def is_gone(worker: Worker) -> bool:
    """Whether this worker is known to be dead. False for those of other machines."""
    if worker.place != here():
        return False
    try:
        return began(worker.pid) != worker.birth or psutil.Process(worker.pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
