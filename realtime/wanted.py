"""Which streams somebody holds that are told only while somebody does: web processes say so, and the feed reads it.

Two sorted sets, of indicators and of bars within sessions: a stream, and when it was last said to be held, by the clock
of Redis. All processes add to the same, so they sum themselves, and what one held that has died ends like what nobody
holds any more. One that nobody held before rings the bell of what is held. In a third set the feed says which it tells.
"""

from collections.abc import Collection, Sequence, Set

from django.conf import settings
from redis.asyncio import Redis

from monitoring import metrics, redis
from realtime import held, kinds, streams

AT_ONCE = 1000  # in one call
CLOSE_SECONDS = 60.0  # after it was last said

_RING = """
if is_new and redis.call('EXISTS', KEYS[2]) == 0 then redis.call('RPUSH', KEYS[2], 1) end
"""
# KEYS the set, and the bell; ARGV the seconds after which a stream is wanted no more, the most there may be, and
# streams. Says that they are wanted, all or none; 0 where there is no room.
_ADMIT = f"""
local now, is_new = redis.call('TIME')[1], false
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. now - ARGV[1])
local count = redis.call('ZCARD', KEYS[1])
for i = 3, #ARGV do
  if not redis.call('ZSCORE', KEYS[1], ARGV[i]) then count, is_new = count + 1, true end
end
if count > tonumber(ARGV[2]) then return 0 end
for i = 3, #ARGV do redis.call('ZADD', KEYS[1], now, ARGV[i]) end
{_RING}
return 1
"""
# KEYS the set, and the bell; ARGV streams.
_SAY = f"""
local now, is_new = redis.call('TIME')[1], false
for i = 1, #ARGV do is_new = redis.call('ZADD', KEYS[1], now, ARGV[i]) > 0 or is_new end
{_RING}
"""
# KEYS the set; ARGV the seconds after which a stream is wanted no more, and the most to tell, the last said first.
# Answers how many there are, the time, and each with when it was said; one that has ended once.
_READ = """
local now = redis.call('TIME')[1]
local found = redis.call('ZREVRANGE', KEYS[1], 0, ARGV[2] - 1, 'WITHSCORES')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. now - ARGV[1])
return {redis.call('ZCARD', KEYS[1]), now, found}
"""


async def admit(server: Redis, names: Sequence[str]) -> bool:
    """Let these be held, and told from now on; False where all indicators would be too many. Raises redis' errors."""
    carried = [name for name in names if kinds.is_carried(name)]
    most = settings.LIVE_INDICATORS
    if carried and not await server.eval(_ADMIT, 2, *_keys(carried[0]), int(CLOSE_SECONDS), most, *carried):
        return False
    await say(server, [name for name in names if not kinds.is_carried(name)])
    return True


async def say(server: Redis, names: Sequence[str]) -> None:
    """These are held here. Raises redis' errors."""
    for is_carried in (True, False):
        some = [name for name in names if kinds.is_carried(name) is is_carried]
        for start in range(0, len(some), AT_ONCE):
            await server.eval(_SAY, 2, *_keys(some[0]), *some[start : start + AT_ONCE])


async def are_told(server: Redis, names: Sequence[str]) -> bool:
    """Whether a feed tells all of these. Raises redis' errors."""
    return all(await server.smismember(_told_key(), names))


def ages() -> dict[str, float]:
    """By stream how many seconds ago it was last said to be held; of one that is held no more once. Raises redis'
    errors.

    A Redis that has forgotten them lets others in before it is told again: of too many those that were said last.
    """
    most = settings.LIVE_INDICATORS
    count, found = _read(_EXTRA, most)
    metrics.INDICATORS_LEFT_OUT.set(max(0, count - most))
    return found | _read(_WITHIN, 0)[1]


def names() -> list[str]:
    """Those that were said to be held a short while ago, in order. Raises redis' errors."""
    return sorted(name for name, age in ages().items() if age <= CLOSE_SECONDS)


def close(ended: Set[str]) -> Set[str]:
    """Begin these anew, as they are told no more: where each was ends, and who comes back to it is told of a gap.

    Those that are said to be held by now stay as they are. Returns those that ended. Raises redis' errors.
    """
    return streams.close(ended, unless_in=[redis.key(each) for each in (_EXTRA, _WITHIN)])


def tell(names: Collection[str]) -> None:
    """These are told now, and no others. Raises redis' errors."""
    with redis.client().pipeline(transaction=True) as pipe:
        pipe.delete(_told_key())
        if names:
            pipe.sadd(_told_key(), *names)
        pipe.execute()


_EXTRA, _WITHIN = "wanted", "wanted:bars"


def _read(key: str, most: int) -> tuple[int, dict[str, float]]:
    """How many there are, and the age of each; most: of 0 all."""
    count, now, found = redis.client().eval(_READ, 1, redis.key(key), int(CLOSE_SECONDS), most)
    said = zip(found[::2], found[1::2], strict=True)
    return count, {name.decode(): int(now) - float(at) for name, at in said}


def _keys(name: str) -> tuple[str, str]:
    """Where it is said of such a stream, and the bell."""
    return redis.key(_EXTRA if kinds.is_carried(name) else _WITHIN), held.bell_key()


def _told_key() -> str:
    return redis.key("wanted", "told")
