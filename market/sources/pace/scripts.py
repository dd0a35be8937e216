"""What of a pace happens in Redis, at once and by its clock, so that processes on many machines agree.

bucket: until when slots are taken. breaker: failures in a row, and until when nobody asks. doubts: about what nonsense
was told. health: the share of the rate that is asked for now, and what happened last.
"""

# An instant further ahead than it can have been set was set by a clock that was wrong, and is now.
_CLOCK = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function number(key, field) return tonumber(redis.call('HGET', key, field) or '0') end
local function instant(at, furthest) if at > now + furthest then return now end return at end
local function share(key) return tonumber(redis.call('HGET', key, 'share') or '1') end
local function count(key, what, by) redis.call('HINCRBY', key, what, by) end
local function remember(key) redis.call('PEXPIRE', key, 86400000) end
"""

# A request that left before the last cut was asked at the pace of before: its answer says nothing against the new one.
_CUT = """
local function cut(key, factor, least, took)
  local cut_at = number(key, 'cut_at')
  if cut_at <= now and now - took < cut_at then return 0 end
  local found = math.max(tonumber(least), share(key) * tonumber(factor))
  redis.call('HSET', key, 'share', string.format('%.4f', found), 'cut_at', now, 'changed_at', now)
  return 1
end
"""

# What a provider asks for while nobody asks it anyhow counts too, also for who ends a pause before.
_LEAVE_ALONE = """
local function leave_alone(key, wanted, opened_until, code, why)
  if redis.call('HEXISTS', key, 'paused') == 1 then
    if wanted > number(key, 'before') then
      redis.call('HSET', key, 'before', wanted, 'before_code', code, 'before_why', why)
    end
  end
  if wanted > opened_until then redis.call('HSET', key, 'opened_until', wanted) end
end
"""

# KEYS bucket, breaker, health; ARGV milliseconds a slot, of burst, of the longest wait, of a probe, of the longest
# cool-down. Answers {'slot', milliseconds to wait} or {'full', milliseconds} or {'open', milliseconds, code, why,
# paused}, the last of which is empty but of a pause by people.
TAKE = (
    _CLOCK
    + """
local opened_until = instant(number(KEYS[2], 'opened_until'), tonumber(ARGV[5]))
local code, why = redis.call('HGET', KEYS[2], 'code'), redis.call('HGET', KEYS[2], 'why') or ''
local paused = redis.call('HGET', KEYS[2], 'paused') or ''
local function left_alone(wait, paused)
  count(KEYS[3], 'refused_open', 1)
  remember(KEYS[3])
  return {'open', wait, code, why, paused}
end
if opened_until > now then return left_alone(opened_until - now, paused) end
local probe_until = instant(number(KEYS[2], 'probe_until'), tonumber(ARGV[4]) + tonumber(ARGV[5]))
if opened_until > 0 and probe_until > now then return left_alone(probe_until - now, '') end
local slot, burst = tonumber(ARGV[1]) / share(KEYS[3]), tonumber(ARGV[2]) / share(KEYS[3])
local free_at = instant(tonumber(redis.call('GET', KEYS[1]) or '0'), slot + burst + tonumber(ARGV[5]))
free_at = math.max(free_at, now)
local wait = math.max(0, math.ceil(free_at - burst - now))
if wait > tonumber(ARGV[3]) then
  count(KEYS[3], 'refused_full', 1)
  remember(KEYS[3])
  return {'full', wait}
end
redis.call('SET', KEYS[1], string.format('%.3f', free_at + slot), 'PX', math.ceil(free_at + slot - now) + 1000)
if opened_until > 0 then redis.call('HSET', KEYS[2], 'probe_until', now + wait + tonumber(ARGV[4])) end
local minute, counted = math.floor(now / 60000), number(KEYS[3], 'minute')
if counted ~= minute then
  local before = counted == minute - 1 and number(KEYS[3], 'asked') or 0
  redis.call('HSET', KEYS[3], 'minute', minute, 'asked', 0, 'asked_before', before)
end
count(KEYS[3], 'asked', 1)
count(KEYS[3], 'requests', 1)
count(KEYS[3], 'waited', wait)
remember(KEYS[3])
return {'slot', wait}
"""
)

# KEYS breaker, health; ARGV code, failures to open, cool-down, longest cool-down, why, what a 429 leaves of the share,
# the least share, milliseconds it took, milliseconds that the provider wants to be left alone. Answers the cool-down it
# began, or 0.
FAILED = (
    _CLOCK
    + _CUT
    + _LEAVE_ALONE
    + """
redis.call('HSET', KEYS[2], 'failed_at', now, 'failed_by', ARGV[1], 'failed_why', ARGV[5])
if ARGV[1] == 'rate_limited' then
  redis.call('HSET', KEYS[2], 'limited_at', now)
  cut(KEYS[2], ARGV[6], ARGV[7], tonumber(ARGV[8]))
