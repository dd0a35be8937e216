"""A beat on a simulated clock: python -m tests.chaos.jobs_beat START DAYS SEED PAUSE"""

import os
import random
import sys
from datetime import datetime, timedelta

import django
from django.utils.module_loading import import_module

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finstage.settings")
django.setup()
import_module("tests.chaos.jobs_sample")
schedules = import_module("monitoring.jobs.schedules")


def main(start: datetime, days: int, seed: int, longest_pause: int) -> None:
    """Tick at random distances of up to so many minutes, as a beat does that is late, stopped and started again."""
    chance, now, end = random.Random(seed), start, start + timedelta(days=days)
    while now < end:
        schedules.run_due(now)
        now += timedelta(minutes=chance.uniform(1, longest_pause))
    schedules.run_due(end)


if __name__ == "__main__":
    main(datetime.fromisoformat(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
