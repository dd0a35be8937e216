"""How fast work may go, for all processes together: so many a second, kept in Redis by the server's clock.

Each caller is given its instant at once and waits for it here, so nobody polls and the order is kept.
"""

import time
from dataclasses import dataclass

from monitoring import redis
from monitoring.jobs.context import current

SLICE_SECONDS = 0.2  # between two looks whether the job must stop

# KEYS when the next may go; ARGV milliseconds between two, milliseconds of burst. Answers the milliseconds to wait.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local free_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local next_at = free_at + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.3f', next_at), 'PX', math.ceil(next_at - now) + 1000)
return math.max(0, math.ceil(free_at - tonumber(ARGV[2]) - now))
"""


@dataclass(frozen=True, slots=True)
class Limiter:
    """`per_second` of what is called `name`, and `burst` at once after a pause."""

    name: str
    per_second: float
    burst: int = 1

    def wait(self) -> None:
        """Return when it is our turn. A checkpoint of the job that runs here."""
        between = 1000 / self.per_second
        milliseconds = redis.client().eval(
            _TAKE, 1, redis.key("limiter", self.name), between, between * (self.burst - 1)
        )
        until = time.monotonic() + milliseconds / 1000
        while (left := until - time.monotonic()) > 0:
            current().checkpoint()
            time.sleep(min(left, SLICE_SECONDS))
