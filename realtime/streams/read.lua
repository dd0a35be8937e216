-- ARGV: prefix, epoch for streams that have none, the most messages of one stream, the most bytes of the answer, then
-- stream, epoch, seq (an empty epoch asks for no history). The epoch is made here, so that a position is never given
-- without one. Of a history with too many messages the newest are told, and one more, so that it shows. What comes after
-- the answer is full is answered with nothing: it is to be asked for again.
local answers, room = {}, tonumber(ARGV[4])
-- The highest kept message that a history has forgotten: the one before its oldest, or the newest where it has gone.
local function forgotten(history, kept, lost)
  local oldest = redis.call('XRANGE', history, '-', '+', 'COUNT', 1)[1]
  if not oldest then return kept or lost or 0 end
  if oldest[2][4] then return oldest[2][4] end
  -- It is of a version that counted what it dropped, and perhaps not of all that was dropped since.
  local before = redis.call('XLEN', history) >= 1000 and string.match(oldest[1], '^%d+') - 1 or 0
  return math.max(before, tonumber(lost) or 0)
end
local function reading(i)
  local state, history = ARGV[1] .. 'state:' .. ARGV[i], ARGV[1] .. 'history:' .. ARGV[i]
  local to = moved(ARGV[i], redis.call('HGET', state, 'to'))
  if not to and not is_sound(state) then
    redis.call('DEL', state, history)
    redis.call('HSET', state, 'epoch', ARGV[2] .. i, 'seq', 0, 'kept', 0)
  end
  keep_for_now(state, ARGV[i])
  local found = redis.call('HMGET', state, 'epoch', 'seq', 'kept', 'latest', 'lost')
  local missed, lost = {}, 0
  if ARGV[i + 1] == found[1] then
    lost = forgotten(history, is_number(found[3]) and found[3], is_number(found[5]) and found[5])
    local entries = redis.call('XREVRANGE', history, '+', '(' .. ARGV[i + 2] .. '-0', 'COUNT', ARGV[3] + 1)
    for n, entry in ipairs(entries) do
      missed[#entries + 1 - n] = entry[2][2]
      room = room - #entry[2][2]
    end
  end
  room = room - #(found[4] or '')
  return {found[1] or '', found[2] or '0', lost, found[4] or '', missed, to or ''}
end
for i = 5, #ARGV, 3 do answers[#answers + 1] = room > 0 and reading(i) end
return answers
