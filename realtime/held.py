"""Of which symbols somebody holds the bars or indicators: web processes say so, and the feed reads it.

One sorted set: a ticker, and when it was last said to be held, by the clock of Redis. All processes add to the same, so
that it sums itself, and what one held that has died ends like what nobody holds any more. One that nobody held before
rings a bell: the feed tells its newest at once.
"""

from collections.abc import Sequence

from redis.asyncio import Redis

from monitoring import redis

SAY_SECONDS = 5.0  # what is held is said to be so again
AT_ONCE = 1000  # in one call
CLOSE_SECONDS = 60.0  # after it was last said

# KEYS the set, and the bell; ARGV tickers.
_SAY = """
local now, said = redis.call('TIME')[1], {}
for i = 1, #ARGV do said[2 * i - 1] = now; said[2 * i] = ARGV[i] end
local new = redis.call('ZADD', KEYS[1], unpack(said))
if new > 0 and redis.call('EXISTS', KEYS[2]) == 0 then redis.call('RPUSH', KEYS[2], 1) end
"""
# KEYS the set; ARGV the seconds after which a ticker is held no more.
_READ = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. redis.call('TIME')[1] - ARGV[1])
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""


async def say(server: Redis, tickers: Sequence[str]) -> None:
    """These are held here. Raises redis' errors."""
    for start in range(0, len(tickers), AT_ONCE):
        await server.eval(_SAY, 2, _key(), bell_key(), *tickers[start : start + AT_ONCE])


def tickers() -> frozenset[str]:
    """Those that were said to be held a short while ago. Raises redis' errors."""
    return frozenset(name.decode() for name in redis.client().eval(_READ, 1, _key(), int(CLOSE_SECONDS)))


def heed_bell(timeout_seconds: float) -> bool:
    """Until somebody holds what nobody held before, but no longer than this; whether it rang. Raises redis' errors."""
    return redis.client().blpop([bell_key()], timeout_seconds) is not None


def ring() -> None:
    """Whoever heeds the bell has something else to do. Raises redis' errors."""
    redis.client().rpush(bell_key(), 1)


def bell_key() -> str:
    return redis.key("held", "bell")


def _key() -> str:
    return redis.key("held")
