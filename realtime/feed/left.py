"""What was taken and has no rows yet, in Redis: a feed that dies leaves it to the next one.

A list in order of arrival, bounded as the snapshots are. A quote that has its rows by now and stands here still is
known by what the rules have seen.
"""

from collections.abc import Mapping, Sequence

from market.prices import Quote
from monitoring import formats, redis, refusals
from realtime.feed.waiting import Taken

MOST = 20_000  # the oldest go first
_FORMAT = formats.Format(Quote)

# KEYS: the list. ARGV: the first number that stays, "" for none. An entry is "number quote".
_DONE = """
while true do
    local first = redis.call('LINDEX', KEYS[1], 0)
    if not first then return end
    local number = tonumber(string.match(first, '^%d+') or '')
    if number and ARGV[1] ~= '' and number >= tonumber(ARGV[1]) then return end
    redis.call('LPOP', KEYS[1])
end
"""


def keep(taken: Sequence[Taken]) -> None:
    """These have their rows to come."""
    with redis.client().pipeline(transaction=False) as pipe:
        pipe.rpush(_key(), *map(_entry, taken))
        pipe.ltrim(_key(), -MOST, -1)
        count, _ = pipe.execute()
    if count > MOST:
        why = f"{count} quotes wait for their rows: a feed that dies now leaves the oldest to nobody"
        refusals.note("without rows", taken[0].quote.ticker, why, times=count - MOST)


def drop(*, before: int | None) -> None:
    """All have their rows that were taken before this number; all of them for None."""
    redis.client().eval(_DONE, 1, _key(), "" if before is None else before)


def found(seen: Mapping[str, Quote]) -> list[Quote]:
    """What the feed before left without rows. seen: by ticker the last quote that has them."""
    texts = [text.partition(b" ")[2] for text in redis.client().lrange(_key(), 0, -1)]
    return [quote for quote in _FORMAT.unpack_all(texts) if _is_later(quote, seen.get(quote.ticker))]


def renumber(taken: Sequence[Taken]) -> None:
    """These alone have their rows to come."""
    with redis.client().pipeline(transaction=True) as pipe:
        pipe.delete(_key())
        if taken:
            pipe.rpush(_key(), *map(_entry, taken))
        pipe.execute()


def _entry(taken: Taken) -> bytes:
    return b"%d %s" % (taken.number, _FORMAT.pack(taken.quote))


def _is_later(quote: Quote, seen: Quote | None) -> bool:
    return seen is None or (quote.as_of, quote.received_at) > (seen.as_of, seen.received_at)


def _key() -> str:
    return _FORMAT.key("feed", "without_rows")
