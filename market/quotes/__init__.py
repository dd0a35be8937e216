"""Quotes: the newest of each symbol in Redis, and all of them as snapshots in the database a few seconds later.

checks          what can be a quote
doubts          what is far off waits for a second that confirms it
extended        what stands beside a close before and after a session
newest          kept where all processes see it, and read there
snapshots       kept in rows, to show how a session went
statements      how they are written
freshness       how old a price is, in a word
wire            how a quote is told
"""

from market.quotes.newest import drop, field, keep, latest
from market.quotes.snapshots import FORMAT, flush, flush_when_due, forget_before, store, told_before, told_in
from market.quotes.wire import as_json

__all__ = [
    "FORMAT",
    "as_json",
    "drop",
    "field",
    "flush",
    "flush_when_due",
    "forget_before",
    "keep",
    "latest",
    "store",
    "told_before",
    "told_in",
]