end
remember(KEYS[2])
local opened_until = instant(number(KEYS[1], 'opened_until'), tonumber(ARGV[4]))
if opened_until > now then
  if tonumber(ARGV[9]) > 0 then
    leave_alone(KEYS[1], now + math.min(tonumber(ARGV[9]), tonumber(ARGV[4])), opened_until, ARGV[1], ARGV[5])
  end
  return 0
end
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
redis.call('HSET', KEYS[1], 'why', ARGV[5])
redis.call('PEXPIRE', KEYS[1], 2 * tonumber(ARGV[4]))
if opened_until == 0 and ARGV[1] ~= 'rate_limited' and failures < tonumber(ARGV[2]) then return 0 end
local times = redis.call('HINCRBY', KEYS[1], 'times', 1)
local wait = math.max(tonumber(ARGV[3]) * 2 ^ (times - 1), tonumber(ARGV[9]))
wait = math.min(wait, tonumber(ARGV[4]))
redis.call('HSET', KEYS[1], 'opened_until', now + wait, 'probe_until', 0, 'failures', 0, 'code', ARGV[1])
redis.call('HDEL', KEYS[1], 'paused', 'before', 'before_code', 'before_why')
return wait
"""
)

# KEYS breaker; ARGV milliseconds, the longest cool-down, why. What stood before is kept, once, for who ends the pause.
PAUSE = (
    _CLOCK
    + """
local before = instant(number(KEYS[1], 'opened_until'), tonumber(ARGV[2]))
if redis.call('HEXISTS', KEYS[1], 'paused') == 0 or before <= now then
  local code, why = redis.call('HGET', KEYS[1], 'code') or '', redis.call('HGET', KEYS[1], 'why') or ''
  redis.call('HSET', KEYS[1], 'before', before, 'before_code', code, 'before_why', why)
end
local wanted = math.max(now + tonumber(ARGV[1]), instant(number(KEYS[1], 'before'), tonumber(ARGV[2])))
redis.call('HSET', KEYS[1], 'paused', 1, 'opened_until', wanted, 'probe_until', 0, 'code', 'rate_limited')
redis.call('HSET', KEYS[1], 'why', ARGV[3])
redis.call('PEXPIRE', KEYS[1], 2 * tonumber(ARGV[2]))
return 1
"""
)

# KEYS breaker; ARGV the longest cool-down. Answers whether there was a pause.
RESUME = (
    _CLOCK
    + """
if redis.call('HEXISTS', KEYS[1], 'paused') == 0 then return 0 end
local was_running = instant(number(KEYS[1], 'opened_until'), tonumber(ARGV[1])) > now and 1 or 0
local before = number(KEYS[1], 'before')
if before > 0 then
  local code, why = redis.call('HGET', KEYS[1], 'before_code'), redis.call('HGET', KEYS[1], 'before_why')
  redis.call('HSET', KEYS[1], 'opened_until', before, 'code', code, 'why', why)
else
  redis.call('HDEL', KEYS[1], 'opened_until', 'probe_until', 'code', 'why')
end
redis.call('HDEL', KEYS[1], 'paused', 'before', 'before_code', 'before_why')
return was_running
"""
)

# KEYS health; ARGV what a slow answer leaves of the share, the least share, milliseconds it took. Answers whether the
# share was cut.
SLOW = (
    _CLOCK
    + _CUT
    + """
redis.call('HSET', KEYS[1], 'slow_at', now)
remember(KEYS[1])
return cut(KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]))
"""
)

# KEYS doubts; ARGV what nonsense was told about, milliseconds to remember. Answers about how many, one after the other.
DOUBTED = """
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('SCARD', KEYS[1])
"""

# KEYS breaker, doubts, health; ARGV the longest cool-down, milliseconds in which the whole share comes back, the most
# of them that one answer brings. `times` stays until the key expires, so that a provider that fails again soon is left
# alone for longer.
SUCCEEDED = (
    _CLOCK
    + """
redis.call('HSET', KEYS[3], 'answered_at', now)
remember(KEYS[3])
local held = share(KEYS[3])
if held < 1 then
  local passed = math.max(0, math.min(now - number(KEYS[3], 'changed_at'), tonumber(ARGV[3])))
  held = math.min(1, held + passed / tonumber(ARGV[2]))
  redis.call('HSET', KEYS[3], 'share', string.format('%.6f', held), 'changed_at', now)
end
redis.call('DEL', KEYS[2])
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if instant(number(KEYS[1], 'opened_until'), tonumber(ARGV[1])) > now then return 0 end
redis.call('HDEL', KEYS[1], 'paused', 'before', 'before_code', 'before_why')
return redis.call('HDEL', KEYS[1], 'opened_until', 'probe_until', 'failures', 'code', 'why')
"""
)
