-- Begins streams anew: another epoch, seq 0, no history; announced with the epoch that ends and its last number.
-- KEYS: of `closing`, sorted sets of streams that somebody holds. ARGV: prefix, channel, the new epoch, how, then the
-- streams. How: empty, what has another name now ends to have it; `moved`, that is left as it is; `closing`, so is what
-- somebody holds, and of the others one message more is told as lost, as many will be. Answers the run, name, epoch, seq
-- of each, and those that somebody holds.
local run, how, lines, places, held = this_run(), ARGV[4], {}, {}, {}
local function is_held(name)
  for _, key in ipairs(KEYS) do
    if redis.call('ZSCORE', key, name) then return true end
  end
end
for i = 5, #ARGV do
  local name, epoch = ARGV[i], ARGV[3] .. i
  local state = ARGV[1] .. 'state:' .. name
  if is_held(name) then
    held[#held + 1] = name
  elseif how == '' or not moved(name, redis.call('HGET', state, 'to')) then
    local ends = redis.call('HMGET', state, 'epoch', 'seq')
    local last = ends[2] or '0'
    if how == 'closing' and is_number(last) then last = string.format('%d', last + 1) end
    redis.call('DEL', state, ARGV[1] .. 'history:' .. name)
    redis.call('HSET', state, 'epoch', epoch, 'seq', 0, 'kept', 0, 'run', run)
    keep_for_now(state, name)
    lines[#lines + 1] = name .. '\t' .. epoch .. '\t' .. last .. '\te\t' .. (ends[1] or '')
    places[#places + 1] = name
    places[#places + 1] = epoch
    places[#places + 1] = '0'
  end
end
if #lines > 0 then redis.call('PUBLISH', ARGV[2], table.concat(lines, '\n')) end
return {run, places, held}
