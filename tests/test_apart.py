"""Chaos and measurements stay apart: a machine without MariaDB and its driver runs all other tests."""

import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests import __main__ as make_test
from tests import apart

ROOT = Path(__file__).resolve().parent.parent
MISSING = "import sys; sys.modules['MySQLdb'] = None; import pytest; sys.exit(pytest.main(sys.argv[1:]))"


@cache
def collect(*arguments: str) -> subprocess.CompletedProcess:
    """What pytest finds in tests/chaos and tests/bench where mysqlclient can't be imported."""
    command = [sys.executable, "-c", MISSING, "--collect-only", "-q", "-p", "no:cacheprovider", *arguments]
    folders = ["tests/chaos", "tests/bench", "tests/test_layers.py"]
    return subprocess.run([*command, *folders], cwd=ROOT, capture_output=True, text=True, check=False)


def test_without_the_driver_the_usual_tests_are_collected():
    found = collect("-m", "not chaos and not bench")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "tests/test_layers.py" in found.stdout
    assert "tests/chaos" not in found.stdout


@pytest.mark.parametrize("mark", ["chaos", "bench"])
def test_what_is_asked_for_and_lacks_a_server_is_named_with_the_fix(mark):
    told = collect("-m", mark).stdout
    assert f"Left out: {mark}/test_jobs" in told
    assert "sudo apt-get install" in told


def test_chaos_that_needs_no_mariadb_runs_without_it():
    found = collect("-m", "chaos")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "tests/chaos/test_up.py" in found.stdout


def test_the_short_form_runs_one_test_of_each_file():
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "--short"]
    asked = [*command, "-m", "chaos or bench", "tests/chaos", "tests/bench"]
    found = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    files = [line.partition("::")[0] for line in found.splitlines() if "::" in line]
    there = {str(path.relative_to(ROOT)) for mark in apart.APART for path in (ROOT / "tests" / mark).glob("test_*.py")}
    assert sorted(files) == sorted(there - set(apart.cannot_run()))


def test_only_recordings_that_lie_nowhere_may_be_skipped_where_nothing_may(tmp_path, monkeypatch):
    monkeypatch.setattr(make_test, "RECORDINGS", tmp_path / "data")
    lacks = f"3 × needs the recorded exchanges of Yahoo, and {tmp_path}/data/yahoo is absent"
    assert not make_test._is_avoidable(lacks)
    assert make_test._is_avoidable("1 × somebody was in a hurry")
    (tmp_path / "data").mkdir()
    assert make_test._is_avoidable(lacks)


def test_the_short_form_judges_nothing_and_measures_little_in_whatever_is_imported_first():
    imported = "from tests.bench import evidence; from tests.bench.stream import rounds"
    code = f"def pytest_collection_finish():\n    {imported}\n    print(evidence.IS_JUDGED, rounds.SCALE)\n"
    asked = ["-m", "pytest", "--collect-only", "-q", "-s", "-p", "no:cacheprovider", "-p", "telling", "--short"]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "telling.py").write_text(code)
        command = [sys.executable, *asked, "-m", "bench", "tests/bench"]
        paths = {**os.environ, "PYTHONPATH": folder}
        found = subprocess.run(command, cwd=ROOT, env=paths, capture_output=True, text=True, check=False)
    assert "False 0.02" in found.stdout, found.stdout + found.stderr
