-- A state that no longer says where its stream is, whatever damaged it, is as good as none: the stream begins anew.
local function is_number(text) return text and string.match(text, '^%d+$') and #text < 15 end
local function is_sound(state)
  local found = redis.call('HMGET', state, 'epoch', 'seq')
  return found[1] and is_number(found[2])
end
-- Where the stream of a symbol is that has another name now. What is no other name of its kind, whatever damaged it, is
-- as good as none.
local function moved(name, to)
  local kind = to and to ~= name and string.match(name, '^%a+:')
  return kind and string.match(to, '^(%a+:)[^@*]') == kind and not string.find(to, '[^%w%p]') and to or nil
end
-- What is told only while somebody holds it (of one indicator alone) is kept no longer than it is read.
local function keep_for_now(state, name)
  if string.find(name, '/', 1, true) then redis.call('EXPIRE', state, 300) end
end
-- Which run of the server this is: what another one kept may be older than what was given out.
local function this_run() return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') end
