"""What a source said no to, so that it is not asked the same again at once.

Kept in Redis for all processes. Each further no doubles the time, so that a source which was wrong for a moment costs
minutes, and what is gone for good is asked about a few times a day.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from monitoring import redis

FIRST_SECONDS, LONGEST_SECONDS = 300, 6 * 3600  # several answers a day tell what was delisted from what nobody asked
FORGET_SECONDS = 86_400  # after the time is over; a no that comes later is a first one again
BATCHED = "quotes"
MOST = 10_000  # things; those whose time is over first are forgotten

# KEYS until, times; ARGV what, milliseconds of the first time, of the longest, until it is forgotten, the most things.
# Answers milliseconds.
_NOTE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local first, longest, forget = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - forget, 'LIMIT', 0, 100)
local above = redis.call('ZCARD', KEYS[1]) - #gone - tonumber(ARGV[5])
if above > 0 then
  for _, each in ipairs(redis.call('ZRANGE', KEYS[1], #gone, #gone + math.min(above, 100) - 1)) do
    table.insert(gone, each)
  end
end
if #gone > 0 then
  redis.call('ZREM', KEYS[1], unpack(gone))
  redis.call('HDEL', KEYS[2], unpack(gone))
end
local times = redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
local wait = math.min(first * 2 ^ math.min(times - 1, 30), longest)
redis.call('ZADD', KEYS[1], now + wait, ARGV[1])
redis.call('PEXPIRE', KEYS[1], wait + longest + forget)
redis.call('PEXPIRE', KEYS[2], wait + longest + forget)
return wait
"""


@dataclass(frozen=True, slots=True)
class Negatives:
    """The negative answers of one kind, such as of symbols that the provider does not know."""

    provider: str
    kind: str
    first_seconds: float = FIRST_SECONDS
    longest_seconds: float = LONGEST_SECONDS

    def note(self, what: str) -> float:
        """It said no to this; answers for how many seconds it is not asked again."""
        limits = [self.first_seconds * 1000, self.longest_seconds * 1000, FORGET_SECONDS * 1000, MOST]
        keys = [self._key("until"), self._key("times")]
        return int(redis.client().eval(_NOTE, 2, *keys, what, *limits)) / 1000

    def left(self, what: str) -> float | None:
        """For how many seconds it is not asked about this; 0: it may be again; None: it never said no."""
        with redis.client().pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.zscore(self._key("until"), what)
            (seconds, microseconds), until = pipe.execute()
        if until is None:
            return None
        left = until / 1000 - seconds - microseconds / 1e6
        return left if 0 < left <= self.longest_seconds else 0  # what is further ahead a wrong clock has set

    def forget(self, whats: Iterable[str]) -> None:
        """It says otherwise now, or somebody does."""
        if told := list(whats):
            with redis.client().pipeline() as pipe:
                pipe.zrem(self._key("until"), *told)
                pipe.hdel(self._key("times"), *told)
                pipe.execute()

    def count(self) -> int:
        """How many things it is not asked about now."""
        seconds, microseconds = redis.client().time()
        now = seconds * 1000 + microseconds // 1000
        return redis.client().zcount(self._key("until"), f"({now}", now + self.longest_seconds * 1000)

    def _key(self, part: str) -> str:
        return redis.key("negatives", self.provider, self.kind, part)


def unknown(provider: str) -> Negatives:
    """Symbols that a provider does not know."""
    return Negatives(provider, "unknown")


def batched(provider: str) -> Negatives:
    """Requests for many quotes at once, of which BATCHED is the one: while they are refused each symbol is asked for
    alone, which is many requests for one.
    """
    return Negatives(provider, "batched", first_seconds=60, longest_seconds=3600)
