"""Snapshots: every quote as it was received. They wait in Redis and are written a few seconds later, in one insert."""

import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import Error as DatabaseTrouble
from django.db import connection, transaction

from market import symbols
from market.models import Snapshot
from market.prices import Quote
from market.quotes import checks
from monitoring import formats, redis, refusals

logger = logging.getLogger(__name__)

FORMAT = formats.Format(Quote)
FLUSH_EVERY = timedelta(seconds=5)
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
    """Write the snapshots that wait, in one insert; returns how many. `newest.keep` does so every few seconds.

    They leave Redis after the commit: a crash between writes the same rows again, to the same effect. One that the
    database refuses is set aside with the reason, and those behind it come.
    """
    global _flushed_at
    with _flushing:
        _flushed_at = now
        keys = FORMAT.key("snapshots"), FORMAT.key("snapshots", "writing")
        if taken := redis.client().eval(_TAKE, 2, *keys):
            store(FORMAT.unpack_all(taken))
            redis.client().eval(_DONE, 1, keys[1], len(taken), taken[0], taken[-1])
        return len(taken)


def flush_when_due(now: datetime) -> None:
    """Whatever the database says, prices go on; the snapshots wait for it."""
    if timedelta() <= now - _flushed_at < FLUSH_EVERY:  # the clock may have been set back
        return
    try:
        flush(now)
    except DatabaseTrouble as error:
        logger.warning("the snapshots wait for the database: %s", error)


def store(quotes: Sequence[Quote]) -> int:
    """Write quotes as snapshots, in one insert where all of them can be; safe to run twice. Returns how many."""
    now = datetime.now(UTC)
    keys = symbols.keys({quote.ticker for quote in quotes})
    known = [quote for quote in quotes if quote.ticker in keys and checks.is_sound(quote, now)]
    rows = [_row(quote, keys[quote.ticker]) for quote in sorted(known, key=lambda quote: keys[quote.ticker])]
    return sum(refusals.apart(rows, _insert, _refuse))


def forget(source: str) -> None:
    """Delete a source's quotes and snapshots, also those that wait."""
    with _flushing:
        redis.client().delete(
            *(
                FORMAT.key(*name)
                for name in (("quotes",), ("quotes", "doubted"), ("snapshots",), ("snapshots", "writing"))
            )
        )
        Snapshot.objects.filter(source=source).delete()


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
