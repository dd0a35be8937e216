"""The prices that a symbol was told of: as they were published where that is kept, and before that its snapshots."""

from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

import orjson

from market import quotes
from market.models import Snapshot
from market.prices import instant
from realtime import messages, streams
from realtime.kinds import PRICES

USUAL = 50
_TOLD_TO = timedelta(milliseconds=1)  # how exactly messages say when a price was received


def prices(ticker: str, limit: int) -> list[bytes]:
    """The last ones, each encoded, newest last. Raises redis' errors and the database's."""
    kept = streams.kept(PRICES.of(ticker), limit)
    if len(kept) == limit:
        return kept
    if not kept:
        return [messages.past_price(ticker, row) for row in quotes.told_before(ticker, None, limit)]
    # A snapshot says it to the microsecond, so of those of the oldest one's instant some are told already.
    at = orjson.loads(kept[0])["received_at"]
    same = [_mark(each) for each in takewhile(lambda each: each["received_at"] == at, map(orjson.loads, kept))]
    until = datetime.fromisoformat(at) + _TOLD_TO
    rows = quotes.told_before(ticker, until, limit - len(kept) + len(same))
    older = [messages.past_price(ticker, row) for row in rows if _mark_of(row) not in same]
    return [*older, *kept][-limit:]


def _mark(told: dict[str, Any]) -> tuple:
    return told["received_at"], told["timestamp"], told["current_price"]


def _mark_of(row: Snapshot) -> tuple:
    return instant(row.received_at), instant(row.as_of), row.price
