"""What `make chaos` and `make bench` run is not even imported by other runs: it needs what a bare machine has not."""

import importlib.util
import os
import re
import shutil
from pathlib import Path

import pytest

APART = {"chaos", "bench"}
JOBS = [file for mark in APART for file in (Path(__file__).resolve().parent / mark).glob("test_jobs*.py")]
MAKES = "sudo apt-get install mariadb-server gcc pkg-config python3-dev libmariadb-dev"
DRIVER = f"{MAKES.replace('mariadb-server ', '')}, then .venv/bin/pip install -r requirements.txt"

_left_out: set[str] = set()


def pytest_collection(session: pytest.Session) -> None:
    """Say in a sentence what is asked for and can't run here."""
    config = session.config
    wanted = [file for file in JOBS if _asks_for(file.parent.name, config.option.markexpr)]
    given = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    is_named = any(file.is_relative_to(path) for file in wanted for path in given)
    if is_named and not config.option.keyword and (reason := why_no_jobs()):
        raise pytest.UsageError(reason)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what -m does not ask for, and of what -k chooses from the files that can't run here."""
    if collection_path.parent.name not in APART or collection_path.suffix != ".py":
        return None
    if not _asks_for(collection_path.parent.name, config.option.markexpr):
        return True
    if collection_path not in JOBS or not (reason := why_no_jobs()):
        return None
    _left_out.add(reason)
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason in _left_out:
        terminalreporter.write_line(f"Left out: {reason}")


def why_no_jobs() -> str:
    """What the jobs' chaos and measurements lack on this machine, and the fix; empty where they can run."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin"
    if not (shutil.which("mariadbd", path=path) and shutil.which("mariadb-install-db", path=path)):
        return f"the jobs are broken and measured on MariaDB, and there is no MariaDB server. To install it: {MAKES}"
    if not importlib.util.find_spec("MySQLdb"):
        return (
            f"the jobs are broken and measured on MariaDB, and its driver mysqlclient is missing. To get it: {DRIVER}"
        )
    return ""


def _asks_for(mark: str, expression: str) -> bool:
    return not expression or re.search(rf"(?<!not )\b{mark}\b", expression) is not None
