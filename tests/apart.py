"""What `make chaos` and `make bench` run is not even imported by other runs: it needs what a bare machine has not."""

import importlib.util
import os
import re
import shutil
from collections import defaultdict
from pathlib import Path

import pytest

APART = {"chaos", "bench"}
HERE = Path(__file__).resolve().parent
CHAOS = HERE / "chaos"
JOBS = [*CHAOS.glob("test_jobs*.py"), CHAOS / "test_stream_feed.py", HERE / "bench" / "test_jobs.py"]  # on MariaDB
MAKES = "sudo apt-get install mariadb-server gcc pkg-config python3-dev libmariadb-dev"
DRIVER = f"{MAKES.replace('mariadb-server ', '')}, then .venv/bin/pip install -r requirements.txt"

SMALLEST = {"CHAOS_SCALE": "0.01", "BENCH_SCALE": "0.02", "BENCH_UNJUDGED": "1"}

_left_out: dict[str, list[str]] = defaultdict(list)


def pytest_addoption(parser: pytest.Parser) -> None:
    about = "of chaos and bench the first test of each file, at the smallest scale and with no speed judged"
    parser.addoption("--short", action="store_true", help=about)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before any module of ours is imported that reads how much it shall do."""
    if early_config.known_args_namespace.short:
        os.environ.update(SMALLEST)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.short:
        first = {item.path: item for item in reversed(items)}
        config.hook.pytest_deselected(items=[item for item in items if first[item.path] is not item])
        items[:] = [item for item in items if first[item.path] is item]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what -m does not ask for and what can't run here."""
    if collection_path.parent.name not in APART or collection_path.suffix != ".py":
        return None
    if not _asks_for(collection_path.parent.name, config.option.markexpr):
        return True
    if collection_path not in JOBS or not (reason := why_no_jobs()):
        return None
    _left_out[reason].append(f"{collection_path.parent.name}/{collection_path.name}")
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason, files in _left_out.items():
        terminalreporter.write_line(f"Left out: {', '.join(sorted(files))}: {reason}")


def cannot_run() -> list[str]:
    """The files that can't run on this machine."""
    return [f"tests/{file.parent.name}/{file.name}" for file in JOBS if why_no_jobs()]


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
