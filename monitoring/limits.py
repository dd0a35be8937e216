"""How often somebody may do something within a time, at once or spread.

Counted in the memory of each process: that costs microseconds and no server that could be away, so it stands in
nobody's way. With N processes somebody gets up to N times as much, which protects each process all the same.

Of each who asks one number is kept: when all that they asked for will have been paid for. (GCRA, the leaky bucket of
ATM Forum TM 4.0; nothing ticks, and who has been quiet for the time is as if they had never come.)
"""

import math
import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass

WINDOW_SECONDS = 60
ROOM = 50_000  # of those who ask, each kind


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands after they asked. left: requests at once; reset_seconds: until all are there again."""

    policy: str
    quota: int
    left: int
    reset_seconds: int
    wait_seconds: int = 0  # of one that is over

    @property
    def is_over(self) -> bool:
        return self.wait_seconds > 0

    def __str__(self) -> str:
        """What is said to whom it does not let in."""
        what = f"{self.quota:,} requests a minute of one {self.policy} are enough"
        return f"{what}; the next one is let in in {self.wait_seconds} s."

    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers-10 writes them."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.quota};w={WINDOW_SECONDS}',
            "RateLimit": f'"{self.policy}";r={self.left};t={self.reset_seconds}',
        }


class Limit:
    """So many in a window, a minute unless another is said, for each who asks; 0 is no limit."""

    def __init__(self, policy: str, quota: int, room: int = ROOM, window_seconds: float = WINDOW_SECONDS) -> None:
        self._policy, self._quota, self._room, self._window = policy, quota, room, window_seconds
        self._cost = window_seconds / quota if quota else 0.0
        self._paid_at: dict[Hashable, float] = {}
        self._counting = threading.Lock()

    def take(self, who: Hashable) -> Standing | None:
        """Count one request, unless it is over; None where there is no limit."""
        if not self._quota:
            return None
        now = time.monotonic()
        with self._counting:
            paid_at = max(self._paid_at.get(who, now), now) + self._cost
            wait = paid_at - now - self._window
            if wait > 1e-6:
                paid_at -= self._cost
            else:
                self._paid_at[who] = paid_at
                wait = 0.0
                if len(self._paid_at) > self._room:
                    self._forget(now)
        owed = paid_at - now
        left = max(0, math.floor((self._window - owed) / self._cost + 1e-6))
        return Standing(self._policy, self._quota, left, math.ceil(owed), math.ceil(wait))

    def wait(self, who: Hashable) -> float:
        """Seconds until one more would be counted; 0 where it would be now."""
        owed = self._paid_at.get(who, 0.0) - time.monotonic()
        return max(0.0, owed + self._cost - self._window)

    def _forget(self, now: float) -> None:
        """Who owes nothing; where all owe, the half that owes least."""
        owing = {who: at for who, at in self._paid_at.items() if at > now}
        if len(owing) > self._room // 2:
            owing = dict(sorted(owing.items(), key=lambda each: each[1])[-(self._room // 2) :])
        self._paid_at = owing
