"""Both clocks of a process, under the test's hand."""

import time
from datetime import datetime, timedelta

from django.utils import timezone


class Clocks:
    """The wall's and the one that only goes on, both under the test's hand."""

    def __init__(self) -> None:
        self.wall, self.monotonic = timezone.now(), time.monotonic()

    def go(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.monotonic += seconds

    def now(self) -> datetime:
        return self.wall
