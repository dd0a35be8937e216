-- ARGV: prefix, channel, seconds that a history is kept, then the old and the new name of each stream and, of old and
-- new, the symbol's. What is kept says the new ones from then on, at the same places; the old name says where the stream
-- is.
local function replaced(text, says, instead)
  local first, last = string.find(text, says, 1, true)
  if not first then return text end
  return string.sub(text, 1, first - 1) .. instead .. string.sub(text, last + 1)
end
local lines = {}
for i = 4, #ARGV, 4 do
  local old, new, was, is = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local function renamed(text)
    text = replaced(text, '"stream":"' .. old .. '"', '"stream":"' .. new .. '"')
    return replaced(text, '"symbol":"' .. was .. '"', '"symbol":"' .. is .. '"')
  end
  local from, to = ARGV[1] .. 'state:' .. old, ARGV[1] .. 'state:' .. new
  local past, follow = ARGV[1] .. 'history:' .. old, ARGV[1] .. 'history:' .. new
  if is_sound(from) and not (is_sound(to) and redis.call('HGET', to, 'was') == old) then
    redis.call('DEL', follow)
    redis.call('RENAME', from, to)
    redis.call('HSET', to, 'was', old)
    local latest = redis.call('HGET', to, 'latest')
    if latest then redis.call('HSET', to, 'latest', renamed(latest)) end
    for _, entry in ipairs(redis.call('XRANGE', past, '-', '+')) do
      local before = entry[2][4] -- another version did not say it, and where it did not nobody knows
      redis.call('XADD', follow, entry[1], 'b', renamed(entry[2][2]), unpack(before and {'p', before} or {}))
    end
    redis.call('EXPIRE', follow, ARGV[3])
    redis.call('HDEL', to, 'until')
  end
  redis.call('DEL', from, past)
  redis.call('HSET', from, 'to', new)
  keep_for_now(from, old)
  local place = redis.call('HMGET', to, 'epoch', 'seq')
  lines[#lines + 1] = old .. '\t' .. (place[1] or '') .. '\t' .. (place[2] or 0) .. '\tr\t' .. new
end
redis.call('PUBLISH', ARGV[2], table.concat(lines, '\n'))
return #lines
