"""A name that one process of all holds at a time, for as long as it keeps saying so."""

import secrets
import time

from monitoring import redis

# KEYS: the lease. ARGV: the holder, milliseconds. Takes what is free or already the holder's.
_TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class LeaseLost(Exception):
    """Another process holds it now: this one slept or was cut off for longer than its lease."""


class Lease:
    """Held from a `take` that succeeds until `seconds` after the last one, or until `release`."""

    def __init__(self, name: str, seconds: float) -> None:
        self.seconds = seconds
        self._key, self._holder = redis.key("lease", name), secrets.token_hex(8)
        self._until = 0.0

    def take(self) -> bool:
        """Take or renew; False where another holds it. Raises redis' ConnectionError."""
        # Counted from before the question, so that we never believe in it longer than the server does.
        asked_at = time.monotonic()
        taken = redis.client().eval(_TAKE, 1, self._key, self._holder, int(self.seconds * 1000)) == 1
        self._until = asked_at + self.seconds if taken else 0.0
        return taken

    def require(self) -> None:
        """Go on only while it is ours; asks again where we slept through it. Raises LeaseLost."""
        if time.monotonic() >= self._until and not self.take():
            raise LeaseLost

    def release(self) -> None:
        self._until = 0.0
        redis.client().eval(_RELEASE, 1, self._key, self._holder)
