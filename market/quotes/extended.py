"""The newest price of each symbol from before or after a session, in Redis beside the quotes: none of their bars,
records, snapshots or rules meets it. Who reads a quote reads it along, for as long as it stands.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from market import prices
from market.prices import Extended, Quote, microseconds
from market.quotes import doubts
from monitoring import formats, redis, refusals
from monitoring.fields import Field

FORMAT = formats.Format(Extended)
KIND = "extended hours"  # of what is refused

# KEYS extended; ARGV the latest as_of there can be, then of each ticker, as_of in microseconds and the price. Answers
# the tickers of those that are kept. As with quotes an equal as_of is newer, and one beyond now is no mark.
_KEEP = """
local kept = {}
for i = 2, #ARGV, 3 do
    local held = redis.call('HGET', KEYS[1], ARGV[i])
    local held_at = held and tonumber(string.match(held, '^%-?%d+') or '')
    if not held_at or held_at <= tonumber(ARGV[i + 1]) or held_at > tonumber(ARGV[1]) then
        redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[i + 2])
        kept[#kept + 1] = ARGV[i]
    end
end
return kept
"""


def keep(told: Sequence[Extended]) -> list[Extended]:
    """Take what can be and is not older than what we have, one of each ticker, and return it. Safe to run again."""
    now = datetime.now(UTC)
    sound = {each.ticker: each for each in told if is_sound(each, now)}
    packed = [part for each in sound.values() for part in (each.ticker, microseconds(each.as_of), FORMAT.pack(each))]
    if not packed:
        return []
    latest_at = microseconds(now + prices.AHEAD)
    return [sound[ticker.decode()] for ticker in redis.client().eval(_KEEP, 1, key(), latest_at, *packed)]


def drop(tickers: Collection[str]) -> None:
    """Forget these: a session has opened."""
    if tickers:
        redis.client().hdel(key(), *tickers)


def beside(
    quotes: Mapping[str, Quote | None], texts: Mapping[str, bytes | None], now: datetime
) -> dict[str, Quote | None]:
    """The quotes with what stands beside them now. texts: by ticker what Redis keeps of it."""
    return {ticker: quote and _with(quote, unpack(texts[ticker]), now) for ticker, quote in quotes.items()}


def held() -> dict[str, Extended]:
    """All that is kept, by ticker."""
    found = redis.client().hgetall(key())
    told = {ticker.decode(): unpack(text) for ticker, text in found.items()}
    return {ticker: each for ticker, each in told.items() if each is not None}


def unpack(text: bytes | None) -> Extended | None:
    return text and FORMAT.unpack(text.partition(b" ")[2])


def is_sound(told: Extended, now: datetime) -> bool:
    """Whether it can be; what can't is counted. One whose session has opened is none any more, and no fault."""
    if fault := _fault(told, now):
        refusals.note(KIND, told.ticker, fault, repr(told))
    return fault is None and not told.is_over(now)


def is_far(told: Extended, quote: Quote | None) -> bool:
    """Whether it stands so far from its close that a second one is waited for."""
    close = quote and replace(quote, extended=told).close_beside
    return close is not None and doubts.are_far(told.price, close)


def confirms(told: Extended, doubted: Extended | None) -> bool:
    """Whether it is a later price than the doubted one, and near to it."""
    return doubted is not None and told.as_of > doubted.as_of and not doubts.are_far(told.price, doubted.price)


def field(ticker: str) -> Field:
    """Where the price of a ticker is kept."""
    return Field(key(), ticker)


def _with(quote: Quote, told: Extended | None, now: datetime) -> Quote:
    return replace(quote, extended=told if told and told.stands(quote, now) else None)


def _fault(told: Extended, now: datetime) -> str | None:
    if not prices.is_price(told.price):
        return f"a price that is none: {told.price}"
    if told.session not in (prices.PRE, prices.POST):
        return f"hours of {told.session!r}"
    if prices.is_ahead(max(told.as_of, told.received_at), now):
        return f"a price of {prices.instant(told.as_of)}, which lies in the future of {prices.instant(now)}"
    return None


def key() -> str:
    """Of the hash that holds them."""
    return FORMAT.key("quotes", "extended")
