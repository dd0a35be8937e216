"""Quotes: the newest of each symbol in Redis, and all of them as snapshots in the database a few seconds later."""

import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection, transaction

from market import checks, prices
from market.models import Snapshot, Symbol
from market.prices import Quote
from monitoring import formats, redis, refusals

logger = logging.getLogger(__name__)

FORMAT = formats.Format(Quote)
FLUSH_EVERY = timedelta(seconds=5)
BUFFER = 20_000  # snapshots that may wait for the database; the oldest go first
LIVE = timedelta(minutes=2)
DELAYED = timedelta(minutes=30)  # exchanges that sell their prices are given to Yahoo up to 20 minutes late

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

# KEYS snapshots, writing. What a crash left in `writing` comes first.
_TAKE = """
if redis.call('EXISTS', KEYS[2]) == 0 and redis.call('EXISTS', KEYS[1]) == 1 then
    redis.call('RENAME', KEYS[1], KEYS[2])
end
return redis.call('LRANGE', KEYS[2], 0, -1)
"""

_flushing = threading.Lock()
_flushed_at = datetime.min.replace(tzinfo=UTC)


def keep(quotes: Sequence[Quote]) -> list[Quote]:
    """Take what is sound and not older than what we have, and return it; what can't be is counted with its reason.

    Safe in several threads and processes at once: one atomic step in Redis, where the snapshots wait for `flush` too,
    so that a process that dies loses none.
    """
    now = datetime.now(UTC)
    sound = [checks.widened(quote) for quote in quotes if _is_sound(quote, now)]
    if not sound:
        return []
    arguments: list = [BUFFER, _microseconds(now + checks.AHEAD)]
    for quote in sound:
        arguments += (quote.ticker, _microseconds(quote.as_of), FORMAT.pack(quote))
    verdicts = redis.client().eval(_KEEP, 2, FORMAT.key("quotes"), FORMAT.key("snapshots"), *arguments)
    _flush_when_due(now)
    return [quote for quote, verdict in zip(sound, verdicts, strict=True) if verdict]


def latest(tickers: Sequence[str]) -> dict[str, Quote | None]:
    """The newest quote of each ticker, None where there is none."""
    if not tickers:
        return {}
    found = redis.client().hmget(FORMAT.key("quotes"), tickers)
    return {
        ticker: None if text is None else FORMAT.unpack(text.partition(b" ")[2])
        for ticker, text in zip(tickers, found, strict=True)
    }


def flush(now: datetime) -> int:
    """Write the snapshots that wait, in one insert; returns how many. `keep` does so every few seconds.

    They leave Redis after the commit: a crash between writes the same rows again, to the same effect. One that the
    database refuses is set aside with the reason, and those behind it come.
    """
    global _flushed_at
    with _flushing:
        _flushed_at = now
        keys = FORMAT.key("snapshots"), FORMAT.key("snapshots", "writing")
        if taken := redis.client().eval(_TAKE, 2, *keys):
            store(FORMAT.unpack_all(taken))
            redis.client().delete(keys[1])
        return len(taken)


def store(quotes: Sequence[Quote]) -> int:
    """Write quotes as snapshots, in one insert where all of them can be; safe to run twice. Returns how many."""
    now = datetime.now(UTC)
    symbols = dict(Symbol.objects.filter(ticker__in={quote.ticker for quote in quotes}).values_list("ticker", "pk"))
    known = [quote for quote in quotes if quote.ticker in symbols and _is_sound(quote, now)]
    rows = [_row(quote, symbols[quote.ticker]) for quote in sorted(known, key=lambda quote: symbols[quote.ticker])]
    return sum(refusals.apart(rows, _insert, _refuse))


def freshness(quote: Quote, now: datetime) -> str:
    """live, delayed, stale or closed.

    now: the wall's clock. A price that names only its session is as old as its receipt; one from the future is stale.
    """
    if quote.market_state == "closed":
        return "closed"
    if checks.is_ahead(max(quote.as_of, quote.received_at), now):
        return "stale"
    if quote.as_of_precision == prices.DAY:
        session = timedelta(seconds=settings.REPLAY_SESSION_SECONDS)
        return "live" if now - quote.received_at <= max(LIVE, 2 * session) else "stale"
    age = now - quote.as_of
    return "live" if age <= LIVE else "delayed" if age <= DELAYED else "stale"


def as_json(quote: Quote, now: datetime) -> dict:
    """CONTRACT.md's quote. now: the wall's clock."""
    return {**prices.quote_fields(quote), "freshness": freshness(quote, now)}


def forget(source: str) -> None:
    """Delete a source's quotes and snapshots, also those that wait."""
    with _flushing:
        redis.client().delete(*(FORMAT.key(*name) for name in (("quotes",), ("snapshots",), ("snapshots", "writing"))))
        Snapshot.objects.filter(source=source).delete()


def _flush_when_due(now: datetime) -> None:
    """Whatever the database says, prices go on; the snapshots wait for it."""
    if timedelta() <= now - _flushed_at < FLUSH_EVERY:  # the clock may have been set back
        return
    try:
        flush(now)
    except DatabaseTrouble as error:
        logger.warning("the snapshots wait for the database: %s", error)


@transaction.atomic
def _insert(rows: list[Snapshot]) -> int:
    # MariaDB finds the unique key by itself and refuses to be told.
    unique = None if connection.vendor == "mysql" else ["symbol", "received_at", "as_of"]
    Snapshot.objects.bulk_create(
        rows, update_conflicts=True, update_fields=["price", "previous_close", "volume"], unique_fields=unique
    )
    return len(rows)


def _refuse(row: Snapshot, fault: str) -> None:
    refusals.note("snapshots", str(row), fault)


def _row(quote: Quote, symbol_id: int) -> Snapshot:
    return Snapshot(
        symbol_id=symbol_id,
        price=quote.price,
        previous_close=quote.previous_close,
        volume=quote.volume,
        session_date=quote.session_date,
        as_of=quote.as_of,
        as_of_precision=quote.as_of_precision,
        received_at=quote.received_at,
        source=quote.source,
    )


def _is_sound(quote: Quote, now: datetime) -> bool:
    """Whether a quote can be; a good one that we have is not overwritten by one that can't."""
    if fault := checks.quote_fault(quote, now):
        refusals.note("quotes", quote.ticker, fault, repr(quote))
    return fault is None


def _microseconds(at: datetime) -> int:
    return round((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
