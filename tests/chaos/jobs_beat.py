"""One of two beats on a simulated clock: python -m tests.chaos.jobs_beat START DAYS SEED PAUSE NUMBER"""

import os
import random
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import django
import redis
from django.utils.module_loading import import_module

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finstage.settings")
django.setup()
import_module("tests.chaos.jobs_sample")
schedules = import_module("monitoring.jobs.schedules")
PATIENCE_SECONDS = 120


def main(start: datetime, days: int, seed: int, longest_pause: int, meet: Callable[[], None]) -> None:
    """Tick at random distances of up to so many minutes, as a beat does that is late, stopped and started again.

    The clock is one for both, as the database's is: each of its instants is ticked by one of them, or by both at once.
    """
    chance, now, end = random.Random(seed), start, start + timedelta(days=days)
    while now < end:
        ticks = chance.choice([(0,), (1,), (0, 1), (0, 1)])
        meet()
        if NUMBER in ticks:
            schedules.run_due(now)
        now += timedelta(minutes=chance.uniform(1, longest_pause))
    meet()
    schedules.run_due(end)


def meeting() -> Callable[[], None]:
    """What waits until the other beat is there too."""
    client = redis.Redis(unix_socket_path=urlsplit(os.environ["BROKER_URL"]).path, socket_timeout=None)

    def meet() -> None:
        client.rpush(f"chaos:beat:{1 - NUMBER}", 1)
        if client.blpop([f"chaos:beat:{NUMBER}"], timeout=PATIENCE_SECONDS) is None:
            sys.exit("the other beat does not come")

    return meet


if __name__ == "__main__":
    NUMBER = int(sys.argv[5])
    main(datetime.fromisoformat(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), meeting())
