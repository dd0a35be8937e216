"""What isolated jobs are forked from is loaded by the server that forks them, and by no other process."""

import subprocess
import sys

CODE = """
import django; django.setup()
import sys
from monitoring.jobs.running import isolated
sys.exit('monitoring.nursery' in sys.modules)
"""


def test_who_runs_jobs_loads_and_freezes_nothing_for_them():
    subprocess.run([sys.executable, "-c", CODE], check=True, timeout=60)
