"""The newest quote of each symbol, in Redis."""

import secrets
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from market import prices
from market.prices import Quote, microseconds
from market.quotes import checks, doubts, extended, snapshots
from market.quotes.snapshots import FORMAT
from monitoring import redis
from monitoring.fields import Field

# KEYS quotes, snapshots, the last batch; ARGV the buffer's length, 0 where they become no snapshots, the latest as_of
# there can be, packed together of each quote ticker, as_of in microseconds and the quote, then the batch's id. Answers
# the places of those that are not taken, from 0. The last batch is answered again as it was, where that was lost: else
# the newest quote that it took would make those before it late ones. A held quote is "as_of quote". Equal as_of is
# newer: of a day's quotes the last to come counts. A held one that a wrong clock dated into the future is no mark. Few
# commands of many values each, as Lua can hand over: a command a value costs twice.
_KEEP = """
local before, id = redis.call('GET', KEYS[3]), ARGV[4]
if before and string.sub(before, 1, #id) == id then return cmsgpack.unpack(string.sub(before, #id + 1)) end
local told, latest, passed = cmsgpack.unpack(ARGV[3]), tonumber(ARGV[2]), {}
for first = 1, #told, 1500 do
    local last, tickers, held = math.min(first + 1499, #told), {}, {}
    for i = first, last, 3 do tickers[#tickers + 1] = told[i] end
    for n, text in ipairs(redis.call('HMGET', KEYS[1], unpack(tickers))) do
        held[tickers[n]] = text and tonumber(string.match(text, '^%-?%d+') or '')
    end
    local fields, texts = {}, {}
    for i = first, last, 3 do
        local at, held_at = tonumber(told[i + 1]), held[told[i]]
        if held_at and held_at > at and held_at <= latest then
            passed[#passed + 1] = (i - 1) / 3
        else
            held[told[i]] = at
            fields[#fields + 1] = told[i]
            fields[#fields + 1] = told[i + 1] .. ' ' .. told[i + 2]
            texts[#texts + 1] = told[i + 2]
        end
    end
    if #texts > 0 then
        redis.call('HSET', KEYS[1], unpack(fields))
        if ARGV[1] ~= '0' then redis.call('RPUSH', KEYS[2], unpack(texts)) end
    end
end
if ARGV[1] ~= '0' then redis.call('LTRIM', KEYS[2], -tonumber(ARGV[1]), -1) end
redis.call('SET', KEYS[3], id .. cmsgpack.pack(passed))
return passed
"""

Insist = Callable[[Callable[[], Any]], Any]


def _once(step: Callable[[], Any]) -> Any:
    return step()


def keep(
    quotes: Sequence[Quote], *, negative: Collection[str] = (), are_stored: bool = True, insist: Insist = _once
) -> list[Quote]:
    """Take what is sound and not older than what we have, and return it; what can't be, and what is too far off
    to be true before it is told twice, is counted with its reason.

    Safe in several threads and processes at once: one atomic step in Redis, where the snapshots wait for `flush` too,
    so that a process that dies loses none. No database is asked: prices go on where it is away.

    negative: the tickers of what may cost less than nothing, see `symbols.negative`. are_stored: as snapshots, which
    what is recorded is not: its history is there. insist: takes a step, again where
    it failed; each of them is made for that.
    """
    now = datetime.now(UTC)
    sound = [quote for quote in quotes if checks.is_sound(quote, now, may_be_negative=quote.ticker in negative)]
    if not sound:
        return []
    sifted, doubted = insist(lambda: doubts.sifted(sound))
    # A close stays as it was told, for the door of bars to clip and mark; its range is widened where it is read.
    sifted = [quote if quote.has_closed else checks.widened(quote) for quote in sifted]
    passed = _passed(sifted, now, snapshots.BUFFER if are_stored else 0, insist) if sifted else set()
    if doubted:  # not before: what confirms a price would itself be doubted, where it could not be kept at once
        insist(lambda: doubts.remember(doubted))
    return [quote for place, quote in enumerate(sifted) if place not in passed]


def _passed(sound: Sequence[Quote], now: datetime, room: int, insist: Insist) -> set[int]:
    """Keep these, and as snapshots as there is room. The places of those that are older than what there is."""
    told: list[str] = []
    for quote in sound:
        told += (quote.ticker, str(microseconds(quote.as_of)), FORMAT.pack(quote).decode())
    keys = FORMAT.key("quotes"), FORMAT.key("snapshots"), FORMAT.key("quotes", "batch")
    batch = secrets.token_hex(8)
    arguments = room, microseconds(now + prices.AHEAD), msgspec.msgpack.encode(told), batch
    return set(insist(lambda: redis.client().eval(_KEEP, len(keys), *keys, *arguments)))


def latest(tickers: Sequence[str]) -> dict[str, Quote | None]:
    """The newest quote of each ticker, with what stands beside it; None where there is none."""
    if not tickers:
        return {}
    with redis.client().pipeline(transaction=False) as pipe:
        pipe.hmget(FORMAT.key("quotes"), tickers).hmget(extended.key(), tickers)
        found, beside = pipe.execute()
    held = {
        ticker: text and FORMAT.unpack(text.partition(b" ")[2]) for ticker, text in zip(tickers, found, strict=True)
    }
    told = {ticker: quote and checks.widened(quote) for ticker, quote in held.items()}
    return extended.beside(told, dict(zip(tickers, beside, strict=True)), datetime.now(UTC))


def drop() -> None:
    """Delete all quotes, and what stands beside them: played time goes on elsewhere."""
    kept = (("quotes",), ("quotes", "extended"), ("quotes", "doubted"), ("quotes", "batch"))
    redis.client().delete(*(FORMAT.key(*name) for name in kept))


def field(ticker: str) -> Field:
    """Where the newest quote of a ticker is kept."""
    return Field(FORMAT.key("quotes"), ticker)
