"""Numbered streams in the Redis protocol: each message gets the next `seq` of its stream's epoch, goes into the bounded
history and is published, all in one step, so that what was numbered can be recovered and nothing is numbered twice.

For a stream there are a hash (epoch, seq, lost: the highest kept seq that the history has dropped, latest: the newest
message that is not aside) and a history (a Redis stream whose ids are `seq-0`). Live messages of one batch travel as
one publication: lines of `stream TAB epoch TAB seq TAB flags TAB body`; JSON has neither raw tabs nor line feeds. Flags
and columns that a reader does not know mean nothing to it, so that one version may say more than another. Streams that
begin in one step have epochs of their own, so that a position in one never counts as one in another.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from redis.commands.core import Script
from redis.exceptions import ResponseError

from monitoring import formats, redis
from realtime.messages import Message

HISTORY = 1000
KEPT, CONFLATED, EPOCH, RENAMED, ASIDE = "k", "c", "e", "r", "a"  # flags of a line

# A state that no longer says where its stream is, whatever damaged it, is as good as none: the stream begins anew.
_SOUND = """
local function is_sound(state)
  local found = redis.call('HMGET', state, 'epoch', 'seq', 'lost')
  local function is_number(text) return text and string.match(text, '^%d+$') and #text < 16 end
  return found[1] and is_number(found[2]) and (not found[3] or is_number(found[3]))
end
"""

# ARGV: prefix, channel, epoch for streams that have none, history length, then stream, flags, body of each message.
# Nothing is published where one of the streams has another name now.
_PUBLISH = (
    _SOUND
    + """
local prefix, channel, fresh, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local lines, numbers = {}, {}
for i = 5, #ARGV, 3 do
  if redis.call('HEXISTS', prefix .. 'state:' .. ARGV[i], 'to') == 1 then
    return redis.error_reply('RENAMED ' .. ARGV[i])
  end
