-- Begins streams anew: another epoch, seq 0, no history; announced with the epoch that ends and its last number.
-- ARGV: prefix, channel, the new epoch, whether what has another name now is left as it is (1) or ends to have it,
-- then the streams. Answers the run, and name, epoch, seq of each.
local run, lines, places = this_run(), {}, {}
for i = 5, #ARGV do
  local name, epoch = ARGV[i], ARGV[3] .. i
  local state = ARGV[1] .. 'state:' .. name
  if ARGV[4] ~= '1' or not moved(name, redis.call('HGET', state, 'to')) then
    local ends = redis.call('HMGET', state, 'epoch', 'seq')
    redis.call('DEL', state, ARGV[1] .. 'history:' .. name)
    redis.call('HSET', state, 'epoch', epoch, 'seq', 0, 'kept', 0, 'run', run)
    keep_for_now(state, name)
    lines[#lines + 1] = name .. '\t' .. epoch .. '\t' .. (ends[2] or '0') .. '\te\t' .. (ends[1] or '')
    places[#places + 1] = name
    places[#places + 1] = epoch
    places[#places + 1] = '0'
  end
end
if #lines > 0 then redis.call('PUBLISH', ARGV[2], table.concat(lines, '\n')) end
return {run, places}
