"""Snapshots: every quote as it was received. They wait in Redis and are written a few seconds later, in one insert."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from market import prices, symbols
from market.models import Snapshot, Symbol
from market.prices import Quote
from market.quotes import checks, statements
from market.quotes.statements import Row
from monitoring import formats, redis, refusals, turns

FORMAT = formats.Format(Quote)
FLUSH_EVERY = timedelta(seconds=5)
AT_ONCE = 2_000  # of those that are deleted
_AROUND = timedelta(days=7)  # of its session a price is told within so long
BUFFER = 20_000  # snapshots that may wait for the database; the oldest go first

# KEYS snapshots, writing. What a crash left in `writing` comes first.
_TAKE = """
if redis.call('EXISTS', KEYS[2]) == 0 and redis.call('EXISTS', KEYS[1]) == 1 then
    redis.call('RENAME', KEYS[1], KEYS[2])
end
return redis.call('LRANGE', KEYS[2], 0, -1)
"""

# KEYS writing; ARGV how many were taken, the first and the last of them. Another process may have written the same ones
# and more may have moved up since: those are not ours to delete.
_DONE = """
local first, last = redis.call('LINDEX', KEYS[1], 0), redis.call('LINDEX', KEYS[1], -1)
if redis.call('LLEN', KEYS[1]) == tonumber(ARGV[1]) and first == ARGV[2] and last == ARGV[3] then
    redis.call('DEL', KEYS[1])
end
"""

_flushing = threading.Lock()
_flushed_at = datetime.min.replace(tzinfo=UTC)


def flush(now: datetime) -> int:
    """Write the snapshots that wait, in one insert; returns how many. The feed does so every few seconds.

    They leave Redis after the commit: a crash between writes the same rows again, to the same effect. One that the
    database refuses is set aside with the reason, and those behind it come.
    """
    global _flushed_at
    with _flushing:
        keys = FORMAT.key("snapshots"), FORMAT.key("snapshots", "writing")
        if taken := redis.client().eval(_TAKE, 2, *keys):
            store(FORMAT.unpack_all(taken))
            redis.client().eval(_DONE, 1, keys[1], len(taken), taken[0], taken[-1])
        _flushed_at = now
        return len(taken)


def flush_when_due(now: datetime) -> int:
    """As `flush`, where this process has not done so for a few seconds. They wait as long as the database is away."""
    is_fresh = timedelta() <= now - _flushed_at < FLUSH_EVERY  # the clock may have been set back
    return 0 if is_fresh else flush(now)


def store(quotes: Sequence[Quote]) -> int:
    """Write quotes as snapshots, in one insert where all of them can be; safe to run twice. Returns how many."""
    now = datetime.now(UTC)
    known = symbols.found({quote.ticker for quote in quotes})
    told = [(known[quote.ticker], quote) for quote in quotes if quote.ticker in known]
    sound = [each for each in told if checks.is_sound(each[1], now, may_be_negative=each[0].may_be_negative)]
    rows = [(symbol.pk, quote) for symbol, quote in sorted(sound, key=lambda each: each[0].pk)]
    return sum(refusals.apart(rows, statements.insert, _refuse))


def told_before(ticker: str, at: datetime | None, limit: int) -> list[Snapshot]:
    """The last snapshots of a symbol that were received before some moment, or ever; newest last."""
    found = Snapshot.objects.filter(symbol__ticker=ticker)
    found = found if at is None else found.filter(received_at__lt=at)
    return list(found.order_by("-received_at", "-as_of")[:limit])[::-1]


def told_in(symbol: Symbol, start: date, end: date, *, limit: int) -> list[tuple[date, datetime, float, int | None]]:
    """The prices of a symbol's sessions whose time is known: session, time, price and volume, oldest first, so many
    at most.
    """
    around = prices.midnight(start) - _AROUND, prices.midnight(end) + _AROUND
    found = Snapshot.objects.filter(
        symbol=symbol, received_at__range=around, session_date__range=(start, end), as_of_precision=prices.SECOND
    )
    rows = found.order_by("session_date", "as_of", "received_at")
    return list(rows.values_list("session_date", "as_of", "price", "volume")[:limit])


def forget_before(instant: datetime, *, tell: Callable[[int], object]) -> int:
    """Delete what was received before, oldest first, some at a time. Returns how many; tell: hears how many so far."""
    return turns.delete_before(Snapshot, "received_at", instant, AT_ONCE, tell=tell)


def _refuse(row: Row, fault: str) -> None:
    _, quote = row
    refusals.note("snapshots", f"{quote.ticker} {quote.price} at {quote.received_at:%Y-%m-%d %H:%M:%S}", fault)