end
for i = 5, #ARGV, 3 do
  local name, flags, body = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local state, history = prefix .. 'state:' .. name, prefix .. 'history:' .. name
  local epoch = redis.call('HGET', state, 'epoch')
  if not is_sound(state) then
    epoch = fresh .. i
    redis.call('DEL', state, history)
    redis.call('HSET', state, 'epoch', epoch, 'seq', 0, 'lost', 0)
    lines[#lines + 1] = name .. '\\t' .. epoch .. '\\t0\\te\\t'
  end
  local seq = redis.call('HINCRBY', state, 'seq', 1)
  local text = string.sub(body, 1, -2) .. ',"seq":' .. seq .. '}'
  if string.find(flags, 'k', 1, true) then
    if redis.call('XLEN', history) >= limit then
      local oldest = redis.call('XRANGE', history, '-', '+', 'COUNT', 1)[1][1]
      redis.call('XDEL', history, oldest)
      redis.call('HSET', state, 'lost', string.match(oldest, '^%d+'))
    end
    redis.call('XADD', history, seq .. '-0', 'b', text)
  end
  if not string.find(flags, 'a', 1, true) then redis.call('HSET', state, 'latest', text) end
  lines[#lines + 1] = name .. '\\t' .. epoch .. '\\t' .. seq .. '\\t' .. flags .. '\\t' .. text
  numbers[#numbers + 1] = seq
end
redis.call('PUBLISH', channel, table.concat(lines, '\\n'))
return numbers
"""
)

# ARGV: prefix, channel, the new epoch, then the streams.
_RENEW = """
local lines = {}
for i = 4, #ARGV do
  local state = ARGV[1] .. 'state:' .. ARGV[i]
  local last = redis.call('HGET', state, 'seq') or '0'
  redis.call('DEL', state, ARGV[1] .. 'history:' .. ARGV[i])
  local epoch = ARGV[3] .. i
  redis.call('HSET', state, 'epoch', epoch, 'seq', 0, 'lost', 0)
  lines[#lines + 1] = ARGV[i] .. '\\t' .. epoch .. '\\t' .. last .. '\\te\\t'
end
redis.call('PUBLISH', ARGV[2], table.concat(lines, '\\n'))
return #lines
"""

# ARGV: prefix, channel, then the old and the new name of each stream and, of old and new, the symbol's. What is kept
# says the new ones from then on, at the same places; the old name says where the stream is.
_RENAME = (
    _SOUND
    + """
local function replaced(text, says, instead)
  local first, last = string.find(text, says, 1, true)
  if not first then return text end
  return string.sub(text, 1, first - 1) .. instead .. string.sub(text, last + 1)
end
local lines = {}
for i = 3, #ARGV, 4 do
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
      redis.call('XADD', follow, entry[1], 'b', renamed(entry[2][2]))
    end
  end
  redis.call('DEL', from, past)
  redis.call('HSET', from, 'to', new)
  local place = redis.call('HMGET', to, 'epoch', 'seq')
  lines[#lines + 1] = old .. '\\t' .. (place[1] or '') .. '\\t' .. (place[2] or 0) .. '\\tr\\t' .. new
end
redis.call('PUBLISH', ARGV[2], table.concat(lines, '\\n'))
return #lines
"""
)

# ARGV: prefix, epoch for streams that have none, the most messages of one stream, then stream, epoch, seq
# (an empty epoch asks for no history). The epoch is made here, so that a position is never given without one.
_READ = (
    _SOUND
    + """
local answers = {}
for i = 4, #ARGV, 3 do
  local state = ARGV[1] .. 'state:' .. ARGV[i]
  local to = redis.call('HGET', state, 'to')
  if not to and not is_sound(state) then
    redis.call('DEL', state, ARGV[1] .. 'history:' .. ARGV[i])
    redis.call('HSET', state, 'epoch', ARGV[2] .. i, 'seq', 0, 'lost', 0)
  end
  local found = redis.call('HMGET', state, 'epoch', 'seq', 'lost', 'latest')
  local missed = {}
  if ARGV[i + 1] == found[1] then
    local history, after = ARGV[1] .. 'history:' .. ARGV[i], '(' .. ARGV[i + 2] .. '-0'
    local entries = redis.call('XRANGE', history, after, '+', 'COUNT', ARGV[3] + 1)
    for n, entry in ipairs(entries) do missed[n] = entry[2][2] end
  end
  answers[#answers + 1] = {found[1] or '', found[2] or '0', found[3], found[4] or '', missed, to or ''}
end
return answers
"""
)


class Position(NamedTuple):
    """A place in a stream: the last message that somebody has."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A stream as it is at one instant, and what was missed since a position.

    lost: the highest seq that the history has dropped. missed: the kept messages after the position, encoded with
    their seq, oldest first. Empty when the position was of another epoch. to: the name that the stream has now, where
    it has another; then nothing else is told.
    """

    stream: str
    epoch: str
    seq: int
    lost: int
    latest: bytes
    missed: list[bytes]
    to: str = ""

    def gap_reason(self, since: Position, limit: int) -> str | None:
        """Why not all that came after a position can be given, or None."""
        if since.epoch != self.epoch or since.seq > self.seq:
            return "epoch_changed"
        if since.seq < self.lost:
            return "history_expired"
        return "limit" if len(self.missed) > limit else None


class Line(NamedTuple):
    """One live message as it travels between processes.

    That of a new epoch has the last seq of the one before; that of a new name has it as its body, and where it is.
    """

    stream: str
    epoch: str
    seq: int
    flags: str
    body: bytes


class Renamed(Exception):
    """Nothing was published: `stream` has another name now."""

    def __init__(self, stream: str) -> None:
        super().__init__(f"{stream} has another name now")
        self.stream = stream


def channel() -> str:
    """The one publication channel that every hub listens to."""
    return redis.key("live")


def publish(messages: Sequence[Message]) -> list[int]:
    """Number, keep and publish a batch, in order. Returns the seq of each. Raises Renamed, redis' ConnectionError."""
    if not messages:
        return []
    arguments: list[str | bytes] = []
    for message in messages:
        flags = (KEPT if message.keep else "") + (CONFLATED if message.conflate else "")
        flags += ASIDE if message.aside else ""
        arguments += [message.stream, flags, message.body]
    try:
        return _run(_PUBLISH, [_prefix(), channel(), _new_epoch(), HISTORY, *arguments])
    except ResponseError as error:
        code, _, stream = str(error).partition(" ")
        raise Renamed(stream) if code == "RENAMED" else error from None


def renew(names: Iterable[str]) -> None:
    """Begin each stream anew: another epoch, seq 0, no history; announced to everybody who listens."""
    names = list(names)
    if names:
        _run(_RENEW, [_prefix(), channel(), _new_epoch(), *names])


def rename(kinds: Iterable[str], old: str, new: str) -> None:
    """Let a symbol's streams go on under its new name, where they were; announced to everybody. Safe to run again."""
    names = [part for kind in kinds for part in (f"{kind}:{old}", f"{kind}:{new}", old, new)]
    _run(_RENAME, [_prefix(), channel(), *names])


def reading_script(since: dict[str, Position | None], limit: int) -> tuple[str, list[str | int]]:
    """The Lua text and its arguments that read many streams at one instant; `readings` decodes the answer."""
    arguments: list[str | int] = [_prefix(), _new_epoch(), limit]
    for name, position in since.items():
        arguments += [name, *(position or ("", 0))]
    return _READ, arguments


def readings(names: Iterable[str], answer: list) -> dict[str, Reading]:
    return {name: _reading(name, *found) for name, found in zip(names, answer, strict=True)}


def _reading(
    name: str, epoch: bytes, seq: bytes, lost: bytes | None, latest: bytes, missed: list[bytes], to: bytes
) -> Reading:
    """What can't be told from its place is as good as dropped: the gap says so."""
    try:
        for text in (*missed, *filter(None, [latest])):
            seq_of(text)
    except ValueError:
        latest, missed, lost = b"", [], seq
    return Reading(name, epoch.decode(errors="replace"), int(seq), int(lost or 0), latest, missed, to.decode())


def seq_of(text: bytes) -> int:
    """The number of an encoded message: `publish` writes it last."""
    return int(text[text.rindex(b":") + 1 : -1])


def lines(publication: bytes) -> list[Line]:
    """The messages of one publication; columns that another version adds are left out, as is a line that is none.

    A message that is left out so is a hole in its stream, which the hub reads again from the history.
    """
    return [line for text in publication.split(b"\n") if (line := _line(text)) is not None]


def _line(text: bytes) -> Line | None:
    try:
        stream, epoch, seq, flags, body, *_ = text.split(b"\t")
        return Line(stream.decode(), epoch.decode(), int(seq), flags.decode(), body)
    except ValueError as error:
        formats.refused("line of the live channel", str(error))
        return None


def _run(script: str, arguments: list) -> list:
    return _registered(script)(keys=[], args=arguments)


@cache
def _registered(script: str) -> Script:
    return redis.client().register_script(script)


def _prefix() -> str:
    return redis.key("stream", "")


def _new_epoch() -> str:
    return secrets.token_hex(6)
