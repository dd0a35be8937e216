"""What tests start ends with them, whatever becomes of the process that ran them."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

from tests import services

ROOT = Path(__file__).resolve().parent.parent
LEAVES = """
import os, signal, subprocess
from pathlib import Path

def test_leaves():
    left = subprocess.Popen(["sleep", "600"], start_new_session=True)
    Path({note!r}).write_text(f"{{left.pid}} {{os.environ['FINSTAGE_TEST_RUN']}}")
    os.kill(os.getpid(), signal.SIGKILL)
"""


FAILS = """
import pytest

def test_fails():
    assert ["one"] == ["another"]

@pytest.fixture
def nothing():
    raise OSError("is not there")

def test_errs(nothing):
    pass
"""


def alone(tests: Path, *options: str, **environment: str) -> str:
    """What a run of its own says of these tests."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "pyproject.toml", *options]
    apart = {services.PART, services.RUN, services.FAILED, services.SKIPPED}
    kept = {name: value for name, value in os.environ.items() if name not in apart} | environment
    return subprocess.run(
        [*command, str(tests)], cwd=ROOT, env=kept, capture_output=True, text=True, check=False
    ).stdout


def test_what_failed_is_written_with_its_reason_a_line_each(tmp_path):
    said = tmp_path / "said"
    (tmp_path / "test_fails.py").write_text(FAILS)
    alone(tmp_path, "-n", "1", **{services.FAILED: str(said)})
    failed, erred = said.read_text().splitlines()
    assert failed.split("::")[1].startswith("test_fails on sqlite: AssertionError: assert ['one'] == ['another']")
    assert erred.split("::")[1] == "test_errs on sqlite: OSError: is not there"


def test_what_a_killed_test_process_left_behind_is_named_and_ended(tmp_path):
    note = tmp_path / "note"
    (tmp_path / "test_leaves.py").write_text(LEAVES.format(note=str(note)))
    said = alone(tmp_path, "-n", "1", "--max-worker-restart", "0")
    pid, folder = note.read_text().split()
    assert "Left running, and ended now: ['sleep', '600']" in said
    assert not psutil.pid_exists(int(pid)) or psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE
    assert not Path(folder).exists()
