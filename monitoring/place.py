"""Which process is which, so that a neighbour who died is noticed at once and not when its lease runs out."""

import os
import socket
import uuid
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import psutil

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PROCESSES = Path("/proc/self/ns/pid")


class Process(Protocol):
    """A process by what tells it from every other: where it runs, its id and when it began."""

    place: str
    pid: int
    birth: float


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


def is_gone(process: Process) -> bool:
    """Whether it is known to be dead. False for those of other machines."""
    if process.place != here():
        return False
    try:
        return began(process.pid) != process.birth or psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
