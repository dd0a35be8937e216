"""`make test`: every test that this machine can run, and at the end what failed, and what it could not run and why.

With FINSTAGE_TEST_ALL=1, as in CI, a test that is skipped and a MariaDB or a browser that is not there are failures.
"""

import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import IO

import psutil

from tests.services import FAILED, SKIPPED
from tests.versions import before

ROOT = Path(__file__).resolve().parent.parent
RECORDINGS = ROOT.parent / "shared" / "data"
SYSTEM_PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin"
MARIADB = "sudo apt-get install mariadb-server gcc pkg-config python3-dev libmariadb-dev"
HEADERS = "sudo apt-get install gcc pkg-config python3-dev libmariadb-dev"
CHROMIUM = "sudo apt-get install chromium"
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
DIFFERS = "db and not chaos and not bench and not browser"
BYTES_OF_A_PROCESS = 1 << 30  # pytest with the servers and the browser that its tests start


def main() -> int:
    if words := sys.argv[1:]:
        print(__doc__ if words in (["-h"], ["--help"]) else f"{__doc__}\nIt takes no arguments; pytest takes them.")
        return 0 if words in (["-h"], ["--help"]) else 2
    browser, database = _why_no_browser(), _why_no_mariadb()
    with _said("skipped") as skipped, _said("failed") as failed:
        os.environ |= {SKIPPED: skipped.name, FAILED: failed.name}
        is_green = _run(browser=not browser, mariadb=not database)
        absent = [f"{times} × {reason}" for reason, times in Counter(map(str.strip, skipped)).items()]
        failures = list(map(str.strip, failed))
    missing = [reason for reason in (browser, database) if reason]
    for failure in failures:
        print(f"Failed: {failure}")
    for reason in [*absent, *missing]:
        print(f"Not run: {reason}")
    if not absent and not missing:
        print("Nothing was left out.")
    print("Apart from these: `make chaos` breaks things for long, and `make bench` measures.")
    is_complete = os.environ.get("FINSTAGE_TEST_ALL") != "1" or not (missing or any(map(_is_avoidable, absent)))
    return 0 if is_green and is_complete else 1


def _is_avoidable(reason: str) -> bool:
    """What a copy of the repository can lack, as recordings beside it or its history, is told and no failure."""
    if any(lack in reason for lack in (before.NO_HISTORY, before.OTHER_HISTORY)):
        return False
    return str(RECORDINGS) not in reason or RECORDINGS.is_dir()


def _said(what: str) -> IO[str]:
    """Where the tests' processes tell of one thing, a line each."""
    return tempfile.NamedTemporaryFile("r", prefix=f"finstage-{what}-", encoding="utf-8")


def _run(*, browser: bool, mariadb: bool) -> bool:
    """Everything on SQLite, and beside it on MariaDB what differs between databases. True where all passed."""
    mark = "not chaos and not bench" if browser else "not chaos and not bench and not browser"
    with tempfile.TemporaryFile("w+") as said:
        on_mariadb = (
            _pytest(_processes(half=True), DIFFERS, said, FINSTAGE_TEST_DATABASE="mariadb") if mariadb else None
        )
        is_green = _pytest(_processes(), mark).wait() == 0
        if on_mariadb:
            print("\nOn MariaDB, what differs between databases:", flush=True)
            is_green &= on_mariadb.wait() == 0
            said.seek(0)
            shutil.copyfileobj(said, sys.stdout)
    return is_green


def _pytest(processes: int, mark: str, output: IO | None = None, **environment: str) -> subprocess.Popen:
    spread = ["-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder"]
    command = [sys.executable, "-m", "pytest", "-q", "--durations=10", *spread, "-m", mark]
    seed = os.environ.get("PYTHONHASHSEED", str(secrets.randbelow(1 << 32)))
    print(f"PYTHONHASHSEED={seed}", file=output, flush=True)
    environment = {**os.environ, "PYTHONHASHSEED": seed, **environment}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)


def _processes(*, half: bool = False) -> int:
    """One more than there are cores, as a test waits for its servers part of its time; half: half as many.

    With two for each core all took as long, and each test longer.
    """
    by_memory = psutil.virtual_memory().available // BYTES_OF_A_PROCESS
    processes = min(1 + (psutil.cpu_count() or 1), by_memory)
    return max(1, processes // 2 if half else processes)


def _why_no_browser() -> str:
    if any(map(_has, BROWSERS)):
        return ""
    return f"the browser's tests, because there is no Chromium. To run them: {CHROMIUM}"


def _why_no_mariadb() -> str:
    if not (_has("mariadbd") and _has("mariadb-install-db")):
        return f"the tests on MariaDB, because there is no MariaDB server. To run them: {MARIADB}"
    if importlib.util.find_spec("MySQLdb"):
        return ""
    return f"the tests on MariaDB, because mysqlclient could not be compiled here. To run them: {HEADERS}"


def _has(program: str) -> bool:
    return shutil.which(program, path=SYSTEM_PATH) is not None


if __name__ == "__main__":
    sys.exit(main())
