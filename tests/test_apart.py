"""Chaos and measurements stay apart: a machine without MariaDB and its driver runs all other tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import __main__ as make_test

ROOT = Path(__file__).resolve().parent.parent
MISSING = "import sys; sys.modules['MySQLdb'] = None; import pytest; sys.exit(pytest.main(sys.argv[1:]))"


def collect(*arguments: str, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess:
    """What pytest finds in tests/chaos and tests/bench where mysqlclient can't be imported."""
    command = [sys.executable, "-c", MISSING, "--collect-only", "-q", "-p", "no:cacheprovider", *arguments]
    folders = ["tests/chaos", "tests/bench", "tests/test_layers.py"]
    return subprocess.run(
        [*command, *folders], cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )


def test_without_the_driver_the_usual_tests_are_collected():
    found = collect("-m", "not chaos and not bench")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "tests/test_layers.py" in found.stdout
    assert "tests/chaos" not in found.stdout


@pytest.mark.parametrize("mark", ["chaos", "bench"])
def test_what_is_asked_for_and_lacks_a_server_is_told_in_a_sentence_with_the_fix(mark):
    found = collect("-m", mark)
    assert found.returncode != 0
    assert "Traceback" not in found.stdout + found.stderr
    assert "sudo apt-get install" in found.stdout + found.stderr


def test_chaos_that_needs_no_mariadb_runs_without_it():
    found = collect("-m", "chaos", "-k", "test_up")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "tests/chaos/test_up.py" in found.stdout
    assert "Left out: the jobs" in found.stdout


def test_only_recordings_that_lie_nowhere_may_be_skipped_where_nothing_may(tmp_path, monkeypatch):
    monkeypatch.setattr(make_test, "RECORDINGS", tmp_path / "data")
    lacks = f"3 × needs the recorded exchanges of Yahoo, and {tmp_path}/data/yahoo is absent"
    assert not make_test._is_avoidable(lacks)
    assert make_test._is_avoidable("1 × somebody was in a hurry")
    (tmp_path / "data").mkdir()
    assert make_test._is_avoidable(lacks)
