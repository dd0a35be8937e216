"""A name that one process of all holds at a time, for as long as it keeps saying so."""

import contextlib
import os
import secrets
import time
from dataclasses import dataclass

from monitoring import place, redis

# KEYS: the lease, and who held it last. ARGV: who asks, milliseconds, a holder known to be dead, whether who asks has
# held it before (1). Takes what is free, ours or a dead one's, and answers who holds it; who has held it before takes
# it again only where nobody else has since. A server whose clock was set back keeps a lease for longer than it was
# given: who asks cuts it to its length, which its holder, if it lives, renews.
_TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and holder ~= ARGV[3] then
    if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
    return holder
end
local last = redis.call('GET', KEYS[2])
if ARGV[4] == '1' and last and last ~= ARGV[1] then return last end
if last ~= ARGV[1] then redis.call('SET', KEYS[2], ARGV[1]) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


@dataclass(frozen=True, slots=True)
class Process:
    """A process by what tells it from every other: where it runs, its id and when it began."""

    place: str
    pid: int
    birth: float

    def is_gone(self) -> bool:
        """Whether it is known to be dead; one of another machine never is."""
        return place.is_gone(self)


class LeaseLost(Exception):
    """Another process holds it now: this one slept or was cut off for longer than its lease."""


class Lease:
    """Held from a `take` that succeeds until `seconds` after the last one, a `release`, or its holder's death here.

    Who slept through its end takes it again only where nobody else has held it since: what it remembers would be old.
    """

    def __init__(self, name: str, seconds: float) -> None:
        self.seconds = seconds
        self._key = redis.key("lease", name)
        self._holder = f"{place.here()} {os.getpid()} {place.birth()} {secrets.token_hex(8)}"
        self._until = 0.0
        self._has_held = False

    @property
    def fence(self) -> tuple[str, str]:
        """The key and what stands there while it is ours, for a step of the server that asks for itself."""
        return self._key, self._holder

    def take(self) -> bool:
        """Take or renew; False where another holds it. Raises redis' ConnectionError."""
        # Counted from before the question, so that we never believe in it longer than the server does.
        asked_at = time.monotonic()
        holder = self._ask()
        if holder != self._holder and _is_gone(holder):
            holder = self._ask(instead_of=holder)
        taken = holder == self._holder
        self._has_held |= taken
        self._until = asked_at + self.seconds if taken else 0.0
        return taken

    def require(self) -> None:
        """Go on only while it is ours; asks again where we slept through it. Raises LeaseLost."""
        if time.monotonic() >= self._until and not self.take():
            raise LeaseLost

    def release(self) -> None:
        self._until = 0.0
        self._has_held = False
        redis.client().eval(_RELEASE, 1, self._key, self._holder)

    def _ask(self, *, instead_of: str = "") -> str:
        milliseconds = int(self.seconds * 1000)
        keys, more = [self._key, f"{self._key}:last"], (milliseconds, instead_of, int(self._has_held))
        return redis.client().eval(_TAKE, 2, *keys, self._holder, *more).decode()


def _is_gone(holder: str) -> bool:
    """Whether a holder was killed on this machine: nobody waits for what it can't renew."""
    match holder.split(" "):
        case [where, pid, birth, _]:
            with contextlib.suppress(ValueError):  # another version names holders in another way
                return Process(where, int(pid), float(birth)).is_gone()
    return False
