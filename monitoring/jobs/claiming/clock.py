"""The wall's clock against the one that only goes on: whether it was set, or the machine slept."""

import time
from datetime import timedelta

LEAST_SECONDS = 1.0
CLOCKS_APART = timedelta(minutes=5)  # of two machines that are both right


class Watch:
    """Notices when instants of before stop being comparable with instants of now."""

    def __init__(self) -> None:
        self._apart = time.time() - time.monotonic()

    def moved(self) -> float:
        """Seconds that the wall's clock was moved by since it was asked last, 0 where by less than a second."""
        moved = time.time() - time.monotonic() - self._apart
        if abs(moved) < LEAST_SECONDS:
            return 0.0
        self._apart += moved
        return moved
