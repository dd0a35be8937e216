-- Numbers, keeps and publishes one batch: all of it once, or nothing.
-- ARGV: prefix, channel, epoch for streams that have none, history length, seconds that a history is kept, the batch's
-- id, seconds that the id is remembered, the key of a lease and who must hold it (both empty: none), the run of the
-- server that the publisher knows (or empty), then of each message its stream, its flags and, behind a space, the key of
-- what is told once only, and its body without the brace that closes it.
-- Answers the run, the numbers (none where the batch was published before), epoch and seq of each of its streams, and the
-- places of what is never conflated, as lines of its index in the batch, epoch and seq: also where the batch, or what is
-- told once only, was published before, as both are kept by these. Prices have none and pay nothing for them.
-- Refuses with FENCED where another holds the lease, RENAMED where a stream has another name now, RESTARTED where the
-- server may have forgotten numbers that were given.
-- Each price passes here: no string is made twice, as Lua hashes all of every one, and a number is written once.
local call = redis.call
local prefix, channel, fresh, limit, kept_seconds = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local batch, lease = prefix .. 'batch:' .. ARGV[6], ARGV[8]
local published = call('GET', batch)
local is_repeated = published and true or false
if not is_repeated and lease ~= '' and call('GET', lease) ~= ARGV[9] then return redis.error_reply('FENCED') end

local run, states, ordered = this_run(), {}, {}
if not is_repeated and ARGV[10] ~= '' and ARGV[10] ~= run then return redis.error_reply('RESTARTED') end
for i = 11, #ARGV, 3 do
  local name = ARGV[i]
  if not states[name] then
    local key = prefix .. 'state:' .. name
    local found = call('HMGET', key, 'epoch', 'seq', 'kept', 'run', 'to', 'until')
    if found[5] and not is_repeated and moved(name, found[5]) then return redis.error_reply('RENAMED ' .. name) end
    local epoch, seq, kept, numbered = found[1], found[2], found[3], found[4]
    local is_whole = epoch and is_number(seq)
    if is_whole and numbered and numbered ~= run and not is_repeated then return redis.error_reply('RESTARTED') end
    local state = {
      name = name, key = key, history = prefix .. 'history:' .. name, begins = i, epoch = is_whole and epoch,
      seq = tonumber(seq), kept = (kept == seq or is_number(kept)) and kept, run = numbered,
      ends_at = tonumber(found[6]) or 0,
    }
    states[name] = state
    ordered[#ordered + 1] = state
  end
end

local kinds = {} -- of messages, by their flags as they are given here
local function read(given)
  local flags, once = string.match(given, '^(%S*) ?(.*)$')
  kinds[given] = {
    column = '\t' .. flags .. '\t', once = once ~= '' and prefix .. 'once:' .. once,
    is_kept = string.find(flags, 'k', 1, true), is_aside = string.find(flags, 'a', 1, true),
    is_placed = not string.find(flags, 'c', 1, true),
  }
  return kinds[given]
end

local now = tonumber(call('TIME')[1])
local numbers, told, places = {}, {}, {}
local function next_place(state)
  return (state.epoch or fresh .. state.begins) .. ' ' .. string.format('%d', state.epoch and state.seq + 1 or 1)
end
for i = 11, is_repeated and 0 or #ARGV, 3 do
  local state, kind = states[ARGV[i]], kinds[ARGV[i + 1]] or read(ARGV[i + 1])
  local place = kind.is_placed and next_place(state)
  local before = kind.once and not call('SET', kind.once, place or 1, 'NX', 'EX', kept_seconds) and call('GET', kind.once)
  if before then place = before end
  if place then places[#places + 1] = string.format('%d ', (i - 11) / 3) .. place end
  if not before then
    if not state.epoch then
      state.epoch, state.seq, state.kept, state.run, state.ends_at = fresh .. state.begins, 0, '0', nil, 0
      state.is_kept = true
      call('DEL', state.key, state.history)
      told[#told + 1] = state.name .. '\t' .. state.epoch .. '\t0\te\t\n'
    end
    local seq = state.seq + 1
    local number = string.format('%d', seq)
    local text = ARGV[i + 2] .. ',"seq":' .. number .. '}'
    if kind.is_kept then
      -- Each kept message names the one kept before it: that of the oldest says up to where the history has forgotten.
      local before = state.kept or seq - 1 -- not known of what another version kept: then any may be forgotten
      if seq % 16 < seq - before then -- a sixteenth lies between them: so often it is looked whether some must go
        call('XADD', state.history, 'MAXLEN', '~', limit, number .. '-0', 'b', text, 'p', before)
      else
        call('XADD', state.history, number .. '-0', 'b', text, 'p', before)
      end
      state.kept, state.is_kept = number, true
    end
    if not kind.is_aside then state.latest = text end
    state.seq, state.number = seq, number
    local last = #told
    told[last + 1] = state.name .. '\t' .. state.epoch .. '\t' .. number .. kind.column
    told[last + 2] = text
    told[last + 3] = '\n'
    numbers[#numbers + 1] = seq
  end
end

local epochs, seqs, fields = {}, {}, {}
for at, state in ipairs(ordered) do
  local last = 0
  local function keep(field, value)
    fields[last + 1], fields[last + 2], last = field, value, last + 2
  end
  if state.number then
    keep('seq', state.number)
    if state.latest then keep('latest', state.latest) end
    if state.is_kept then keep('kept', state.kept) end
    if state.run ~= run then keep('epoch', state.epoch); keep('run', run) end
    -- Put off by the hour: the history goes a day after its last message, at most an hour later.
    if state.is_kept and state.ends_at < now + kept_seconds then
      keep('until', now + kept_seconds + 3600)
      call('EXPIREAT', state.history, now + kept_seconds + 3600)
    end
    call('HSET', state.key, unpack(fields, 1, last))
    if not state.run then keep_for_now(state.key, state.name) end
  end
  epochs[at], seqs[at] = state.epoch or '', state.seq or 0
end
if not is_repeated then
  published = table.concat(places, '\n')
  call('SET', batch, published, 'EX', ARGV[7])
end
if #told > 0 then
  told[#told] = nil
  call('PUBLISH', channel, table.concat(told))
end
return {run, numbers, epochs, seqs, published}
