"""Fields of Redis' hashes that are called after something, and move when that gets another name."""

from collections.abc import Iterable
from typing import NamedTuple

from monitoring import redis


class Field(NamedTuple):
    """A field of a hash."""

    key: str
    name: str


# ARGV: what stands in the text, what shall stand there, then key, old field, new field of each.
_MOVE = """
for i = 3, #ARGV, 3 do
  local text = redis.call('HGET', ARGV[i], ARGV[i + 1])
  if text and redis.call('HEXISTS', ARGV[i], ARGV[i + 2]) == 0 then
    local first, last = string.find(text, ARGV[1], 1, true)
    if first then text = string.sub(text, 1, first - 1) .. ARGV[2] .. string.sub(text, last + 1) end
    redis.call('HSET', ARGV[i], ARGV[i + 2], text)
  end
  redis.call('HDEL', ARGV[i], ARGV[i + 1])
end
"""


def move(fields: Iterable[tuple[Field, Field]], says: str, instead: str) -> None:
    """Move each field, all in one step, and let its text say something else; what is at its new place already stays.

    Safe to run again.
    """
    arguments = [part for old, new in fields for part in (old.key, old.name, new.name)]
    redis.client().eval(_MOVE, 0, says, instead, *arguments)
