"""One pace for every process that asks a provider: a token bucket and a circuit breaker, both kept in Redis.

The server's clock counts, so that processes on many machines agree. A slot is reserved at once and waited for here:
callers are served in the order they came and nobody polls.
"""

import logging
import time
from dataclasses import dataclass

from market.sources.errors import ProviderError
from monitoring import jobs, redis

logger = logging.getLogger(__name__)

BURST = 4
FAILURES_TO_OPEN = 5
COOL_DOWN_SECONDS = 60
LONGEST_COOL_DOWN_SECONDS = 1800
_LONGEST = LONGEST_COOL_DOWN_SECONDS * 1000
LOOK_SECONDS = 0.2  # between two looks, while waiting, whether the job that asks must stop
PROBE_SECONDS = 30  # a probe that says nothing for this long is given up, and another may go

# An instant further ahead than it can have been set was set by a clock that was wrong, and is now.
_CLOCK = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function number(key, field) return tonumber(redis.call('HGET', key, field) or '0') end
local function instant(at, furthest) if at > now + furthest then return now end return at end
"""

# KEYS bucket, breaker; ARGV milliseconds a slot, of burst, of the longest wait, of a probe, of the longest cool-down.
# Answers {'slot', milliseconds to wait} or {'full', milliseconds} or {'open', milliseconds, code, why}.
_TAKE = (
    _CLOCK
    + """
local opened_until = instant(number(KEYS[2], 'opened_until'), tonumber(ARGV[5]))
local code, why = redis.call('HGET', KEYS[2], 'code'), redis.call('HGET', KEYS[2], 'why') or ''
if opened_until > now then return {'open', opened_until - now, code, why} end
local probe_until = instant(number(KEYS[2], 'probe_until'), tonumber(ARGV[4]) + tonumber(ARGV[5]))
if opened_until > 0 and probe_until > now then return {'open', probe_until - now, code, why} end
local slot, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local free_at = instant(tonumber(redis.call('GET', KEYS[1]) or '0'), slot + burst + tonumber(ARGV[5]))
free_at = math.max(free_at, now)
local wait = math.max(0, math.ceil(free_at - burst - now))
if wait > tonumber(ARGV[3]) then return {'full', wait} end
redis.call('SET', KEYS[1], string.format('%.3f', free_at + slot), 'PX', math.ceil(free_at + slot - now) + 1000)
if opened_until > 0 then redis.call('HSET', KEYS[2], 'probe_until', now + wait + tonumber(ARGV[4])) end
return {'slot', wait}
"""
)

# KEYS breaker; ARGV code, failures to open, cool-down, longest cool-down, why. Answers the cool-down it began, or 0.
_FAILED = (
    _CLOCK
    + """
local opened_until = instant(number(KEYS[1], 'opened_until'), tonumber(ARGV[4]))
if opened_until > now then return 0 end
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
redis.call('HSET', KEYS[1], 'why', ARGV[5])
redis.call('PEXPIRE', KEYS[1], 2 * tonumber(ARGV[4]))
if opened_until == 0 and ARGV[1] ~= 'rate_limited' and failures < tonumber(ARGV[2]) then return 0 end
local times = redis.call('HINCRBY', KEYS[1], 'times', 1)
local wait = math.min(tonumber(ARGV[3]) * 2 ^ (times - 1), tonumber(ARGV[4]))
redis.call('HSET', KEYS[1], 'opened_until', now + wait, 'probe_until', 0, 'failures', 0, 'code', ARGV[1])
return wait
"""
)

# KEYS doubts; ARGV what nonsense was told about, milliseconds to remember. Answers about how many, one after the other.
_DOUBTED = """
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('SCARD', KEYS[1])
"""

# KEYS breaker, doubts; ARGV the longest cool-down. `times` stays until the key expires, so that a provider that fails
# again soon is left alone for longer.
_SUCCEEDED = (
    _CLOCK
    + """
redis.call('DEL', KEYS[2])
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if instant(number(KEYS[1], 'opened_until'), tonumber(ARGV[1])) > now then return 0 end
return redis.call('HDEL', KEYS[1], 'opened_until', 'probe_until', 'failures', 'code', 'why')
"""
)


class NoSlot(ProviderError):
    """We did not ask at all; says nothing new about the provider. `why`: how it failed before, else empty."""

    def __init__(self, message: str, *, code: str, why: str = "") -> None:
        super().__init__(message, code=code, temporary=True)
        self.why = why


@dataclass(frozen=True, slots=True)
class Pace:
    """The pace of one provider: `rate` requests a second over all processes that share the Redis."""

    provider: str
    rate: float
    burst: int = BURST
    cool_down_seconds: float = COOL_DOWN_SECONDS

    def wait(self, *, longest_seconds: float) -> None:
        """Return when a request may leave.

        Raises NoSlot, temporary, where no slot is free within `longest_seconds` or the breaker is open. A checkpoint
        of the job that asks.
        """
        slot = 1000 / self.rate
        answer = _run(
            _TAKE,
            [self._key("bucket"), self._key("breaker")],
            [slot, slot * (self.burst - 1), longest_seconds * 1000, PROBE_SECONDS * 1000, _LONGEST],
        )
        verdict, seconds = answer[0], int(answer[1]) / 1000
        if verdict == b"open":
            text = f"{self.provider}: not asked for another {seconds:.0f} s, after it failed"
            raise NoSlot(text, code=answer[2].decode(), why=answer[3].decode())
        if verdict == b"full":
            text = f"{self.provider}: our own limit of {self.rate:g} requests a second is used up for {seconds:.1f} s"
            raise NoSlot(text, code="rate_limited")
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            jobs.current().checkpoint()
            time.sleep(min(left, LOOK_SECONDS))

    def failed(self, code: str, why: str = "", *, at: int = FAILURES_TO_OPEN) -> None:
        """Count a failure of the provider itself; a 429 or so many in a row stop all requests for a while."""
        limits = [at, self.cool_down_seconds * 1000, _LONGEST]
        cool_down = _run(_FAILED, [self._key("breaker")], [code, *limits, why])
        if cool_down:
            logger.warning("%s: %s, asking again in %.0f s", self.provider, code, int(cool_down) / 1000)

    def doubted(self, about: str, why: str) -> None:
        """It answered with nonsense. About one thing that says nothing against it; about five, and nothing sane in
        between, it is a failure.
        """
        if int(_run(_DOUBTED, [self._key("doubts")], [about, 2 * _LONGEST])) >= FAILURES_TO_OPEN:
            self.failed("upstream_down", why, at=1)

    def succeeded(self) -> None:
        """The provider answered: failures so far are forgotten, and a probe that succeeds closes the breaker."""
        _run(_SUCCEEDED, [self._key("breaker"), self._key("doubts")], [_LONGEST])

    def _key(self, part: str) -> str:
        return redis.key("pace", self.provider, part)


def _run(script: str, keys: list[str], arguments: list) -> object:
    return redis.client().eval(script, len(keys), *keys, *arguments)
