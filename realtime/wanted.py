"""Which streams somebody holds that are told only while somebody does: web processes say so, and the feed reads it.

One sorted set: a stream, and when it was last said to be held, by the clock of Redis. All processes add to the same, so
it sums itself, and what one held that has died ends like what nobody holds any more.
"""

from collections.abc import Sequence

from redis.asyncio import Redis

from monitoring import metrics, redis

SAY_SECONDS = 5.0  # held streams are said to be so again
AT_ONCE = 1000  # in one call
CLOSE_SECONDS = 60.0  # after it was last said
MOST = 5000  # of all processes together

# KEYS the set; ARGV the seconds after which a stream is wanted no more, the most there may be, and streams.
# Says that they are wanted, all or none; 0 where there is no room.
_ADMIT = """
local now = redis.call('TIME')[1]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. now - ARGV[1])
local count = redis.call('ZCARD', KEYS[1])
for i = 3, #ARGV do
  if not redis.call('ZSCORE', KEYS[1], ARGV[i]) then count = count + 1 end
end
if count > tonumber(ARGV[2]) then return 0 end
for i = 3, #ARGV do redis.call('ZADD', KEYS[1], now, ARGV[i]) end
return 1
"""
# KEYS the set; ARGV streams.
_SAY = """
local now = redis.call('TIME')[1]
for i = 1, #ARGV do redis.call('ZADD', KEYS[1], now, ARGV[i]) end
"""
# KEYS the set; ARGV the seconds after which a stream is wanted no more, and the most to tell, the last said first.
_READ = """
local since = redis.call('TIME')[1] - ARGV[1]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. since)
return {redis.call('ZCARD', KEYS[1]), redis.call('ZREVRANGE', KEYS[1], 0, ARGV[2] - 1)}
"""


async def admit(server: Redis, streams: Sequence[str]) -> bool:
    """Let these be held, and told from now on; False where all together would be too many. Raises redis' errors."""
    return bool(await server.eval(_ADMIT, 1, _key(), int(CLOSE_SECONDS), MOST, *streams))


async def say(server: Redis, streams: Sequence[str]) -> None:
    """These are held here. Raises redis' errors."""
    for start in range(0, len(streams), AT_ONCE):
        await server.eval(_SAY, 1, _key(), *streams[start : start + AT_ONCE])


def streams() -> list[str]:
    """Those that were said to be held a short while ago, in order. Raises redis' errors.

    A Redis that has forgotten them lets others in before it is told again: of too many those that were said last.
    """
    count, found = redis.client().eval(_READ, 1, _key(), int(CLOSE_SECONDS), MOST)
    metrics.INDICATORS_LEFT_OUT.set(count - len(found))
    return sorted(name.decode() for name in found)


def _key() -> str:
    return redis.key("wanted")
