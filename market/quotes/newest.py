"""The newest quote of each symbol, in Redis."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from market import prices
from market.prices import Quote
from market.quotes import checks, doubts, snapshots
from market.quotes.snapshots import FORMAT
from monitoring import redis
from monitoring.fields import Field

# KEYS quotes, snapshots; ARGV the buffer's length, the latest as_of there can be, then of each quote: ticker, as_of in
# microseconds, the quote. A held quote is "as_of quote". Equal as_of is newer: of a day's quotes the last to come
# counts. A held one that a wrong clock dated into the future is no mark.
_KEEP = """
local accepted = {}
for i = 3, #ARGV, 3 do
    local held = redis.call('HGET', KEYS[1], ARGV[i])
    local at = held and tonumber(string.match(held, '^%-?%d+') or '')
    if at and at > tonumber(ARGV[i + 1]) and at <= tonumber(ARGV[2]) then
        accepted[#accepted + 1] = 0
    else
        redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[i + 2])
        redis.call('RPUSH', KEYS[2], ARGV[i + 2])
        accepted[#accepted + 1] = 1
    end
end
redis.call('LTRIM', KEYS[2], -tonumber(ARGV[1]), -1)
return accepted
"""


def keep(quotes: Sequence[Quote]) -> list[Quote]:
    """Take what is sound and not older than what we have, and return it; what can't be, and what is too far off
    to be true before it is told twice, is counted with its reason.

    Safe in several threads and processes at once: one atomic step in Redis, where the snapshots wait for `flush` too,
    so that a process that dies loses none.
    """
    now = datetime.now(UTC)
    sound = [quote for quote in quotes if checks.is_sound(quote, now)]
    # A close stays as it was told, for the door of bars to clip and mark; its range is widened where it is read.
    sifted = doubts.sifted(sound) if sound else []
    sound = [quote if quote.has_closed else checks.widened(quote) for quote in sifted]
    if not sound:
        return []
    arguments: list = [snapshots.BUFFER, _microseconds(now + prices.AHEAD)]
    for quote in sound:
        arguments += (quote.ticker, _microseconds(quote.as_of), FORMAT.pack(quote))
    verdicts = redis.client().eval(_KEEP, 2, FORMAT.key("quotes"), FORMAT.key("snapshots"), *arguments)
    snapshots.flush_when_due(now)
    return [quote for quote, verdict in zip(sound, verdicts, strict=True) if verdict]


def latest(tickers: Sequence[str]) -> dict[str, Quote | None]:
    """The newest quote of each ticker, None where there is none."""
    if not tickers:
        return {}
    found = redis.client().hmget(FORMAT.key("quotes"), tickers)
    held = {
        ticker: text and FORMAT.unpack(text.partition(b" ")[2]) for ticker, text in zip(tickers, found, strict=True)
    }
    return {ticker: quote and checks.widened(quote) for ticker, quote in held.items()}


def field(ticker: str) -> Field:
    """Where the newest quote of a ticker is kept."""
    return Field(FORMAT.key("quotes"), ticker)


def _microseconds(at: datetime) -> int:
    return round((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
