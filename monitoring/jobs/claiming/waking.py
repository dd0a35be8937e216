"""When a worker looks for work without a ring: while short jobs come one after another it stays awake.

A look costs less than a ring, and one in so many milliseconds finds several jobs.
"""

import time

from monitoring.jobs import doorbell

LOOK_SECONDS = 0.005  # between two looks of a worker that is awake
DENSE_SECONDS = 0.03  # what comes faster than this keeps it awake: a ring costs about as much as four looks
SAY_SECONDS = doorbell.AWAKE_SECONDS / 3


class Waking:
    """Whether a worker is awake, and says so. For its dispatcher alone."""

    def __init__(self) -> None:
        self._is_awake = False
        self._found_at = self._said_at = float("-inf")

    def looked(self, found: int, *, has_room: bool, is_short: bool) -> float | None:
        """Seconds until it has to look again; None where somebody will ring.

        found: how many jobs a look found. has_room: whether it would have found more. is_short: whether jobs are.
        """
        now = time.monotonic()
        is_dense = now - self._found_at < DENSE_SECONDS
        self._found_at = now if found else self._found_at
        if not (is_dense and is_short and has_room and (found or self._is_awake)):
            return self.sleep(looks=has_room)
        if not self._is_awake or now - self._said_at >= SAY_SECONDS:
            # Where it can't be said again, the word of before may still hold: it goes on looking.
            self._is_awake |= doorbell.say_awake()
            self._said_at = now
        return LOOK_SECONDS if self._is_awake else None

    def sleep(self, *, looks: bool) -> float | None:
        """From here on somebody has to ring. What came while nobody did is looked for, here or by others."""
        if not self._is_awake:
            return None
        self._is_awake = False
        is_said = doorbell.say_asleep()
        if not looks:
            doorbell.ring()
        return 0.0 if is_said else doorbell.AWAKE_SECONDS
