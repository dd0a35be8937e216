-- After a restart of the server: a stream goes on where its highest number is the one that was given, else begins anew.
-- ARGV: prefix, channel, the new epoch, then stream, epoch and seq of each as they were given (an empty epoch: unknown).
-- Answers the run, and name, epoch, seq of each.
local run, lines, places = this_run(), {}, {}
for i = 4, #ARGV, 3 do
  local name, given, seq = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local state = ARGV[1] .. 'state:' .. name
  local found = redis.call('HMGET', state, 'epoch', 'seq', 'run', 'to')
  local has = is_number(found[2]) and tonumber(found[2]) or 0
  if moved(name, found[4]) or found[3] == run then
    -- It is elsewhere, or another publisher has settled it.
  elseif found[1] == given and has == seq then
    redis.call('HSET', state, 'run', run)
  elseif found[1] or given ~= '' then
    -- What was given and is forgotten has to be told as lost; where nobody knows, one more may have been.
    local last = (given ~= '' and found[1] == given) and math.max(has, seq) or math.max(has + 1, seq)
    local epoch = ARGV[3] .. i
    redis.call('DEL', state, ARGV[1] .. 'history:' .. name)
    redis.call('HSET', state, 'epoch', epoch, 'seq', 0, 'kept', 0, 'run', run)
    keep_for_now(state, name)
    lines[#lines + 1] = name .. '\t' .. epoch .. '\t' .. string.format('%.0f', last) .. '\te\t' .. (given ~= '' and given or found[1])
    found[1], found[2] = epoch, '0'
  end
  places[#places + 1] = name
  places[#places + 1] = found[1] or ''
  places[#places + 1] = found[2] or '0'
end
if #lines > 0 then redis.call('PUBLISH', ARGV[2], table.concat(lines, '\n')) end
return {run, places}
