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


def test_what_a_killed_test_process_left_behind_is_named_and_ended(tmp_path):
    note = tmp_path / "note"
    (tmp_path / "test_leaves.py").write_text(LEAVES.format(note=str(note)))
    quiet = ["-q", "-p", "no:cacheprovider", "-c", "pyproject.toml"]
    command = [sys.executable, "-m", "pytest", "-n", "1", "--max-worker-restart", "0", *quiet]
    alone = {name: value for name, value in os.environ.items() if name not in {services.PART, services.RUN}}
    said = subprocess.run(
        [*command, str(tmp_path)], cwd=ROOT, env=alone, capture_output=True, text=True, check=False
    ).stdout
    pid, folder = note.read_text().split()
    assert "Left running, and ended now: ['sleep', '600']" in said
    assert not psutil.pid_exists(int(pid)) or psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE
    assert not Path(folder).exists()
